"""Questions a sync asks about the rows it already has."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from portfolio_sync.core.instant import SECOND, ceil_second
from portfolio_sync.core.period import Period
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.schema import event_row, raw_ledger, raw_transfer
from portfolio_sync.store.transactions import booked

# How many candidates for a quiet second are looked at; a history that is busy everywhere is not searched further.
LOOK_AT = 200


def count(connection: Connection, table: Table, account_id: int, period: Period) -> int:
    """Rows of a history table with ``period.start <= time < period.end``."""
    return connection.execute(
        select(func.count()).select_from(table).where(_within(table, account_id, period))
    ).scalar_one()


def of_class(aclass: str) -> ColumnElement[bool]:
    """Ledger rows of one asset class; ``""`` stands for the exchange's default, ``currency``."""
    return raw_ledger.c.aclass == (aclass or "currency")


def count_class(connection: Connection, account_id: int, period: Period, aclass: str) -> int:
    """Rows of the period that are ``of_class``."""
    inside = and_(_within(raw_ledger, account_id, period), of_class(aclass))
    return connection.execute(select(func.count()).select_from(raw_ledger).where(inside)).scalar_one()


def holds_class(connection: Connection, account_id: int, aclass: str) -> bool:
    found = select(raw_ledger.c.id).where(raw_ledger.c.account_id == account_id, raw_ledger.c.aclass == aclass).limit(1)
    return connection.execute(found).first() is not None


def quiet_second(
    connection: Connection, table: Table, account_id: int, period: Period, margin: timedelta
) -> datetime | None:
    """A whole second near the middle of our rows of ``period`` with no row of ours within ``margin`` of it."""
    half = count(connection, table, account_id, period) // 2
    times = (
        select(table.c.time)
        .where(_within(table, account_id, period))
        .order_by(table.c.time)
        .offset(max(0, half - LOOK_AT // 2))
        .limit(LOOK_AT)
    )
    near = [row.time for row in connection.execute(times)]
    gaps = [(before, after) for before, after in pairwise(near) if after - before > 2 * margin + SECOND]
    if not gaps:
        return None
    before, _ = gaps[len(gaps) // 2]
    cut = ceil_second(before + margin)
    return cut if period.start < cut < period.end else None


def open_transfer_before(
    connection: Connection, account_id: int, direction: str, time: datetime, final: Collection[str]
) -> bool:
    """Whether a transfer older than ``time`` is in a state that can still change."""
    found = (
        select(raw_transfer.c.refid)
        .where(
            raw_transfer.c.account_id == account_id,
            raw_transfer.c.direction == direction,
            raw_transfer.c.time < time,
            func.lower(raw_transfer.c.status).not_in(list(final)),
        )
        .limit(1)
    )
    return connection.execute(found).first() is not None


def missing_of_events(connection: Connection, account: StoredAccount, period: Period) -> list[str]:
    """Ids of ledger rows that events of ``period`` were made of, and that are not stored any more."""
    event = event_row.c
    mine = and_(event.account == account.name, event.time >= period.start, event.time < period.end)
    named = {
        id_ for (ids,) in connection.execute(select(event.ledger_ids).where(mine)) for id_ in ids.split(";") if id_
    }
    return sorted(named - booked(connection, account.id, named).keys())


def _within(table: Table, account_id: int, period: Period) -> ColumnElement[bool]:
    return and_(table.c.account_id == account_id, table.c.time >= period.start, table.c.time < period.end)
