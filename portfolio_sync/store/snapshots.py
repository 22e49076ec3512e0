"""Balances and Earn allocations: what they are at a moment, stored only where they changed since the last time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Column, Connection, Select, Table, and_, bindparam, func, select

from portfolio_sync.store import bulk

# ours, or the moment's: not part of what is compared
NOT_COMPARED = frozenset({"account_id", "taken_at", "seq"})


def store_changes(
    connection: Connection,
    table: Table,
    account_id: int,
    taken_at: datetime,
    seq: int,
    rows: Iterable[Mapping[str, Any]],
) -> int:
    """Store the rows of one whole snapshot (``raw_balance`` or ``raw_earn``) that differ from the last; returns how many.

    What the exchange no longer lists is stored once with amount 0.
    """
    subject = _subject(table).name
    before = latest(connection, table, account_id)
    listed = {row[subject]: dict(row) for row in rows}
    gone = {k: row | _nothing(table) for k, row in before.items() if k not in listed and row["amount"]}
    news = [row for key, row in (listed | gone).items() if key not in before or _differs(before[key], row)]
    if not news:
        return 0
    # the exchange's time has whole seconds: what was read twice in one counts as read the second time
    same = and_(table.c.account_id == account_id, table.c.taken_at == taken_at)
    connection.execute(table.delete().where(same, table.c[subject].in_([row[subject] for row in news])))
    return bulk.insert(connection, table, map(_content, news), account_id=account_id, taken_at=taken_at, seq=seq)


def latest(connection: Connection, table: Table, account_id: int) -> dict[str, dict[str, Any]]:
    """The newest row of each asset (``raw_balance``) or strategy (``raw_earn``), with all its columns."""
    rows = connection.execute(_latest(table), {"account": account_id}).mappings()
    return {row[_subject(table).name]: dict(row) for row in rows}


def _subject(table: Table) -> Column[Any]:
    return table.c["asset" if "hold" in table.c else "strategy_id"]


@cache
def _latest(table: Table) -> Select[Any]:
    subject = _subject(table)
    account: BindParameter[int] = bindparam("account")
    newest = (
        select(subject, func.max(table.c.taken_at).label("taken_at"))
        .where(table.c.account_id == account)
        .group_by(subject)
        .subquery()
    )
    same = and_(subject == newest.c[subject.name], table.c.taken_at == newest.c.taken_at)
    return select(table).join(newest, same).where(table.c.account_id == account).order_by(subject)


def _nothing(table: Table) -> dict[str, object]:
    return {"amount": Decimal(0), "extra": {}} | ({"hold": Decimal(0)} if "hold" in table.c else {})


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in NOT_COMPARED}


def _differs(before: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    # ``extra`` of an allocation holds amounts converted to fiat, which move with every price: no change of ours
    return any(before[name] != value for name, value in _content(row).items() if name != "extra")
