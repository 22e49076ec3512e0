"""One process at a time runs an account, and one that lost it can no longer commit."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from portfolio_sync.errors import DatabaseError
from portfolio_sync.store import accounts, lease, owner, schema
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Held, Lease, LeaseLost

MINUTE = timedelta(minutes=1)
EXPIRED = -MINUTE  # a lease that ended before it began: no test waits for a clock


def account(engine: Engine, name: str = "main") -> int:
    with writing(engine) as connection:
        return accounts.get_or_create(connection, name, "me").id


def acquire(engine: Engine, account_id: int, owner: str, ttl: timedelta = MINUTE) -> Lease | Held:
    with writing(engine) as connection:
        return lease.acquire(connection, account_id, owner, ttl)


def taken(engine: Engine, account_id: int, owner: str, ttl: timedelta = MINUTE) -> Lease:
    found = acquire(engine, account_id, owner, ttl)
    assert isinstance(found, Lease)
    return found


def test_a_held_account_says_by_whom_and_until_when(database: Engine) -> None:
    main = account(database)
    taken(database, main, "a")
    held = acquire(database, main, "b")
    assert isinstance(held, Held)
    assert held.owner == "a"
    with writing(database) as connection:
        assert timedelta(0) < held.until - lease.now(connection) <= MINUTE


def test_an_expired_lease_is_taken_over_and_its_owner_cannot_commit(database: Engine) -> None:
    main = account(database)
    frozen = taken(database, main, "a", EXPIRED)
    successor = taken(database, main, "b")
    assert successor.fence > frozen.fence
    with pytest.raises(LeaseLost, match="account main"), writing(database) as connection:
        lease.guard(connection, frozen)
    with pytest.raises(LeaseLost), writing(database) as connection:
        lease.heartbeat(connection, frozen)
    with pytest.raises(LeaseLost), writing(database) as connection:
        lease.release(connection, frozen, next_run_at=None, outcome="done")
    with writing(database) as connection:
        lease.guard(connection, successor)


def test_an_expired_lease_that_nobody_took_may_still_commit(database: Engine) -> None:
    mine = taken(database, account(database), "a", EXPIRED)
    with writing(database) as connection:
        lease.guard(connection, mine)


def test_a_released_account_is_free_and_due_when_it_said(database: Engine) -> None:
    main = account(database)
    mine = taken(database, main, "a")
    with writing(database) as connection:
        lease.release(connection, mine, next_run_at=lease.now(connection) + MINUTE, outcome="done")
        assert lease.claim_due(connection, "b", MINUTE, 10, among=[main]) == []
    taken(database, main, "b")


def test_a_claim_takes_the_longest_overdue_first_and_none_twice(database: Engine) -> None:
    ids = [account(database, name) for name in ("one", "two", "three")]
    with writing(database) as connection:
        now = lease.now(connection)
        for overdue, id_ in enumerate(ids):
            lease.schedule(connection, id_, now - overdue * MINUTE)
        first = lease.claim_due(connection, "a", MINUTE, 2, among=ids)
    with writing(database) as connection:
        second = lease.claim_due(connection, "b", MINUTE, 2, among=ids)
    assert [held.account_id for held in first] == [ids[2], ids[1]]
    assert [held.account_id for held in second] == [ids[0]]


def test_an_account_without_a_due_time_is_never_claimed(database: Engine) -> None:
    main = account(database)
    with writing(database) as connection:
        lease.schedule(connection, main, None)
        assert lease.claim_due(connection, "a", MINUTE, 10, among=[main]) == []


def test_many_claimers_at_once_share_the_accounts_without_overlap(database: Engine) -> None:
    with writing(database) as connection:
        now = lease.now(connection)
        ids = [accounts.get_or_create(connection, f"client{number}", "me").id for number in range(12)]
        for id_ in ids:
            lease.schedule(connection, id_, now - MINUTE)
    claimed: list[int] = []

    def claim(name: str) -> None:
        idle = set(ids)
        for _ in range(4):
            with writing(database) as connection:
                got = [held.account_id for held in lease.claim_due(connection, name, MINUTE, 2, among=idle)]
            idle -= set(got)
            claimed.extend(got)

    threads = [threading.Thread(target=claim, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 12


def held_now(engine: Engine, mine: Lease) -> bool:
    try:
        with writing(engine) as connection:
            lease.guard(connection, mine)
    except LeaseLost:
        return False
    return True


def test_a_claim_takes_over_from_the_dead_from_its_own_past_and_from_nobody_else(database: Engine) -> None:
    ids = {name: account(database, name) for name in ("dead", "me", "alive", "stranger")}
    for name, id_ in ids.items():
        taken(database, id_, name)
        with writing(database) as connection:
            lease.schedule(connection, id_, lease.now(connection) - MINUTE)
    own = [id_ for name, id_ in ids.items() if name != "stranger"]
    with writing(database) as connection:
        claimed = lease.claim_due(connection, "me", MINUTE, 10, among=own, gone=lambda holder: holder == "dead")
    assert {held.account_id for held in claimed} == {ids["dead"], ids["me"]}


def test_leases_are_prolonged_together_and_the_lost_ones_are_named(database: Engine) -> None:
    mine, lost, gone = (taken(database, account(database, name), "me", EXPIRED) for name in ("mine", "lost", "gone"))
    taken(database, lost.account_id, "other")
    with writing(database) as connection:
        lease.give_back(connection, gone)
    with writing(database) as connection:
        assert {one.account_id for one in lease.prolong(connection, [mine, lost, gone], MINUTE)} == {
            lost.account_id,
            gone.account_id,
        }
    assert isinstance(acquire(database, mine.account_id, "other"), Held)


def test_a_long_commit_keeps_no_other_lease_from_its_heartbeat(postgres_database: Engine) -> None:
    engine = postgres_database
    committing, waiting = (taken(engine, account(engine, name), "me", timedelta(seconds=20)) for name in ("one", "two"))
    with writing(engine) as long:
        lease.guard(long, committing)
        with writing(engine) as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
            assert lease.prolong(connection, [committing, waiting], MINUTE) == []
    held = acquire(engine, waiting.account_id, "other")
    assert isinstance(held, Held)
    with writing(engine) as connection:
        assert held.until - lease.now(connection) > timedelta(seconds=30)


def test_who_stands_still_inside_a_commit_does_not_keep_the_account(postgres_database: Engine) -> None:
    engine = postgres_database
    frozen = taken(engine, account(engine), "frozen", timedelta(seconds=0))  # the least that is allowed is a second
    with pytest.raises(DatabaseError, match="stood still"), writing(engine) as stuck:  # noqa: PT012 - it is the commit that fails
        lease.guard(stuck, frozen)
        taken(engine, frozen.account_id, "other")  # waits for the row until the server ends the transaction
        lease.guard(stuck, frozen)
    assert not held_now(engine, frozen)


def test_nobody_is_alone_with_an_account_that_somebody_syncs(database: Engine) -> None:
    main = account(database)
    with writing(database) as connection:
        assert lease.is_alone(connection, main)
    mine = taken(database, main, "me", EXPIRED)
    with writing(database) as connection:
        assert not lease.is_alone(connection, main)
        lease.give_back(connection, mine)
        assert lease.is_alone(connection, main)


def test_a_plan_is_made_once_and_brought_forward_by_a_shorter_schedule(database: Engine) -> None:
    main = account(database)

    def due(first: timedelta, latest: timedelta) -> timedelta:
        with writing(database) as connection:
            lease.plan(connection, main, start + first, start + latest)
            found = connection.scalar(select(schema.lease.c.next_run_at).where(schema.lease.c.account_id == main))
            assert isinstance(found, datetime)
            return found - start

    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert due(MINUTE, 60 * MINUTE) == MINUTE
    assert due(2 * MINUTE, 60 * MINUTE) == MINUTE
    assert due(timedelta(0), MINUTE / 2) == MINUTE / 2


def test_a_dead_process_is_known_by_those_who_live_beside_it_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    host, pid, rest = owner.own_name().split(":")
    assert not owner.is_gone(f"{host}:{pid}:{rest}")
    assert owner.is_gone(f"{host}:{process.pid}:{rest}")
    assert not owner.is_gone(f"{host}:{process.pid}:elsewhere-{rest}")
    assert not owner.is_gone(f"elsewhere:{process.pid}:{rest}")
    assert not owner.is_gone("a name of somebody's own")
