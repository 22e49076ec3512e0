"""``make bench``: ratios between our code and the barest code that does the same work, both in one run.

Ratios, because seconds belong to a machine; a line of JSON a suite. ``python -m benchmarks against_rp2`` runs some alone, by module
or by ``module.function``.
"""

from __future__ import annotations

import json
import sys

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

NAMES = {suite: f"{suite.__module__.rpartition('.')[2]}.{suite.__name__}" for suite in SUITES}
asked = sys.argv[1:]
chosen = [suite for suite, name in NAMES.items() if not asked or not {name, name.partition(".")[0]}.isdisjoint(asked)]
if not chosen:
    sys.exit(f"no such suite; there are: {', '.join(NAMES.values())}")
for suite in chosen:
    print(json.dumps(suite()), flush=True)
