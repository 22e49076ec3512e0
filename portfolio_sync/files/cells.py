"""One cell of the transactions CSV: from what a person typed to a value, or to what is wrong with it and how to write it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from portfolio_sync.core.asset import FEE_CREDIT, FIAT, holding
from portfolio_sync.kraken.assets import COMMON, LEGACY, WALLETS, Assets

LONGEST_ID = 100
NUMBER = re.compile(r"\d{1,40}(\.\d{0,40})?|\.\d{1,40}", re.ASCII)
A_NUMBER = "write a plain decimal such as 1234.5: no sign, no exponent, no thousands separator"
A_TIME = "write ISO 8601 with an offset or Z, such as 2024-05-01T12:00:00Z"
LOTS = "write the lots as id:amount;id:amount, such as t1:0.5;t2:0.3"
CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
KRAKENS = (LEGACY.keys() | {"XBT", "XDG", "ETH2"}) - {FEE_CREDIT}
WELL_KNOWN = FIAT | {COMMON.get(name, name) for name in LEGACY.values()}


class Mistake(ValueError):
    """Of one cell: what is wrong and what to do."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def text(_column: str, cell: str) -> str:
    return cell


def one_id(column: str, cell: str) -> str:
    """Reports join ids by ``;``."""
    if ";" in cell or len(cell) > LONGEST_ID:
        raise Mistake(column, f"{cell[:40]!r} cannot be an id: at most {LONGEST_ID} characters, none of them ';'")
    return cell


def decimal(column: str, cell: str) -> Decimal:
    if not NUMBER.fullmatch(cell):
        raise Mistake(column, f"{cell!r} is not a number: {A_NUMBER}")
    return Decimal(cell)


def signed(column: str, cell: str) -> Decimal:
    """What may be a loss."""
    return decimal(column, cell[1:]).copy_negate() if cell.startswith("-") else decimal(column, cell)


def instant(column: str, cell: str) -> datetime:
    """To the microsecond; a time without an offset is no instant."""
    try:
        at = datetime.fromisoformat(cell)
        if at.tzinfo:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Mistake(column, f"{cell!r} is not a time: {A_TIME}") from None
    raise Mistake(column, f"{cell!r} has no offset, so it may be any of a day's hours: {A_TIME}")


def asset(column: str, cell: str) -> str:
    """Any symbol, but not two names for one coin: their units would lie in two pools."""
    name, _, wallet = cell.upper().partition(".")
    if name in KRAKENS or (name in WELL_KNOWN and wallet in WALLETS):
        raise Mistake(column, f"{cell!r} is Kraken's name: write {holding(Assets().symbol(cell.upper()))}")
    if cell != name and name in WELL_KNOWN:
        raise Mistake(column, f"{cell!r} would be another coin than {name}: write {name}")
    return cell


def lots(column: str, cell: str) -> tuple[tuple[str, Decimal], ...]:
    return tuple(lot(column, part.strip()) for part in cell.split(";") if part.strip())


def lot(column: str, part: str) -> tuple[str, Decimal]:
    name, _, amount = part.rpartition(":")
    is_list = "," in name and ":" in name  # t1:0.5,t2
    if is_list or not name.strip() or not NUMBER.fullmatch(amount.strip()) or not Decimal(amount.strip()):
        raise Mistake(column, f"{part!r} is not a lot: {LOTS}")
    return name.strip(), Decimal(amount.strip())


def whole(column: str, cell: str) -> int:
    if not re.fullmatch(r"\d{1,9}", cell, re.ASCII):
        raise Mistake(column, f"{cell!r} is not a whole number: number transactions of one time 1, 2, 3")
    return int(cell)


def currency(column: str, cell: str) -> str:
    if not CURRENCY.fullmatch(cell.upper()):
        raise Mistake(
            column,
            f"{cell!r} is not a currency: write its three letters, such as EUR; what was paid in coins is a trade",
        )
    return cell.upper()


READERS: dict[str, Callable[[str, str], Any]] = {
    **dict.fromkeys(
        ("amount", "value", "counter_amount", "counter_value", "fee", "fee_value", "cost", "portfolio_value"), decimal
    ),
    **dict.fromkeys(("time", "acquired"), instant),
    "id": one_id,
    **dict.fromkeys(("asset", "counter_asset", "fee_asset"), asset),
    "lots": lots,
    "currency": currency,
}
OF_A_POSITION = READERS | {"value": signed}
"""For a position on margin, which wins or loses; it moves no lots."""
