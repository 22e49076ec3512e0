"""Balances that were rounded: a fee may show more decimals than the asset keeps (recorded: a EUR fee of 0.28716 beside
balances with four decimals). Then ``balance - amount + fee`` lies between two balances, and one of them was it.

Which way Kraken rounds is not documented. So each way is possible until a row speaks against it; a row that fits no
remaining way is a break. Only a fee can be too fine: an amount is never rounded here.
"""

from __future__ import annotations

from collections.abc import Container
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from portfolio_sync.core.amount import EXACT

NEAREST, DOWN, UP = 1, 2, 4
EVERY_WAY = NEAREST | DOWN | UP


def decimals_of(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # amounts are finite
    return -exponent


class Snapped(NamedTuple):
    start: Decimal
    ways: int


def snap(start: Decimal, fee: Decimal, decimals: int, ways: int, known: Container[Decimal]) -> Snapped | None:
    """The balance among ``known`` that ``start`` stands for, and the ways of rounding still possible; None where it is none."""
    if decimals_of(fee) <= decimals or decimals_of(start.normalize(EXACT)) <= decimals:
        return None
    unit = Decimal((0, (1,), -decimals))
    for rounding in (ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEILING):
        candidate = start.quantize(unit, rounding, EXACT)
        off = EXACT.subtract(start, candidate)  # by so much the balance after was rounded up
        near = NEAREST if abs(off) * 2 <= unit else 0
        left = ways & (near | (DOWN if off < 0 else UP))
        if left and candidate in known:
            return Snapped(candidate, left)
    return None
