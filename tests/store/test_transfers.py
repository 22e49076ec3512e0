"""Coins sent from one account that arrive at another: known by the hash of the status rows, from the database to the figures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from portfolio_sync.core.event import Kind
from portfolio_sync.store import accounts, runs
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import raw_ledger, raw_transfer
from portfolio_sync.store.transfers import marks
from portfolio_sync.store.upsert import upsert
from portfolio_sync.tasks.books import close, subject_of
from portfolio_sync.tax.profiles import GENERIC
from tests.store.rows import DAY, NOON, ledger_row

SENT = {"refid": "QSENT", "type": "withdrawal", "subtype": "", "amount": Decimal(-1), "time": NOON + DAY}
BACK = {"refid": "QBACK", "type": "deposit", "subtype": "", "amount": Decimal(1), "time": NOON + 2 * DAY}


def status(direction: str, refid: str, txid: str, amount: str = "1") -> dict[str, Any]:
    return {
        "direction": direction, "refid": refid, "asset": "XXBT", "amount": Decimal(amount), "symbol": "BTC", "fee": None,
        "time": NOON + DAY, "status": "Success", "status_prop": "", "method": "Bitcoin", "network": "Bitcoin", "txid": txid,
        "address": "", "extra": {},
    }  # fmt: skip


def write(connection: Connection, name: str, ledger: list[dict[str, Any]], transfers: list[dict[str, Any]]) -> int:
    account = accounts.get_or_create(connection, name, "me")
    seq = runs.begin(connection, account.id, "sync", NOON)
    for table, rows in ((raw_ledger, ledger), (raw_transfer, transfers)):
        upsert(connection, table, rows, seq=seq, seen_at=NOON, account_id=account.id)
    runs.end(connection, seq, {"ended_at": NOON})
    return seq


def two_accounts(connection: Connection, back: str) -> int:
    bought = [ledger_row("LB1", amount=Decimal(1)), ledger_row("LB2", asset="ZUSD", symbol="USD", amount=Decimal(-100))]
    write(connection, "main", [*bought, ledger_row("LSENT", **SENT)], [status("withdrawal", "QSENT", "hash1")])
    return write(connection, "second", [ledger_row("LBACK", **BACK)], [status("deposit", "QBACK", back)])


@pytest.mark.parametrize(("back", "cost"), [("hash1", Decimal(100)), ("hash2", None)])
def test_the_hash_brings_the_cost_back_and_nothing_else_does(database: Engine, back: str, cost: Decimal | None) -> None:
    with writing(database) as connection:
        two_accounts(connection, back)
    books = close(database, subject_of(database, None, []), GENERIC, None)
    arrived = [lot.cost for lot in books.computation.lots if lot.wallet == "second"]
    assert arrived == [cost]
    assert books.counts.ledger_rows == books.counts.event == 4


def test_a_likely_return_is_a_hint_on_the_worklist_and_a_finding(database: Engine) -> None:
    with writing(database) as connection:
        two_accounts(connection, "")
    books = close(database, subject_of(database, None, []), GENERIC, None)
    (task,) = books.computation.worklist
    assert task.note.startswith("fill in cost and acquired; may be withdrawal LSENT of ")
    assert [finding.source for finding in books.findings if finding.code == "possible_own_transfer"] == [("LBACK",)]
    assert [v.event.kind for v in books.valuation.events][-1] is Kind.DEPOSIT


def test_a_hash_that_came_later_leaves_a_frozen_input_as_it_was(database: Engine) -> None:
    with writing(database) as connection:
        seq = two_accounts(connection, "")
        write(connection, "second", [], [status("deposit", "QBACK", "hash1")])
    with reading(database) as connection:
        names = {account.id: account.name for account in accounts.every(connection)}
        assert ("second", "LBACK") not in marks(connection, names, upto_seq=seq)
        assert marks(connection, names, upto_seq=seq + 1)["second", "LBACK"] == ("hash1",)
    subject = subject_of(database, None, [])
    now = close(database, subject, GENERIC, None)
    assert {lot.cost for lot in now.computation.lots} == {Decimal(100)}
