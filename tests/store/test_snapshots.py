"""Balances are kept when they change, and what is gone is kept as zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from portfolio_sync.store import accounts, schema, snapshots
from portfolio_sync.store.engine import writing
from tests.store.rows import DAY, NOON


def balance(asset: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"asset": asset, "symbol": asset, "amount": Decimal(amount), "hold": Decimal(0), "extra": {}} | more


def test_only_what_changed_is_stored_and_what_is_gone_becomes_zero(database: Engine) -> None:
    with writing(database) as connection:
        main = accounts.get_or_create(connection, "main", "me").id

        def store(day: int, *rows: dict[str, Any]) -> int:
            return snapshots.store_changes(connection, schema.raw_balance, main, NOON + day * DAY, day, rows)

        assert store(1, balance("XXBT", "1.5"), balance("ZEUR", "10.0000")) == 2
        assert store(2, balance("XXBT", "1.50"), balance("ZEUR", "9.0000")) == 1
        assert store(3, balance("ZEUR", "9.0000")) == 1
        assert store(4, balance("ZEUR", "9.0000")) == 0
        assert store(5, balance("ZEUR", "9.0000", hold=Decimal(1))) == 1
        latest = snapshots.latest(connection, schema.raw_balance, main)
        assert {asset: (row["amount"], row["seq"]) for asset, row in latest.items()} == {"XXBT": (0, 3), "ZEUR": (9, 5)}
        shown = connection.exec_driver_sql("SELECT asset, amount FROM balance ORDER BY asset").all()
        assert [(asset, float(amount)) for asset, amount in shown] == [("XXBT", 0.0), ("ZEUR", 9.0)]
        assert connection.exec_driver_sql("SELECT count(*) FROM balance_history").scalar_one() == 5


def test_what_is_read_twice_in_one_second_counts_as_read_the_second_time(database: Engine) -> None:
    """The exchange's time has whole seconds, and a row may be booked between two looks."""
    with writing(database) as connection:
        main = accounts.get_or_create(connection, "main", "me").id
        for seq, amount in enumerate(("1.0000", "2.0000", "3.0000"), start=1):
            snapshots.store_changes(connection, schema.raw_balance, main, NOON, seq, [balance("ZEUR", amount)])
        latest = snapshots.latest(connection, schema.raw_balance, main)
        assert (latest["ZEUR"]["amount"], latest["ZEUR"]["seq"]) == (3, 3)
        assert connection.exec_driver_sql("SELECT count(*) FROM balance_history").scalar_one() == 1


def test_converted_amounts_of_an_allocation_are_no_change(database: Engine) -> None:
    row = {"strategy_id": "S1", "asset": "DOT", "symbol": "DOT", "amount": Decimal(5), "rewarded": Decimal("0.1")}
    with writing(database) as connection:
        main = accounts.get_or_create(connection, "main", "me").id
        changes = [
            snapshots.store_changes(
                connection, schema.raw_earn, main, NOON + day * DAY, day, [row | {"extra": {"usd": day}}]
            )
            for day in (1, 2)
        ]
    assert changes == [1, 0]
