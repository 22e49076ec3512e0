"""Rows as a database gives them, before each is made a typed row: a million of them are looked at by columns."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, TypeVar

from portfolio_sync.core.ledger import LedgerRow, TradeRow

R = TypeVar("R", LedgerRow, TradeRow)
Raw = tuple[Any, ...]
"""The fields of the typed row without ``account``, as the database has them."""


@dataclass(frozen=True, slots=True)
class Stored(Generic[R]):
    """``chunks``: rows sorted by (time, id), to be read once; the id comes first, the time stands ``at``. ``make``: the typed row of one.

    ``number`` and ``instant``: what an amount and a time in a row mean; ``stamp``: an instant as it stands in a row. ``lines``: all
    that each of some rows says, the same whenever it is read from the same database.
    """

    account: str
    chunks: Iterator[list[Raw]]
    at: int
    make: Callable[[Raw], R]
    number: Callable[[Any], Decimal]
    instant: Callable[[Any], datetime]
    stamp: Callable[[datetime], Any]
    lines: Callable[[Sequence[Raw]], list[bytes]]

    @property
    def rows(self) -> Iterator[Raw]:
        return chain.from_iterable(self.chunks)

    def blocks(self) -> Iterator[list[Raw]]:
        """The rows chunk by chunk, but those of one instant are never parted."""
        block: list[Raw] = []
        for chunk in self.chunks:
            block += chunk
            last = bisect_left(block, block[-1][self.at], key=itemgetter(self.at))
            if last:
                yield block[:last]
                block = block[last:]
        if block:
            yield block
