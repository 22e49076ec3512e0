"""A clock that was years ahead and came back leaves no account waiting for years."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select

from portfolio_sync.service.plan import keep_plans
from portfolio_sync.settings.model import Account, Sync
from portfolio_sync.store import accounts
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import lease

MINUTE = timedelta(minutes=1)
YEARS = timedelta(days=1500)


@pytest.fixture
def account(database: Engine) -> int:
    with writing(database) as connection:
        return accounts.get_or_create(connection, "main", "me").id


def plan(database: Engine, account: int, due: timedelta, until: timedelta | None = None) -> None:
    """As written by a process whose clock was ahead."""
    with writing(database) as connection:
        now = leases.now(connection)
        leases.schedule(connection, account, now + due)
        owner = {} if until is None else {"owner": "elsewhere:1:x", "until": now + until}
        if owner:
            connection.execute(lease.update().values(**owner))


def look(database: Engine, schedule: str) -> list[str]:
    said: list[str] = []
    with reading(database) as connection:
        (one,) = accounts.every(connection)
    settings = Account(name="main", sync=Sync(schedule=schedule, jitter=timedelta(seconds=30)))
    keep_plans(database, {one.id: settings}, MINUTE, Random(1), said.append)
    return said


def times(database: Engine) -> tuple[datetime, datetime | None, datetime]:
    with reading(database) as connection:
        row = connection.execute(select(lease.c.next_run_at, lease.c.until)).one()
        return row.next_run_at, row.until, leases.now(connection)


@pytest.mark.parametrize(("schedule", "longest"), [("every 15m", 16 * MINUTE), ("0 * * * *", 61 * MINUTE)])
def test_a_plan_far_ahead_is_made_anew(database: Engine, account: int, schedule: str, longest: timedelta) -> None:
    plan(database, account, YEARS)
    assert "planned anew" in look(database, schedule)[0]
    due, _, now = times(database)
    assert due <= now + longest
    assert look(database, schedule) == []


def test_a_dead_holder_of_another_computer_is_not_waited_for_for_years(database: Engine, account: int) -> None:
    plan(database, account, MINUTE, YEARS)
    look(database, "every 15m")
    _, until, now = times(database)
    assert until is not None
    assert until <= now + timedelta(hours=1)


def test_a_plan_that_the_schedule_made_stays(database: Engine, account: int) -> None:
    plan(database, account, 15 * MINUTE + timedelta(seconds=29), 55 * MINUTE)
    before = times(database)[:2]
    assert look(database, "every 15m") == []
    assert times(database)[:2] == before
