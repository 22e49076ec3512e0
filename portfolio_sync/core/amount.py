"""Exact numbers and the unit they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

# Wide enough that sums of a million 28-digit figures are exact; entered by each engine inside its own call,
# because decimal contexts belong to a thread and a scheduler's threads start with 28 digits.
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Amount:
    """A signed number of units of one asset (our symbol: ``BTC``, ``EUR``)."""

    number: Decimal
    asset: str

    def __add__(self, other: Amount) -> Amount:
        if other.asset != self.asset:
            raise ValueError(f"cannot add {other.asset} to {self.asset}")
        return Amount(EXACT.add(self.number, other.number), self.asset)

    def __neg__(self) -> Amount:
        return Amount(self.number.copy_negate() if self.number else self.number, self.asset)

    def __str__(self) -> str:
        return f"{shortest(self.number)} {self.asset}"


def parse_decimal(text: str) -> Decimal:
    """The exact finite number in ``text``. Raises ValueError for anything else (NaN and infinities included)."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"not a decimal number: {text!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {text!r}")
    return number


def plain(number: Decimal) -> str:
    """Plain notation, every digit kept (``1.5000``), never an exponent, never a negative zero."""
    return format(number or abs(number), "f")


def shortest(number: Decimal) -> str:
    """Plain notation without trailing zeros (``1.5``), the form of all report files."""
    if not number:
        return "0"
    text = str(number)  # four times faster than formatting; the rare exponent is written out
    if "E" in text:
        text = plain(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def shortest_of(numbers: Sequence[Decimal]) -> list[str]:
    """``shortest`` of each, at a third of its time."""
    found = [
        shortest(number) if "E" in text else text.rstrip("0").rstrip(".") if "." in text else text
        for number, text in zip(numbers, map(str, numbers), strict=True)
    ]
    return list(map(shortest, numbers)) if "-0" in found else found  # of zeros that had a sign


def plus(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    """In the caller's context; what is not known stays so, as with ``minus``."""
    return None if a is None or b is None else a + b


def minus(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    return None if a is None or b is None else a - b
