"""Whole ledgers files exist whose fees are negated. The balances tell: ``balance = previous + amount - fee``.

It is decided once a file, never by the row: the row that takes a withdrawal back has a negative fee by right.
Source: support article S-360001169383, kraken-api notes 5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import chain, islice
from operator import itemgetter
from typing import Any, TypeVar

from portfolio_sync.core.amount import EXACT, ZERO

Row = dict[str, Any]
T = TypeVar("T")

SAMPLE = 5_000
"""Rows that are held until the sign is known; the first of them with fees decide."""
CLEAR = 4
"""A balance may be rounded; it speaks for a sign where it is off by less than a quarter of the fee."""


def with_true_fees(rows: Iterable[T], note: Callable[[str], None]) -> Iterator[T]:
    """The rows of one ledgers file in their order, fees turned where the file has them negated; ``note`` is told so.

    What is not a row passes by.
    """
    stream = iter(rows)
    while sample := list(islice(stream, SAMPLE)):
        ledger: list[Row] = [row for row in sample if isinstance(row, dict)]
        if any(row["fee"] for row in ledger):
            break
        yield from sample
    else:
        return
    negated, evidence = _votes(ledger)
    rest = chain(sample, stream)
    if negated > evidence - negated:
        note(f"all fees have the wrong sign, as {negated:,} of {evidence:,} balances show; they were turned")
        yield from map(_turned, rest)
        return
    if not evidence and all(row["fee"] <= 0 for row in ledger):
        note("fees are negative, and no balance in the file shows whether that is right; they were left so")
    yield from rest


def _turned(row: T) -> T:
    if isinstance(row, dict) and row["fee"]:
        row["fee"] = row["fee"].copy_negate()
    return row


def _votes(rows: list[Row]) -> tuple[int, int]:
    """How many balances say that fees are negated, and how many say anything."""
    newest_first = rows[0]["time"] > rows[-1]["time"]  # then rows of one instant stand the other way round, too
    balances: dict[tuple[str, str], Decimal] = {}
    negated = evidence = 0
    for row in sorted(reversed(rows) if newest_first else rows, key=itemgetter("time")):
        wallet = row["asset"], row["wallet"]
        fee, before = row["fee"], balances.get(wallet, ZERO)  # a complete history begins at zero
        balances[wallet] = row["balance"]
        if fee:
            off = EXACT.subtract(row["balance"], EXACT.add(before, row["amount"]))
            as_negated = abs(EXACT.subtract(off, fee)) * CLEAR < abs(fee)
            as_written = abs(EXACT.add(off, fee)) * CLEAR < abs(fee)
            negated += as_negated
            evidence += as_negated or as_written
    return negated, evidence
