"""Many rows at once, past SQLAlchemy's per-row machinery: ``executemany`` of tuples on SQLite, ``COPY`` on PostgreSQL.

Works on the driver's connection inside SQLAlchemy's transaction. Figures are in components.md section 2 of the design.
"""

# ruff: noqa: S608 - names in SQL text come from schema.py; every value is bound

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, repeat
from types import NoneType
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, Text

from portfolio_sync.core.listing import Listing, Reads
from portfolio_sync.store.engine import is_sqlite
from portfolio_sync.store.types import ExactDecimal, JsonText, UtcDateTime, checked_decimal, checked_instant

BATCH = 10_000  # rows held in memory
DERIVED = 2_000  # of those that are written beside a whole history; more at once are no faster
BOOKKEEPING = ("seq", "seen_at")  # ours, not the row's content: kept from the first time
NOTHING_FIXED: Mapping[str, object] = {}
T = TypeVar("T")
Coder = Callable[[Any], Any]

# How a value goes to and comes from the driver. What is not named here goes as it is.
_TO_SQLITE: Mapping[type, Coder] = {
    ExactDecimal: ExactDecimal.encode,
    UtcDateTime: UtcDateTime.encode,
    JsonText: JsonText.encode,
}
_ALL_TO_SQLITE: Mapping[Coder, Callable[[Sequence[Any]], list[str]]] = {
    ExactDecimal.encode: ExactDecimal.encode_all,
    UtcDateTime.encode: UtcDateTime.encode_all,
}
_FROM_SQLITE: Mapping[type, Coder] = {
    ExactDecimal: ExactDecimal.decode,
    UtcDateTime: UtcDateTime.decode,
    JsonText: JsonText.decode,
}
_TO_POSTGRESQL: Mapping[type, Coder] = {
    ExactDecimal: checked_decimal,
    UtcDateTime: checked_instant,
    JsonText: JsonText.encode,
}
_FROM_POSTGRESQL: Mapping[type, Coder] = {UtcDateTime: checked_instant, JsonText: JsonText.decode}


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table in one fixed order (key, content, bookkeeping), and how their values pass the driver.

    A number that the database gives is not among them.
    """

    table: str
    names: tuple[str, ...]
    keys: int  # so many of them are the key
    content: int  # so many are key and content
    encoders: tuple[Coder | None, ...]
    decoders: tuple[Coder | None, ...]
    defaults: tuple[object, ...]

    def encode(
        self, rows: Sequence[Any], reads: Reads | None = None, fixed: Mapping[str, object] = NOTHING_FIXED
    ) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them: mappings, or objects with the columns that ``reads`` reads of them.

        ``fixed`` are columns with one value in all rows. Text that is missing is empty, JSON an empty object, all else NULL.
        """
        self._refuse_unknown(fixed, *(rows if reads is None else (reads,)))
        # column by column: twice as fast as row by row
        columns: list[Iterable[Any]] = []
        for name, encoder, default in zip(self.names, self.encoders, self.defaults, strict=True):
            if name in fixed:
                columns.append(repeat(_encoded(encoder, fixed[name]), len(rows)))
                continue
            values = _column(rows, reads, name, default)
            columns.append(values if encoder is None else _encoded_all(encoder, values))
        return list(zip(*columns, strict=True))

    def _refuse_unknown(self, *named: Iterable[str]) -> None:
        if unknown := set[str]().union(*named) - set(self.names):
            raise KeyError(f"{self.table} has no column {min(unknown)!r}")

    def decode(self, values: Sequence[Any]) -> dict[str, Any]:
        return {
            name: value if decoder is None or value is None else decoder(value)
            for name, value, decoder in zip(self.names, values, self.decoders, strict=True)
        }


@lru_cache(maxsize=128)
def layout(table: Table, *, sqlite: bool) -> Layout:
    given = (c for c in table.columns if c.autoincrement is not True)
    columns = sorted(given, key=lambda c: 0 if c.primary_key else 2 if c.name in BOOKKEEPING else 1)
    to, back = (_TO_SQLITE, _FROM_SQLITE) if sqlite else (_TO_POSTGRESQL, _FROM_POSTGRESQL)
    return Layout(
        table.name,
        tuple(c.name for c in columns),
        sum(c.primary_key for c in columns),
        sum(c.name not in BOOKKEEPING for c in columns),
        tuple(to.get(type(c.type)) for c in columns),
        tuple(back.get(type(c.type)) for c in columns),
        tuple(_default(c.type) if not c.nullable else None for c in columns),
    )


def _default(type_: object) -> object:
    return {} if isinstance(type_, JsonText) else "" if isinstance(type_, Text) else None


def _column(rows: Sequence[Any], reads: Reads | None, name: str, default: object) -> list[Any]:
    if reads is None:
        return [row.get(name, default) for row in rows]
    return [default] * len(rows) if name not in reads else list(map(reads[name], rows))


def _encoded(encoder: Coder | None, value: Any) -> Any:
    return value if value is None or encoder is None else encoder(value)


def _encoded_all(encoder: Coder, values: list[Any]) -> list[Any]:
    kinds = set(map(type, values))
    if kinds == {NoneType}:
        return values
    if (at_once := _ALL_TO_SQLITE.get(encoder)) and NoneType not in kinds:
        return at_once(values)
    return [None if value is None else encoder(value) for value in values]


def batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def quoted(names: Iterable[str]) -> str:
    """Column names for SQL; ``end`` and the like are keywords."""
    return ", ".join(f'"{name}"' for name in names)


def driver(connection: Connection) -> Any:
    """The sqlite3 or psycopg connection under ``connection``, inside its transaction."""
    return connection.connection.driver_connection


def insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, object]], **fixed: object) -> int:
    """Insert rows that are not there yet; returns how many. Streams: any number of rows in constant memory.

    ``fixed``: columns with one value in all rows.
    """
    form = layout(table, sqlite=is_sqlite(connection))
    items, reads = (rows.items, rows.columns) if isinstance(rows, Listing) else (rows, None)
    count = 0
    for batch in batches(items, DERIVED):
        insert_tuples(connection, form, form.encode(batch, reads, fixed))
        count += len(batch)
    return count


def insert_tuples(connection: Connection, form: Layout, tuples: Sequence[tuple[Any, ...]]) -> None:
    if is_sqlite(connection):
        marks = ", ".join("?" * len(form.names))
        driver(connection).executemany(f"INSERT INTO {form.table} ({quoted(form.names)}) VALUES ({marks})", tuples)
    else:
        copy(connection, form.table, form.names, tuples)


def copy(connection: Connection, table: str, names: Sequence[str], tuples: Iterable[tuple[Any, ...]]) -> None:
    """COPY into a PostgreSQL table."""
    with driver(connection).cursor() as cursor, cursor.copy(f"COPY {table} ({quoted(names)}) FROM STDIN") as sink:
        for row in tuples:
            sink.write_row(row)
