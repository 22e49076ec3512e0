"""``make bench``: ratios between our code and the barest code that does the same work, both in one run.

Ratios, because seconds belong to a machine; a line of JSON a suite.
"""

from __future__ import annotations

import json

from benchmarks import (
    against_rp2,
    backfill,
    ccxt_pages,
    fifo,
    growth,
    idle,
    imports,
    pages,
    postgres,
    proof,
    service,
)

SUITES = (
    pages.sqlite,
    ccxt_pages.parse,
    imports.sqlite,
    postgres.merge,
    proof.chains,
    backfill.paged,
    fifo.engine,
    service.idle,
    idle.traced,
    against_rp2.engine,
    against_rp2.whole,
    growth.methods,
)

for suite in SUITES:
    print(json.dumps(suite()), flush=True)
