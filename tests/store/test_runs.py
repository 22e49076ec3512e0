"""The log of runs: what is forgotten, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from portfolio_sync.store import accounts, runs
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import report_row, sync_run

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def account(database: Engine) -> int:
    with writing(database) as connection:
        return accounts.get_or_create(connection, "main", "me").id


def ended(database: Engine, account: int, days_ago: int, **facts: object) -> int:
    """A run that ended so long ago and brought nothing, unless ``facts`` say otherwise; returns its number."""
    at = NOW - days_ago * DAY
    idle = {"ended_at": at, "outcome": "ok", "error": None, "calls": 7, "rows_new": 0, "rows_changed": 0}
    with writing(database) as connection:
        seq = runs.begin(connection, account, str(facts.pop("kind", "sync")), at)
        if facts.get("outcome") != runs.ABANDONED:
            runs.end(connection, seq, idle | facts)
    return seq


def left(database: Engine) -> list[int]:
    with reading(database) as connection:
        return list(connection.scalars(select(sync_run.c.seq).order_by(sync_run.c.seq)))


def pruned(database: Engine, account: int, days: int) -> int:
    with writing(database) as connection:
        return runs.prune(connection, account, NOW - days * DAY)


def test_old_runs_that_brought_nothing_are_forgotten_and_the_young_ones_kept(database: Engine, account: int) -> None:
    for days_ago in (400, 91):
        ended(database, account, days_ago)
    ended(database, account, 100, outcome="error", error="the exchange was away")
    kept = [ended(database, account, days_ago) for days_ago in (90, 1)]
    assert pruned(database, account, 90) == 3
    assert left(database) == kept


def test_what_rows_changes_files_and_reports_name_is_kept_for_ever(database: Engine, account: int) -> None:
    kept = [
        ended(database, account, 500, rows_new=1),
        ended(database, account, 500, rows_changed=1),
        ended(database, account, 500, kind="import"),
        ended(database, account, 500, outcome=runs.ABANDONED),  # killed: nobody counted what it wrote
        reported := ended(database, account, 500),
    ]
    facts = {"taxpayer": "me", "profile": "us", "method": "fifo", "year": "2024", "input_digest": "x", "manifest": {}}
    with writing(database) as connection:
        connection.execute(insert(report_row).values(input_seq=reported, created_at=NOW, **facts))
    ended(database, account, 400)
    newest = ended(database, account, 1)
    assert pruned(database, account, 90) == 1
    assert left(database) == [*kept, newest]


def test_the_newest_run_stays_however_old_so_that_a_frozen_input_stays_where_it_was(
    database: Engine, account: int
) -> None:
    for days_ago in (500, 400):
        newest = ended(database, account, days_ago)
    with reading(database) as connection:
        before = runs.settled(connection, [account])
    assert pruned(database, account, 0) == 1
    assert left(database) == [newest]
    with reading(database) as connection:
        assert runs.settled(connection, [account]) == before == newest
    assert ended(database, account, 0) > newest  # no number is ever given twice


def test_another_accounts_log_is_not_touched(database: Engine, account: int) -> None:
    with writing(database) as connection:
        other = accounts.get_or_create(connection, "other", "me").id
    theirs = [ended(database, other, 400), ended(database, other, 300)]
    ended(database, account, 400)
    newest = ended(database, account, 1)
    assert pruned(database, account, 90) == 1
    assert left(database) == [*theirs, newest]
