"""Rows to write in the tests of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

NOON = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)


def ledger_row(id_: str, **columns: Any) -> dict[str, Any]:
    """A ledger row of the API, as a sync gives it; any column can be said otherwise."""
    return {
        "id": id_,
        "refid": "TX",
        "time": NOON,
        "time_text": "1714564800.123456",
        "type": "trade",
        "subtype": "tradespot",
        "aclass": "currency",
        "asset": "XXBT",
        "symbol": "BTC",
        "wallet": "spot",
        "amount": Decimal("1.5000000000"),
        "fee": Decimal("0.0000000000"),
        "balance": Decimal("1.5000000000"),
        "source": "api",
        "extra": {},
    } | columns


def file_row(id_: str, **columns: Any) -> dict[str, Any]:
    """The same row as an exchange file has it: whole seconds, the file's own names, a wallet, columns of its own."""
    return (
        ledger_row(id_)
        | {
            "time": NOON.replace(microsecond=0),
            "time_text": "2024-05-01 12:00:00",
            "asset": "BTC",
            "wallet": "spot / main",
            "subtype": "",
            "source": "file",
            "extra": {"amountusd": "90000"},
        }
        | columns
    )
