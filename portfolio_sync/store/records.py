"""What a taxpayer recorded about lots, and the years that were filed: append-only tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select

from portfolio_sync.core.record import Recorded, RecordedOrder, RecordedPick
from portfolio_sync.store import bulk
from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import closed_year, lot_pick, raw_ledger, raw_trade, raw_transaction, standing_order

FEW = 500  # ids a statement; SQLite takes 32,766 parameters


def recorded(connection: Connection, taxpayer: str) -> Recorded:
    """All orders and picks of the taxpayer, in the order in which they were recorded."""
    o, p = standing_order.c, lot_pick.c
    orders = select(o.method, o.effective_from, o.recorded_at, o.account).where(o.taxpayer == taxpayer).order_by(o.id)
    picks = select(p.sale, p.lot, p.amount, p.recorded_at).where(p.taxpayer == taxpayer).order_by(p.id)
    return Recorded(
        tuple(RecordedOrder(*row) for row in connection.execute(orders)),
        tuple(RecordedPick(*row) for row in connection.execute(picks)),
    )


def add_order(connection: Connection, taxpayer: str, order: RecordedOrder) -> None:
    values = {"effective_from": order.start, "recorded_at": order.recorded_at}
    connection.execute(
        standing_order.insert().values(taxpayer=taxpayer, account=order.account, method=order.method, **values)
    )


def add_picks(connection: Connection, taxpayer: str, picks: Iterable[RecordedPick]) -> None:
    rows = ({"sale": p.sale, "lot": p.lot, "amount": p.amount, "recorded_at": p.recorded_at} for p in picks)
    bulk.insert(connection, lot_pick, rows, taxpayer=taxpayer)


def rows_named(connection: Connection, accounts: Sequence[int], ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Each id and the rows it speaks of: a ledger row or imported transaction itself, else the ledger rows of the trade or order.

    An id that nothing is stored of has no rows.
    """
    found: dict[str, tuple[str, ...]] = dict.fromkeys(ids, ())
    for batch in bulk.batches(sorted(ids), FEW):
        for name in batch:
            found[name] = tuple(_rows_of(connection, accounts, name))
    return found


def _rows_of(connection: Connection, accounts: Sequence[int], name: str) -> list[str]:
    t, r, w = raw_transaction.c, raw_ledger.c, raw_trade.c
    own = select(t.id).where(t.account_id.in_(accounts), t.id == name)
    trades = select(w.id).where(w.account_id.in_(accounts), w.order_id == name)
    booked = select(r.id).where(r.account_id.in_(accounts), r.id == name)
    caused = select(r.id).where(r.account_id.in_(accounts), or_(r.refid == name, r.refid.in_(trades)))
    for query in (booked, own, caused.order_by(r.time, r.id)):
        if rows := list(connection.scalars(query)):
            return rows
    return []


def close_year(connection: Connection, values: Mapping[str, Any]) -> None:
    """Keep a filed year, in the place of an earlier closing of the same taxpayer, profile and year."""
    new = insert_into(connection, closed_year).values(**values)
    keys = ["taxpayer", "profile", "year"]
    said = {name: value for name, value in values.items() if name not in keys}
    connection.execute(new.on_conflict_do_update(index_elements=keys, set_=said))


def closed(connection: Connection, **which: str) -> list[dict[str, Any]]:
    """The filed years whose columns (taxpayer, profile, year) say ``which``, in order."""
    query = select(closed_year).where(*(closed_year.c[name] == value for name, value in which.items()))
    ordered = query.order_by(closed_year.c.taxpayer, closed_year.c.profile, closed_year.c.year)
    return [dict(row) for row in connection.execute(ordered).mappings()]
