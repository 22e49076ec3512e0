"""Which stretches of a stream are completely read, and where an unfinished walk through one stands.

``stream`` is the name under which the sync keeps them: one for each asset class that the exchange keeps apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from portfolio_sync.core.period import Period, union
from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import coverage, walk

POSITION = ("anchor", "ofs", "last_id", "covered_from")


class Position(Protocol):
    """``ofs`` rows below ``anchor`` were read, the last of them ``last_id``."""

    @property
    def anchor(self) -> datetime: ...
    @property
    def ofs(self) -> int: ...
    @property
    def last_id(self) -> str | None: ...
    @property
    def covered_from(self) -> datetime | None: ...


def periods(connection: Connection, account_id: int, stream: str) -> list[Period]:
    """The covered periods: disjoint, not touching, oldest first."""
    query = select(coverage.c.covered_from, coverage.c.covered_to).where(_of(coverage, account_id, stream))
    return [Period(*row) for row in connection.execute(query.order_by(coverage.c.covered_from))]


def add(connection: Connection, account_id: int, stream: str, period: Period) -> None:
    """Note that ``period`` is completely read. Touching and overlapping periods become one. Commit it with its rows."""
    if not period:
        return
    within = and_(coverage.c.covered_from <= period.end, coverage.c.covered_to >= period.start)
    near = and_(_of(coverage, account_id, stream), within)
    touching = [
        Period(*row) for row in connection.execute(select(coverage.c.covered_from, coverage.c.covered_to).where(near))
    ]
    merged = union([*touching, period])
    if merged != touching:
        connection.execute(coverage.delete().where(near))
        _insert(connection, account_id, stream, merged)


def replace(connection: Connection, account_id: int, stream: str, read: Iterable[Period]) -> None:
    """Forget what was covered and note ``read`` instead: a full read anew, a window whose proof broke."""
    connection.execute(coverage.delete().where(_of(coverage, account_id, stream)))
    _insert(connection, account_id, stream, union(read))


def position(connection: Connection, account_id: int, stream: str) -> dict[str, Any] | None:
    """Where the unfinished walk stands, as the fields of a position; None where there is none."""
    query = select(*(walk.c[name] for name in POSITION)).where(_of(walk, account_id, stream))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def unfinished(connection: Connection, account_id: int) -> dict[str, datetime]:
    """By stream: how far down an unfinished walk got."""
    query = select(
        walk.c.stream, func.coalesce(walk.c.covered_from, walk.c.anchor, type_=walk.c.anchor.type).label("left")
    )
    rows = connection.execute(query.where(walk.c.account_id == account_id).order_by(walk.c.stream))
    return {row.stream: row.left for row in rows}


def set_position(connection: Connection, account_id: int, stream: str, position: Position | None) -> None:
    """Keep where the walk stands; None: it is done. Commit it with the page's rows."""
    if position is None:
        connection.execute(walk.delete().where(_of(walk, account_id, stream)))
        return
    values = {name: getattr(position, name) for name in POSITION}
    new = insert_into(connection, walk).values(account_id=account_id, stream=stream, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["account_id", "stream"], set_=values))


def _of(table: Table, account_id: int, stream: str) -> ColumnElement[bool]:
    return and_(table.c.account_id == account_id, table.c.stream == stream)


def _insert(connection: Connection, account_id: int, stream: str, read: list[Period]) -> None:
    if read:
        rows = [
            {"account_id": account_id, "stream": stream, "covered_from": p.start, "covered_to": p.end} for p in read
        ]
        connection.execute(coverage.insert(), rows)
