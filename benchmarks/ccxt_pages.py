"""The same pages of ledger rows, from JSON to rows, by ccxt's ``parse_ledger`` (extra ``bench``)."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

from benchmarks.clock import cpu
from benchmarks.pages import ROWS, bodies, parsed


def parse() -> dict[str, object]:
    """Our seconds over theirs; at most 1 is wanted."""
    if importlib.util.find_spec("ccxt") is None:
        return {"suite": "pages beside ccxt", "left_out": "ccxt is not installed: pip install -e '.[bench]'"}
    import ccxt

    exchange = ccxt.kraken()
    exchange.set_markets([])
    pages = bodies()

    def theirs(body: bytes) -> list[Any]:
        ledger = json.loads(body)["result"]["ledger"]
        found: list[Any] = exchange.parse_ledger([{"id": key, **row} for key, row in ledger.items()])
        return found

    assert sum(len(theirs(body)) for body in pages) == sum(len(parsed(body)) for body in pages)
    ours = cpu(lambda: [parsed(body) for body in pages])
    ccxts = cpu(lambda: [theirs(body) for body in pages])
    return {"suite": "pages beside ccxt", "rows": ROWS, "to_ccxt": round(ours / ccxts, 2)}
