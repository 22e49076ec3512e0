"""``make bench``: ratios between our code and the barest code that does the same work, both in one run.

Ratios, because seconds belong to a machine; a line of JSON a suite.
"""

from __future__ import annotations

import json

from benchmarks import backfill, ccxt_pages, fifo, imports, pages, postgres, proof, service

SUITES = (
    pages.sqlite,
    ccxt_pages.parse,
    imports.sqlite,
    postgres.merge,
    proof.chains,
    backfill.paged,
    fifo.engine,
    service.idle,
)

for suite in SUITES:
    print(json.dumps(suite()), flush=True)
