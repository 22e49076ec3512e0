"""The events shown: derived in stretches and from where rows came since, they are those of the whole history read at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select

from portfolio_sync.kraken.assets import Assets
from portfolio_sync.sandbox.account import Entry
from portfolio_sync.sandbox.generate import EarnCodes, generate
from portfolio_sync.sandbox.history import sent
from portfolio_sync.store import accounts, lease, runs
from portfolio_sync.store.derived import EVENTS
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import event_row, raw_ledger, raw_transfer
from portfolio_sync.store.upsert import upsert
from portfolio_sync.store.write import replace_events
from portfolio_sync.sync.streams import LEDGERS
from portfolio_sync.tasks import events
from portfolio_sync.tax.profiles import GENERIC
from tests.store.rows import ledger_row
from tests.store.test_transfers import BACK, SENT, status

NOW = datetime(2026, 6, 1, tzinfo=UTC)
Shown = dict[str, dict[str, Any]]


class Account:
    """One account that rows are written to."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = engine
        self.since: list[datetime | None] = []
        monkeypatch.setattr(events, "STRETCH", 30)
        monkeypatch.setattr(events, "replace_events", self._replace)
        with writing(engine) as connection:
            self.stored = accounts.get_or_create(connection, "main", "me")
            held = lease.acquire(connection, self.stored.id, "here", timedelta(minutes=10))
        assert isinstance(held, lease.Lease)
        self.held = held

    def _replace(
        self, connection: Any, account: str, rows: Any, since: datetime | None = None, before: Any = None
    ) -> int:
        self.since.append(since)
        return replace_events(connection, account, rows, since, before)

    def write(self, ledger: Sequence[Entry], transfers: Sequence[dict[str, Any]] = ()) -> None:
        with writing(self.engine) as connection:
            seq = runs.begin(connection, self.stored.id, "sync", NOW)
            rows = [LEDGERS.record(row.id, sent(row), Assets()).columns for row in ledger]
            for table, given in ((raw_ledger, rows), (raw_transfer, transfers)):
                upsert(connection, table, given, seq=seq, seen_at=NOW, account_id=self.stored.id)
            runs.end(connection, seq, {"ended_at": NOW, "outcome": "ok"})

    def derive(self) -> Shown:
        self.since.clear()
        events.refresh_events(self.engine, self.stored, self.held, GENERIC)
        return self.shown()

    def at_once(self) -> Shown:
        events._at_once(self.engine, self.stored, self.held, GENERIC)
        return self.shown()

    def shown(self) -> Shown:
        with reading(self.engine) as connection:
            found = connection.execute(select(event_row)).mappings().all()
        return {row["id"]: {**row, "ledger_ids": sorted(row["ledger_ids"].split(";"))} for row in found}


@pytest.fixture
def account(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(database, monkeypatch)


@pytest.mark.parametrize("codes", list(EarnCodes))
def test_in_stretches_is_as_at_once(account: Account, codes: EarnCodes) -> None:
    account.write(generate(3, 400, earn_codes=codes).ledgers)
    found = account.derive()
    assert len(account.since) > 5
    assert found == account.at_once()


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_come_later_cost_only_what_came_after_them(account: Account, seed: int) -> None:
    rows, chance = generate(seed, 450).ledgers, Random(seed)
    late = set(chance.sample(range(300, 450), 15))
    account.write([row for place, row in enumerate(rows[:400]) if place not in late])
    account.derive()
    steps = [[rows[place] for place in sorted(late) if place < 400], rows[400:401], rows[401:]]
    begun: list[datetime | None] = []
    for step in steps:
        account.write(step)
        found = account.derive()
        begun.append(account.since[0])
        assert found == account.at_once()
    assert sum(each is not None for each in begun) >= 2


def test_a_hash_that_becomes_known_late_changes_an_old_event(account: Account) -> None:
    """A deposit turns out to be a withdrawal of years ago: what is older than the new rows is another, so all is derived anew."""
    account.write(generate(3, 200).ledgers)
    with writing(account.engine) as connection:
        seq = runs.begin(connection, account.stored.id, "sync", NOW)
        rows = [ledger_row("LSENT", **SENT), ledger_row("LBACK", **BACK)]
        upsert(connection, raw_ledger, rows, seq=seq, seen_at=NOW, account_id=account.stored.id)
        runs.end(connection, seq, {"ended_at": NOW, "outcome": "ok"})
    before = account.derive()
    marked = [
        status(direction, refid, "hash") | {"time": NOW}
        for direction, refid in (("withdrawal", "QSENT"), ("deposit", "QBACK"))
    ]
    account.write([], marked)
    after = account.derive()
    assert account.since[0] is None
    assert after == account.at_once() != before
    assert [row["kind"] for row in after.values() if row["ledger_ids"] == ["LBACK"]] == ["transfer"]


def test_nothing_written_since_is_nothing_due(account: Account) -> None:
    account.write(generate(1, 60).ledgers)
    assert due(account)
    account.derive()
    assert not due(account)
    account.write(generate(1, 60).ledgers)  # the same rows again
    assert not due(account)


def due(account: Account) -> bool:
    with reading(account.engine) as connection:
        return EVENTS.is_touched(connection, account.stored.id)
