"""Write rows that may be there already: new ones in, changed ones over (old version on record), unchanged ones not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table

from portfolio_sync.core.amount import plain
from portfolio_sync.core.instant import iso
from portfolio_sync.store import bulk, merge
from portfolio_sync.store.bulk import Layout, batches, layout
from portfolio_sync.store.derived import touch
from portfolio_sync.store.engine import is_sqlite
from portfolio_sync.store.precedence import Outcome, decide
from portfolio_sync.store.schema import change_row
from portfolio_sync.store.types import JsonText


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a file says otherwise than the API said: nothing of it was written."""

    row_id: str
    field: str
    stored: str
    incoming: str


@dataclass(frozen=True, slots=True)
class Upserted:
    """Counts of rows. ``confirmed``: rows of a file that the API (or a fuller file) now writes its own way, meaning the same."""

    new: int = 0
    changed: int = 0
    confirmed: int = 0
    unchanged: int = 0
    conflicts: tuple[Conflict, ...] = ()

    def __add__(self, other: Upserted) -> Upserted:
        return Upserted(
            self.new + other.new,
            self.changed + other.changed,
            self.confirmed + other.confirmed,
            self.unchanged + other.unchanged,
            self.conflicts + other.conflicts,
        )


def upsert(
    connection: Connection,
    table: Table,
    rows: Iterable[Mapping[str, object]],
    *,
    seq: int,
    seen_at: datetime,
    account_id: int | None = None,
) -> Upserted:
    """Write ``rows`` (column -> value) in their order; a key may come twice. Columns left out are empty.

    ``seq`` marks new rows and the changes of old ones. Rows stream in batches, so any number of them fits in memory.
    """
    form = layout(table, sqlite=is_sqlite(connection))
    fixed = {"seq": seq, "seen_at": seen_at, "account_id": account_id}
    ours = {name: value for name, value in fixed.items() if name in form.names and value is not None}
    total = Upserted()
    for batch in batches(rows):
        for part in _each_key_once(form.encode(batch, fixed=ours), form.keys):
            total += _merge(connection, form, part, _Stamp(seq, seen_at))
    return total


@dataclass(frozen=True, slots=True)
class _Stamp:
    seq: int
    seen_at: datetime


def _each_key_once(batch: list[Any], keys: int) -> Iterable[list[Any]]:
    """Split a batch so that each part has a key once, earlier rows in earlier parts."""
    while batch:
        first: dict[Any, Any] = {}
        again = [row for row in batch if first.setdefault(row[:keys], row) is not row]
        yield list(first.values()) if again else batch
        batch = again


def _merge(connection: Connection, form: Layout, batch: Sequence[Any], stamp: _Stamp) -> Upserted:
    new, earliest, differing = merge.insert_missing(connection, form, batch)
    if new:
        _touch(connection, form, batch[0], earliest)
    if not differing:
        return Upserted(new=new, unchanged=len(batch) - new)
    incoming = {row[: form.keys]: row for row in batch}
    decided = [
        (row, decide(form.table, _content(form, row), _content(form, incoming[row[: form.keys]]))) for row in differing
    ]
    written = [(old, _encode(form, old, out.row)) for old, out in decided if out.row is not None]
    merge.overwrite(connection, form, [row for _, row in written])
    if written:
        _touch(connection, form, batch[0], merge.earliest(form, [row for pair in written for row in pair]))
    bulk.insert(connection, change_row, _change_log(form, decided, stamp))
    changed = sum(1 for _, out in decided if out.changes)
    confirmed = sum(1 for _, out in decided if out.row is not None and not out.changes)
    return Upserted(new, changed, confirmed, len(batch) - new - changed - confirmed, tuple(_conflicts(form, decided)))


def _touch(connection: Connection, form: Layout, row: Sequence[Any], earliest: Any) -> None:
    """``earliest``: the time of a row of the batch, as the driver has it; None where the table has no times."""
    if earliest is None:
        return
    time = form.decoders[form.names.index("time")]
    assert time is not None  # a time is never passed as it is
    touch(connection, form.table, row[form.names.index("account_id")], time(earliest))


def _content(form: Layout, row: Sequence[Any]) -> dict[str, Any]:
    return dict(list(form.decode(row).items())[form.keys : form.content])


def _encode(form: Layout, old: Sequence[Any], content: Mapping[str, Any]) -> tuple[Any, ...]:
    (row,) = form.encode([{**form.decode(old), **content}])
    return row


def _row_id(form: Layout, row: Sequence[Any]) -> str:
    """The row's key without the account: ``L4UESK-KG3EQ-UFO4T5``, or its parts joined by ``/``."""
    key = list(form.decode(row).items())[: form.keys]
    return "/".join(shown(value) for name, value in key if name != "account_id")


def _change_log(form: Layout, decided: Iterable[tuple[Any, Outcome]], stamp: _Stamp) -> Iterable[dict[str, object]]:
    for row, outcome in decided:
        for name, (old, new) in outcome.changes.items():
            yield {
                "account_id": form.decode(row).get("account_id"),
                "table_name": form.table,
                "row_id": _row_id(form, row),
                "field": name,
                "old": None if old is None else shown(old),
                "new": None if new is None else shown(new),
                "seen_at": stamp.seen_at,
                "seq": stamp.seq,
            }


def _conflicts(form: Layout, decided: Iterable[tuple[Any, Outcome]]) -> Iterable[Conflict]:
    for row, outcome in decided:
        for name, (stored, incoming) in outcome.conflicts.items():
            yield Conflict(_row_id(form, row), name, shown(stored), shown(incoming))


def shown(value: object) -> str:
    """A value as the change log keeps it: numbers plain, times ISO 8601, structures as JSON."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return iso(value)
    return value if isinstance(value, str) else JsonText.encode(value)
