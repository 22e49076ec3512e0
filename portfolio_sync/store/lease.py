"""Who runs an account: a lease with an expiry and a fencing number, by the database's clock alone.

A lease cannot stop a process that was frozen past its expiry; the fence can: every commit of a run checks it (:func:`guard`),
and a lease that somebody took over has a higher number. PostgreSQL locks the row; SQLite's writers stand in line anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, literal_column, or_, select

from portfolio_sync.errors import SurroundingsError
from portfolio_sync.store.engine import insert_into, is_sqlite
from portfolio_sync.store.schema import account, lease
from portfolio_sync.store.types import UtcDateTime


class LeaseLost(SurroundingsError):
    """Another process took the account over; what was committed is kept, and the other goes on from there."""


@dataclass(frozen=True, slots=True)
class Lease:
    account_id: int
    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else has the account until then, or until he releases it."""

    owner: str
    until: datetime


def acquire(
    connection: Connection, account_id: int, owner: str, ttl: timedelta, gone: Callable[[str], bool] = lambda _: False
) -> Lease | Held:
    """Take the account's lease if it is free or expired. ``owner`` names the process, and never two of them.

    ``gone(holder)`` says that the holder is known to be dead, so that nobody waits for a killed process.
    """
    connection.execute(insert_into(connection, lease).values(account_id=account_id, fence=0).on_conflict_do_nothing())
    row = connection.execute(select(lease).where(lease.c.account_id == account_id).with_for_update()).one()
    if row.owner is not None and row.until > now(connection) and not gone(row.owner):
        return Held(row.owner, row.until)
    return _take(connection, row, owner, ttl)


def claim_due(connection: Connection, owner: str, ttl: timedelta, limit: int) -> list[Lease]:
    """Take up to ``limit`` accounts whose next run is due, the longest overdue first. Others' claims are passed over."""
    instant = now(connection)
    due = and_(lease.c.next_run_at <= instant, or_(lease.c.owner.is_(None), lease.c.until <= instant))
    query = select(lease).where(due).order_by(lease.c.next_run_at, lease.c.account_id).limit(limit)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    return [_take(connection, row, owner, ttl) for row in rows]


def heartbeat(connection: Connection, held: Lease, ttl: timedelta) -> None:
    """Prolong the lease. Raises LeaseLost."""
    _update(connection, held, until=now(connection) + ttl)


def guard(connection: Connection, held: Lease) -> None:
    """Call in each transaction that writes for the account: raises LeaseLost, and the transaction must not commit.

    The row stays locked to the end of the transaction, so nobody can take over between this check and the commit.
    """
    query = select(lease.c.fence).where(_is(held)).with_for_update(read=True)
    if connection.scalar(query) is None:
        raise _lost(connection, held)


def release(connection: Connection, held: Lease, *, next_run_at: datetime | None, outcome: str) -> None:
    """Give the lease back and say when the account is due again (None: when somebody asks). Raises LeaseLost."""
    _update(
        connection,
        held,
        owner=None,
        until=None,
        next_run_at=next_run_at,
        last_run_at=now(connection),
        last_outcome=outcome,
    )


def give_back(connection: Connection, held: Lease) -> None:
    """Let go of a lease taken by hand: when the account is due stays as it was. A lease that was lost is not missed."""
    connection.execute(lease.update().where(_is(held)).values(owner=None, until=None))


def schedule(connection: Connection, account_id: int, next_run_at: datetime | None) -> None:
    """Set when the account is due, whoever holds it."""
    new = insert_into(connection, lease).values(account_id=account_id, fence=0, next_run_at=next_run_at)
    connection.execute(new.on_conflict_do_update(index_elements=["account_id"], set_={"next_run_at": next_run_at}))


def plan(connection: Connection, account_id: int, next_run_at: datetime) -> None:
    """Set when the account is due, where nobody has planned it yet."""
    new = insert_into(connection, lease).values(account_id=account_id, fence=0, next_run_at=next_run_at)
    unplanned = lease.c.next_run_at.is_(None)
    connection.execute(
        new.on_conflict_do_update(index_elements=["account_id"], set_={"next_run_at": next_run_at}, where=unplanned)
    )


def now(connection: Connection) -> datetime:
    """The database's clock, the one clock that all processes share (milliseconds on SQLite)."""
    clock = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')" if is_sqlite(connection) else "clock_timestamp()"
    instant: datetime = connection.execute(select(literal_column(clock, UtcDateTime))).scalar_one()
    return instant


def _take(connection: Connection, row: Any, owner: str, ttl: timedelta) -> Lease:
    taken = Lease(row.account_id, owner, row.fence + 1)
    connection.execute(
        lease.update()
        .where(lease.c.account_id == row.account_id)
        .values(owner=owner, until=now(connection) + ttl, fence=taken.fence)
    )
    return taken


def _is(held: Lease) -> ColumnElement[bool]:
    return and_(lease.c.account_id == held.account_id, lease.c.fence == held.fence, lease.c.owner == held.owner)


def _update(connection: Connection, held: Lease, **values: object) -> None:
    updated = connection.execute(lease.update().where(_is(held)).values(**values).returning(lease.c.account_id))
    if updated.one_or_none() is None:
        raise _lost(connection, held)


def _lost(connection: Connection, held: Lease) -> LeaseLost:
    name = connection.scalar(select(account.c.name).where(account.c.id == held.account_id))
    return LeaseLost(f"account {name}: another process took it over; what was committed is kept")
