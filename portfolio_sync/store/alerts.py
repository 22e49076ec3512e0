"""What is the matter with accounts, and who knows it: told once for each change, whatever process notices it first.

An alert begins, is told, ends, is told again, and is gone. Telling is claimed for a while in a transaction of its own, so that
one process alone tells; one that dies meanwhile, or a channel that fails, is made up for when the claim has expired.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import alert_state

HOLD = timedelta(minutes=2)
"""How long a claim lasts: longer than all channels together take to fail."""


@dataclass(frozen=True, slots=True)
class Alert:
    """``told``: the channels that believe it is on. ``ended_at``: it is over; those channels are still to be told so."""

    account_id: int
    alert: str
    message: str
    since: datetime
    ended_at: datetime | None
    told: tuple[str, ...]

    def untold(self, channels: Collection[str]) -> list[str]:
        """The channels that have not heard yet how it is now."""
        return [channel for channel in channels if (channel in self.told) == (self.ended_at is not None)]


def every(connection: Connection, accounts: Collection[int]) -> list[Alert]:
    """All alerts of the accounts, also those that ended and were not told so yet."""
    query = select(alert_state).where(alert_state.c.account_id.in_(accounts))
    return [_alert(row) for row in connection.execute(query.order_by(alert_state.c.account_id, alert_state.c.alert))]


def begin(connection: Connection, account_id: int, alert: str, message: str, now: datetime) -> None:
    """The alert is on. One that is on already only gets the newer message; one that had ended goes on."""
    a = alert_state.c
    new = insert_into(connection, alert_state).values(
        account_id=account_id, alert=alert, message=message, since=now, told=[]
    )
    changes = or_(a.message != message, a.ended_at.is_not(None))
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["account_id", "alert"], set_={"message": message, "ended_at": None}, where=changes
        )
    )


def end(connection: Connection, account_id: int, alert: str, now: datetime) -> None:
    """The alert is over, where it was on."""
    going = and_(_is(account_id, alert), alert_state.c.ended_at.is_(None))
    connection.execute(alert_state.update().where(going).values(ended_at=now))


def claim(connection: Connection, accounts: Collection[int], channels: Sequence[str], now: datetime) -> Alert | None:
    """An alert that somebody is to be told of, for this process alone until ``HOLD`` from now.

    One at a time: hundreds turn stale at once, and the last of them would be told long after its claim has expired.
    """
    a = alert_state.c
    free = or_(a.next_try_at.is_(None), a.next_try_at <= now)
    query = select(alert_state).where(a.account_id.in_(accounts), free).order_by(a.account_id, a.alert)
    found = [_alert(row) for row in connection.execute(query.with_for_update(skip_locked=True))]
    due = [alert for alert in found if alert.untold(channels)]
    for alert in found:
        if alert not in due and alert.ended_at is not None:
            connection.execute(alert_state.delete().where(_is(alert.account_id, alert.alert)))
    if not due:
        return None
    mine = _is(due[0].account_id, due[0].alert)
    connection.execute(alert_state.update().where(mine).values(next_try_at=now + HOLD))
    return due[0]


def note_told(
    connection: Connection, alert: Alert, heard: Collection[str], now: datetime, next_try_at: datetime | None
) -> None:
    """The channels ``heard`` know how ``alert`` was when it was claimed; the others are to be tried again at ``next_try_at``."""
    here = _is(alert.account_id, alert.alert)
    stored = connection.scalar(select(alert_state.c.told).where(here).with_for_update())
    if stored is None:
        return
    told = set(stored) - set(heard) if alert.ended_at else set(stored) | set(heard)
    facts = {"told_at": now} if heard else {}
    connection.execute(alert_state.update().where(here).values(told=sorted(told), next_try_at=next_try_at, **facts))


def _is(account_id: int, alert: str) -> ColumnElement[bool]:
    return and_(alert_state.c.account_id == account_id, alert_state.c.alert == alert)


def _alert(row: Any) -> Alert:
    return Alert(**{field.name: getattr(row, field.name) for field in fields(Alert)} | {"told": tuple(row.told)})
