"""Who runs an account: a lease with an expiry and a fencing number, by the database's clock alone.

A lease cannot stop a process that was frozen past its expiry; the fence can: every commit of a run checks it (:func:`guard`),
and a lease that somebody took over has a higher number. PostgreSQL locks the row; SQLite's writers stand in line anyway.
Nor may a process that is frozen inside a transaction keep the row locked: after a lease's length PostgreSQL ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, or_, select, text

from portfolio_sync.errors import SurroundingsError
from portfolio_sync.store.engine import insert_into, is_sqlite
from portfolio_sync.store.schema import account, lease
from portfolio_sync.store.types import UtcDateTime

BRIEFLY = timedelta(minutes=1)
# In words, because every call and every commit asks it: a statement built anew each time costs five times as much.
_MINE = "FROM lease WHERE account_id = :account AND fence = :fence AND owner = :owner"
GUARD = {
    True: text(f"SELECT fence, :patience {_MINE}"),
    False: text(f"SELECT set_config('idle_in_transaction_session_timeout', :patience, true) {_MINE} FOR SHARE"),
}


class LeaseLost(SurroundingsError):
    """Another process took the account over; what was committed is kept, and the other goes on from there."""


@dataclass(frozen=True, slots=True)
class Lease:
    """``ttl``: how long it holds without a heartbeat."""

    account_id: int
    owner: str
    fence: int
    ttl: timedelta


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
    _begin(connection, ttl)
    connection.execute(insert_into(connection, lease).values(account_id=account_id, fence=0).on_conflict_do_nothing())
    row = connection.execute(select(lease).where(lease.c.account_id == account_id).with_for_update()).one()
    if row.owner is not None and row.until > now(connection) and not gone(row.owner):
        return Held(row.owner, row.until)
    return _take(connection, row, owner, ttl)


def claim_due(
    connection: Connection,
    owner: str,
    ttl: timedelta,
    limit: int,
    *,
    among: Collection[int],
    gone: Callable[[str], bool] = lambda _: False,
) -> list[Lease]:
    """Take up to ``limit`` of the accounts ``among`` that are due, the longest overdue first. Others' claims are passed over.

    ``among`` are none that ``owner`` is at work on: a lease of theirs in its name is one that it could not give back.
    """
    instant = _begin(connection, ttl)
    holders = select(lease.c.owner).where(lease.c.until > instant, lease.c.owner != owner).distinct()
    dead = [holder for holder in connection.scalars(holders) if gone(holder)]
    free = or_(lease.c.owner.is_(None), lease.c.until <= instant, lease.c.owner.in_([owner, *dead]))
    due = and_(lease.c.next_run_at <= instant, lease.c.account_id.in_(among), free)
    query = select(lease).where(due).order_by(lease.c.next_run_at, lease.c.account_id).limit(limit)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    return [_take(connection, row, owner, ttl) for row in rows]


def heartbeat(connection: Connection, held: Lease) -> None:
    """Prolong the lease. Raises LeaseLost."""
    _update(connection, held, until=_begin(connection, held.ttl) + held.ttl)


def prolong(connection: Connection, held: Collection[Lease], ttl: timedelta) -> list[Lease]:
    """Prolong many leases of one owner at once, waiting for nobody; returns those that were lost.

    A row that is locked is passed over: its run is just committing under it, so nobody can take it meanwhile.
    """
    until, own = _begin(connection, ttl) + ttl, {one.account_id: one for one in held}
    query = select(lease).where(lease.c.account_id.in_(own))
    free = connection.execute(query.with_for_update(skip_locked=True)).all()
    kept = [row.account_id for row in free if _same(row, own[row.account_id])]
    connection.execute(lease.update().where(lease.c.account_id.in_(kept)).values(until=until))
    return [own[row.account_id] for row in connection.execute(query) if not _same(row, own[row.account_id])]


def guard(connection: Connection, held: Lease) -> None:
    """Call in each transaction that writes for the account: raises LeaseLost, and the transaction must not commit.

    The row stays locked to the end of the transaction, so nobody can take over between this check and the commit.
    """
    given = {"account": held.account_id, "fence": held.fence, "owner": held.owner, "patience": _milliseconds(held.ttl)}
    if connection.execute(GUARD[is_sqlite(connection)], given).first() is None:
        raise _lost(connection, held)


def is_alone(connection: Connection, account_id: int) -> bool:
    """Whether nobody has the account's lease, nor will before the end of this transaction: what a writer without a lease asks."""
    _begin(connection, BRIEFLY)
    query = select(lease.c.owner).where(lease.c.account_id == account_id).with_for_update()
    return connection.scalar(query) is None


def release(connection: Connection, held: Lease, *, next_run_at: datetime | None, outcome: str) -> None:
    """Give the lease back and say when the account is due again (None: when somebody asks). Raises LeaseLost."""
    instant = _begin(connection, held.ttl)
    _update(
        connection, held, owner=None, until=None, next_run_at=next_run_at, last_run_at=instant, last_outcome=outcome
    )


def give_back(connection: Connection, held: Lease) -> None:
    """Let go of a lease taken by hand: when the account is due stays as it was. A lease that was lost is not missed."""
    connection.execute(lease.update().where(_is(held)).values(owner=None, until=None))


def schedule(connection: Connection, account_id: int, next_run_at: datetime | None) -> None:
    """Set when the account is due, whoever holds it."""
    new = insert_into(connection, lease).values(account_id=account_id, fence=0, next_run_at=next_run_at)
    connection.execute(new.on_conflict_do_update(index_elements=["account_id"], set_={"next_run_at": next_run_at}))


def plan(connection: Connection, account_id: int, first: datetime, latest: datetime) -> None:
    """Make the account due at ``first`` where nobody has planned it yet, and no later than ``latest`` where somebody has."""
    new = insert_into(connection, lease).values(account_id=account_id, fence=0, next_run_at=first)
    connection.execute(new.on_conflict_do_nothing())
    mine = lease.c.account_id == account_id
    for when, due in ((lease.c.next_run_at.is_(None), first), (lease.c.next_run_at > latest, latest)):
        connection.execute(lease.update().where(mine, when).values(next_run_at=due))


def bring_forward(connection: Connection, account_id: int, due: datetime) -> None:
    """Where somebody planned the account for later, it is due at ``due``."""
    later = and_(lease.c.account_id == account_id, lease.c.next_run_at > due)
    connection.execute(lease.update().where(later).values(next_run_at=due))


def now(connection: Connection) -> datetime:
    """The database's clock, the one clock that all processes share (milliseconds on SQLite)."""
    instant: datetime = connection.execute(select(_clock(connection))).scalar_one()
    return instant


def _clock(connection: Connection) -> ColumnElement[datetime]:
    clock = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')" if is_sqlite(connection) else "clock_timestamp()"
    return literal_column(clock, UtcDateTime)


def _begin(connection: Connection, ttl: timedelta) -> datetime:
    """Before leases are locked: what time it is, and how long the transaction may stand still."""
    if is_sqlite(connection):
        return now(connection)
    instant: datetime = connection.execute(select(_clock(connection), _ended_when_frozen(ttl))).scalar_one()
    return instant


def _ended_when_frozen(ttl: timedelta) -> ColumnElement[str]:
    """PostgreSQL ends a transaction that stands still for so long (a process that was stopped), and its locks with it."""
    return func.set_config("idle_in_transaction_session_timeout", _milliseconds(ttl), True)


def _milliseconds(ttl: timedelta) -> str:
    return str(max(1000, int(ttl.total_seconds() * 1000)))


def _take(connection: Connection, row: Any, owner: str, ttl: timedelta) -> Lease:
    taken = Lease(row.account_id, owner, row.fence + 1, ttl)
    connection.execute(
        lease.update()
        .where(lease.c.account_id == row.account_id)
        .values(owner=owner, until=now(connection) + ttl, fence=taken.fence)
    )
    return taken


def _same(row: Any, held: Lease) -> bool:
    return (row.fence, row.owner) == (held.fence, held.owner)


def _is(held: Lease) -> ColumnElement[bool]:
    return and_(lease.c.account_id == held.account_id, lease.c.fence == held.fence, lease.c.owner == held.owner)


def _update(connection: Connection, held: Lease, **values: object) -> None:
    updated = connection.execute(lease.update().where(_is(held)).values(**values).returning(lease.c.account_id))
    if updated.one_or_none() is None:
        raise _lost(connection, held)


def _lost(connection: Connection, held: Lease) -> LeaseLost:
    name = connection.scalar(select(account.c.name).where(account.c.id == held.account_id))
    return LeaseLost(f"account {name}: another process took it over; what was committed is kept")
