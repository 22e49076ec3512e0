"""The proof on stored rows: an intact history is proven, and any row that is taken out or changed turns it red."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from portfolio_sync.core.amount import plain
from portfolio_sync.sandbox.account import Entry
from portfolio_sync.sandbox.faults import Fault
from portfolio_sync.store import accounts
from portfolio_sync.store.engine import open_engine, reading, writing
from portfolio_sync.sync.reading import Request
from portfolio_sync.tasks.verify import Verified, verify_account
from tests.wire.conftest import Set, Stage
from tests.wire.test_sync import deposit, life, quick


def verified(on: Stage) -> Verified:
    engine = open_engine(on.database_url)
    with reading(engine) as connection:
        account = accounts.get(connection, "main")
    assert account is not None
    try:
        return verify_account(engine, account)
    finally:
        engine.dispose()


def tamper(on: Stage, statement: str, **values: object) -> None:
    engine = open_engine(on.database_url)
    with writing(engine) as connection:
        assert connection.execute(text(statement), values).rowcount == 1
    engine.dispose()


def test_an_intact_history_is_proven_and_stays_so(stage: Set) -> None:
    on = quick(stage)
    assert on.sync().proof == "proven"
    assert verified(on).state == "proven"
    on.clock.time += timedelta(minutes=15)
    assert on.sync().proof == "proven"


def test_any_row_taken_out_breaks_the_proof_and_is_put_back_by_a_full_sync(stage: Set) -> None:
    on = quick(stage)
    on.sync()
    moving = [row for row in on.exchange.account.ledgers if Decimal(row.fields["amount"]) != Decimal(row.fields["fee"])]
    for row in random.Random(4).sample(moving, 3):
        tamper(on, "DELETE FROM raw_ledger WHERE id = :id", id=row.id)
        broken = verified(on)
        assert broken.state == "broken", row
        assert broken.findings
        assert on.sync(Request(full=True)).proof == "proven"
    assert on.sync().proof == "proven"


@pytest.mark.parametrize("column", ["amount", "fee", "balance"])
def test_any_figure_changed_breaks_the_proof(stage: Set, column: str) -> None:
    on = quick(stage)
    on.sync()
    row = on.exchange.account.ledgers[123]
    changed = plain(Decimal(row.fields[column]) + 1)
    number = ":number" if on.database_url.startswith("sqlite") else "CAST(:number AS NUMERIC)"
    tamper(on, f"UPDATE raw_ledger SET {column} = {number} WHERE id = :id", number=changed, id=row.id)
    assert verified(on).state == "broken"


def test_a_row_booked_between_ledger_and_balances_is_no_false_alarm(stage: Set) -> None:
    on = quick(stage)
    on.sync()
    on.clock.time += timedelta(minutes=15)

    def book() -> None:
        balance = Decimal(on.exchange.account.balances["ZEUR"]) + 1
        on.clock.time += timedelta(seconds=1)
        made = deposit(1, on.clock.unix())
        on.exchange.book(Entry(made.id, made.at, made.fields | {"balance": plain(balance)}))
        on.clock.time += timedelta(seconds=1)

    on.exchange.faults.append(Fault(method="BalanceEx", act=book))
    assert on.sync().proof == "proven"


def test_a_window_of_the_key_is_proven_inside_itself(stage: Set) -> None:
    account = life()
    on = quick(stage, account, key_facts={"query_from": int(account.ledgers[200].at)})
    assert on.sync().proof == "windowed"
