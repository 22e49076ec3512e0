"""``make bench``: ratios between our code and the barest code that does the same work, both in one run.

Ratios, because seconds belong to a machine; a line of JSON a suite.
"""

from __future__ import annotations

import json

from benchmarks import fifo, pages

for suite in (pages.sqlite, fifo.engine):
    print(json.dumps(suite()), flush=True)
