"""Imported transactions as a person wrote them; read as they stood after a run, as ledger rows are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Integer, exists, select

from portfolio_sync.core.event import Kind
from portfolio_sync.core.instant import parse_iso
from portfolio_sync.core.transaction import Transaction
from portfolio_sync.store.bulk import batches
from portfolio_sync.store.read import changed_since
from portfolio_sync.store.schema import account, raw_ledger, raw_transaction
from portfolio_sync.store.types import ExactDecimal, JsonText, UtcDateTime

FIELDS = tuple(field.name for field in fields(Transaction))
FEW = 500  # ids a statement; SQLite takes 32,766 parameters
Row = dict[str, Any]
KINDS: Mapping[type, Callable[[str], Any]] = {
    ExactDecimal: Decimal,
    UtcDateTime: parse_iso,
    JsonText: JsonText.decode,
    Integer: int,
}
READERS = {column.name: KINDS.get(type(column.type), str) for column in raw_transaction.columns}


def row_of(transaction: Transaction, place: int) -> Row:
    """The columns of ``raw_transaction``. ``place``: which of several transactions of one time comes first."""
    row: Row = {name: getattr(transaction, name) for name in FIELDS}
    lots = [[lot, amount] for lot, amount in transaction.lots]
    return row | {"kind": transaction.kind.value, "lots": lots, "place": place}


def transactions(connection: Connection, account_id: int, *, upto_seq: int | None = None) -> list[Transaction]:
    """The account's imported transactions by (time, place, id). ``upto_seq``: as they stood after that run."""
    t = raw_transaction.c
    query = select(*(t[name] for name in FIELDS), t.place).where(t.account_id == account_id)
    changed: dict[str, dict[str, str]] = {}
    if upto_seq is not None:
        query = query.where(t.seq <= upto_seq)
        changed = changed_since(connection, raw_transaction, account_id, upto_seq)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        row.update(_parsed(changed.get(row["id"], {})))
    rows.sort(key=lambda row: (row["time"], row["place"], row["id"]))
    return [_transaction(row) for row in rows]


def are_there(connection: Connection, account_id: int) -> bool:
    """Whether anything was imported as a transaction of the account."""
    return bool(connection.scalar(select(exists().where(raw_transaction.c.account_id == account_id))))


def _transaction(row: Row) -> Transaction:
    lots = tuple((lot, Decimal(amount)) for lot, amount in row["lots"])
    return Transaction(**{name: row[name] for name in FIELDS} | {"kind": Kind(row["kind"]), "lots": lots})


def _parsed(values: Mapping[str, str | None]) -> Row:
    """Change-log text as values."""
    return {name: None if text is None else READERS.get(name, str)(text) for name, text in values.items()}


def booked(connection: Connection, account_id: int, ids: Iterable[str]) -> dict[str, datetime]:
    """Those of ``ids`` that are ledger rows of the account, with the time of the row."""
    r = raw_ledger.c
    found: dict[str, datetime] = {}
    for batch in batches(sorted(ids), FEW):
        rows = connection.execute(select(r.id, r.time).where(r.account_id == account_id, r.id.in_(batch)))
        found |= {row.id: row.time for row in rows}
    return found


def booked_elsewhere(connection: Connection, account_id: int, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(id, account) of those of ``ids`` that are ledger rows of another account of the same taxpayer."""
    r, a = raw_ledger.c, account.c
    whose = select(a.taxpayer).where(a.id == account_id).scalar_subquery()
    others = select(a.id, a.name).where(a.taxpayer == whose, a.id != account_id).order_by(a.name)
    names = {row.id: row.name for row in connection.execute(others)}
    for batch in batches(sorted(ids) if names else [], FEW):
        for row in connection.execute(select(r.id, r.account_id).where(r.account_id.in_(names), r.id.in_(batch))):
            yield row.id, names[row.account_id]
