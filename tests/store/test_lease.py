"""One process at a time runs an account, and one that lost it can no longer commit."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from portfolio_sync.store import accounts, lease
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
        lease.heartbeat(connection, frozen, MINUTE)
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
        assert lease.claim_due(connection, "b", MINUTE, 10) == []
    taken(database, main, "b")


def test_a_claim_takes_the_longest_overdue_first_and_none_twice(database: Engine) -> None:
    ids = [account(database, name) for name in ("one", "two", "three")]
    with writing(database) as connection:
        now = lease.now(connection)
        for overdue, id_ in enumerate(ids):
            lease.schedule(connection, id_, now - overdue * MINUTE)
        first = lease.claim_due(connection, "a", MINUTE, 2)
    with writing(database) as connection:
        second = lease.claim_due(connection, "b", MINUTE, 2)
    assert [held.account_id for held in first] == [ids[2], ids[1]]
    assert [held.account_id for held in second] == [ids[0]]


def test_an_account_without_a_due_time_is_never_claimed(database: Engine) -> None:
    main = account(database)
    with writing(database) as connection:
        lease.schedule(connection, main, None)
        assert lease.claim_due(connection, "a", MINUTE, 10) == []


def test_many_claimers_at_once_share_the_accounts_without_overlap(database: Engine) -> None:
    with writing(database) as connection:
        now = lease.now(connection)
        for number in range(12):
            id_ = accounts.get_or_create(connection, f"client{number}", "me").id
            lease.schedule(connection, id_, now - MINUTE)
    claimed: list[int] = []

    def claim(owner: str) -> None:
        for _ in range(4):
            with writing(database) as connection:
                claimed.extend(held.account_id for held in lease.claim_due(connection, owner, MINUTE, 2))

    threads = [threading.Thread(target=claim, args=(owner,)) for owner in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 12
