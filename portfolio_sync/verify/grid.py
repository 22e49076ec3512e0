"""Balances that were rounded: a fee may show more decimals than the asset keeps (recorded: a EUR fee of 0.28716 beside
balances with four decimals). Then ``balance - amount + fee`` lies between two balances, and one of them was it.

Which way Kraken rounds is not documented. So each way is possible until a row of the account speaks against it; a row that
fits no remaining way is a break, and one row alone that speaks against the nearest is a changed row (``proof``): an
exchange that rounds otherwise does so at half of all rows. Only a fee can be too fine: an amount is never rounded here.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from portfolio_sync.core.amount import EXACT

NEAREST, DOWN, UP = 1, 2, 4
EVERY_WAY = NEAREST | DOWN | UP


def decimals_of(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # amounts are finite
    return -exponent


def finest(unit: Decimal, *numbers: Decimal) -> Decimal:
    """One in the last decimal of the finest of ``unit`` (itself such a one) and ``numbers``."""
    for number in numbers:
        if not unit.same_quantum(number):  # asked twice a row: most rows have the decimals of all others
            unit = Decimal((0, (1,), -max(decimals_of(unit), decimals_of(number))))
    return unit


@dataclass(slots=True)
class Rounding:
    """What an account's rows say about it. ``ways`` are still possible; ``odd``: the first row that was not rounded to the nearest."""

    ways: int = EVERY_WAY
    rows: int = 0
    odd_rows: int = 0
    odd: str = ""

    def note(self, row: str, ways: int) -> None:
        """``ways``: those in which this row can have been rounded."""
        self.ways &= ways
        self.rows += 1
        if not ways & NEAREST:
            self.odd_rows += 1
            self.odd = self.odd or row


def snap(
    start: Decimal, fee: Decimal, unit: Decimal, ways: int, known: Container[Decimal]
) -> tuple[Decimal, int] | None:
    """The balance among ``known`` that ``start`` stands for, and the ways in which it can have been rounded; None where it is none.

    ``unit``: one in the last decimal that balances keep; ``ways``: those still possible.
    """
    if decimals_of(fee) <= decimals_of(unit) or not EXACT.remainder(start, unit):
        return None
    for rounding in (ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEILING):
        candidate = start.quantize(unit, rounding, EXACT)
        off = EXACT.subtract(start, candidate)  # by so much the balance after was rounded up
        near = NEAREST if abs(off) * 2 <= unit else 0
        fits = near | (DOWN if off < 0 else UP)
        if fits & ways and candidate in known:
            return candidate, fits
    return None
