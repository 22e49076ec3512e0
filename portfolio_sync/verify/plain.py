"""The rows of a history about which nothing is to be decided, by columns: nearly all of a million.

The others go row by row through ``chain`` and ``join``, and so does what is not old. Both ways say the same of every history
(tests/unit/verify/test_plain.py).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import chain
from operator import itemgetter
from typing import Any

from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.stored import Raw, Stored
from portfolio_sync.verify.columns import LedgerColumns, TradeColumns
from portfolio_sync.verify.join import JoinState, join
from portfolio_sync.verify.plain_chain import chain_columns
from portfolio_sync.verify.plain_join import join_columns
from portfolio_sync.verify.state import ChainState


def advance(chains: ChainState, joined: JoinState, ledger: Stored[LedgerRow], trades: Stored[TradeRow] | None) -> None:
    """Chain all rows onto ``chains``, and join them with the trades as ``join`` does. ``trades`` None: they are not joined."""
    dealt: list[Raw] = []
    for block in ledger.blocks():
        rows = LedgerColumns.of(block, ledger)
        chain_columns(chains, rows)
        if trades:
            upto = _upto(rows.time[-1], dealt, trades)
            join_columns(joined, rows, TradeColumns.of(dealt[:upto], trades))
            del dealt[:upto]
    if trades:
        deque(join(joined, (), map(trades.make, chain(dealt, trades.rows))), 0)


def _upto(last: Any, dealt: list[Raw], trades: Stored[TradeRow]) -> int:
    """How many of ``dealt``, which grows by what is read for that, are no later than ``last``."""
    while (not dealt or dealt[-1][trades.at] <= last) and (more := next(trades.chunks, None)):
        dealt += more
    return bisect_right(dealt, last, key=itemgetter(trades.at))
