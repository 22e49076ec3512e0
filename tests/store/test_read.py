"""What is read is what was written: in order, exact, and as it stood when a frozen input was taken."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.store import accounts, prices, read, runs, schema
from portfolio_sync.store.engine import writing
from portfolio_sync.store.upsert import upsert
from tests.store.rows import DAY, NOON, ledger_row


@pytest.fixture
def connection(database: Engine) -> Any:
    with writing(database) as connection:
        accounts.get_or_create(connection, "main", "me")
        yield connection


def account(connection: Connection) -> int:
    return accounts.get_or_create(connection, "main", "me").id


def put(connection: Connection, seq: int, *rows: dict[str, Any]) -> None:
    upsert(connection, schema.raw_ledger, rows, seq=seq, seen_at=NOON, account_id=account(connection))


def ids(connection: Connection, upto_seq: int | None = None) -> list[str]:
    return [row.id for row in read.ledger_rows(connection, account(connection), upto_seq=upto_seq)]


def test_a_ledger_row_comes_back_typed(connection: Connection) -> None:
    put(connection, 1, ledger_row("L1"))
    assert list(read.ledger_rows(connection, account(connection))) == [
        LedgerRow(
            "main", "L1", "TX", NOON, "trade", "tradespot", "currency", "XXBT", "BTC", "spot",
            Decimal("1.5"), Decimal(0), Decimal("1.5"), "api",
        )
    ]  # fmt: skip


def test_a_trade_comes_back_typed(connection: Connection) -> None:
    trade = TradeRow(
        "main", "T1", "O1", "", NOON, "XXBTZEUR", "BTC", "EUR", "buy", "limit",
        Decimal("60000.1"), Decimal("6000.01"), Decimal("9.6"), Decimal("0.1"), Decimal(0), "initiated", ("L1", "L2"),
    )  # fmt: skip
    row = {name: value for name, value in asdict(trade).items() if name != "account"} | {"ledgers": ["L1", "L2"]}
    upsert(connection, schema.raw_trade, [row], seq=1, seen_at=NOON, account_id=account(connection))
    assert list(read.trade_rows(connection, account(connection))) == [trade]


def test_rows_come_by_time_then_by_id_as_code_points(connection: Connection) -> None:
    put(connection, 1, *(ledger_row(id_) for id_ in ("Lb", "LB", "L_", "L-1", "La")), ledger_row("Lz", time=NOON - DAY))
    assert ids(connection) == ["Lz", "L-1", "LB", "L_", "La", "Lb"]


def test_a_frozen_input_leaves_later_rows_out(connection: Connection) -> None:
    put(connection, 1, ledger_row("L1"))
    put(connection, 2, ledger_row("L2"))
    assert ids(connection, upto_seq=1) == ["L1"]
    assert ids(connection, upto_seq=2) == ["L1", "L2"]


def test_a_frozen_input_has_changed_rows_as_they_were(connection: Connection) -> None:
    put(connection, 1, ledger_row("L1"), ledger_row("L2"), ledger_row("L3"))
    frozen = list(read.ledger_rows(connection, account(connection)))
    put(connection, 2, ledger_row("L1", fee=Decimal("0.1"), time=NOON + timedelta(hours=1), refid="other"))
    put(connection, 3, ledger_row("L1", fee=Decimal("0.2"), time=NOON + timedelta(hours=1), refid="other"))
    assert list(read.ledger_rows(connection, account(connection), upto_seq=1)) == frozen
    (second,) = [row for row in read.ledger_rows(connection, account(connection), upto_seq=2) if row.id == "L1"]
    assert (second.fee, second.refid) == (Decimal("0.1"), "other")
    assert ids(connection) == ["L2", "L3", "L1"]


def test_a_frozen_input_up_to_an_instant_looks_at_the_times_of_then(connection: Connection) -> None:
    late, early = NOON + timedelta(hours=2), NOON - timedelta(hours=2)
    put(connection, 1, ledger_row("L1", time=late), ledger_row("L2", time=early), ledger_row("L3", time=early))
    put(connection, 2, ledger_row("L1", time=early), ledger_row("L2", time=late))
    before = read.stored(connection, read.LEDGER, account(connection), upto_seq=1, before=NOON)
    assert [before.make(row).id for row in before.rows] == ["L2", "L3"]
    assert ids(connection, upto_seq=2) == ["L1", "L3", "L2"]


def test_an_input_is_settled_up_to_the_first_run_that_still_goes(connection: Connection) -> None:
    main, other = account(connection), accounts.get_or_create(connection, "other", "me").id
    first = runs.begin(connection, main, "sync", NOON)
    runs.end(connection, first, {"ended_at": NOON, "outcome": "ok"})
    second = runs.begin(connection, main, "sync", NOON)
    elsewhere = runs.begin(connection, other, "import", NOON)
    assert first < second < elsewhere
    assert runs.settled(connection, [main]) == first
    assert runs.settled(connection, [other]) == 0
    runs.end(connection, elsewhere, {"ended_at": NOON, "outcome": "ok"})
    assert runs.settled(connection, [other]) == elsewhere
    third = runs.begin(connection, main, "sync", NOON)  # the second was killed
    assert runs.settled(connection, [main]) == second
    assert runs.settled(connection, [main, other]) == elsewhere
    runs.end(connection, third, {"ended_at": NOON, "outcome": "ok"})
    assert runs.settled(connection, [main, other]) == third


def test_a_corrected_price_is_a_later_row(connection: Connection) -> None:
    price = {"symbol": "BTC", "currency": "EUR", "time": NOON, "source": "csv", "rate": Decimal("60000.10")}
    assert prices.add(connection, [price], NOON) == 1
    assert prices.add(connection, [price], NOON + DAY) == 0
    assert prices.add(connection, [price | {"rate": Decimal("60000.20")}], NOON + 2 * DAY) == 1
    assert [row.rate for row in prices.rates(connection)] == [Decimal("60000.20")]
    assert [row.rate for row in prices.rates(connection, ["BTC"], upto=NOON + DAY)] == [Decimal("60000.10")]
    assert list(prices.rates(connection, ["ETH"])) == []
