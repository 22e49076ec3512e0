"""The rows of a history in the order of ties everywhere: by (time, place in the balance chain, id)."""

from __future__ import annotations

from collections.abc import Iterator

from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.core.stored import Stored
from portfolio_sync.verify.columns import LedgerColumns
from portfolio_sync.verify.plain_chain import chain_columns
from portfolio_sync.verify.state import ChainState


def ordered(stored: Stored[LedgerRow]) -> Iterator[list[LedgerRow]]:
    """The rows in blocks, as ``chain.extend`` yields them of a whole history."""
    state = ChainState()
    for block in stored.blocks():
        columns = LedgerColumns.of(block, stored)
        placed, rows, times = chain_columns(state, columns), columns.rows(), columns.time
        if placed:
            order = sorted(range(len(rows)), key=lambda i: (times[i], placed.get(i, 0), i))
            rows = [rows[i] for i in order]
        yield rows
