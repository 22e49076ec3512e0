"""Put a batch of rows into a table where they are missing, and show which of those that stood there differ.

The batch has each key once. Two ways for the two databases, one result.
"""

# ruff: noqa: S608 - names in SQL text come from schema.py; every value is bound

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from portfolio_sync.store.bulk import Layout, copy, driver, quoted
from portfolio_sync.store.engine import is_sqlite

Row = tuple[Any, ...]


def insert_missing(connection: Connection, form: Layout, batch: Sequence[Row]) -> tuple[int, list[Row]]:
    """Returns how many rows were new, and the stored version of those whose content differs."""
    return (_sqlite if is_sqlite(connection) else _postgresql)(connection, form, batch)


def overwrite(connection: Connection, form: Layout, rows: Sequence[Row]) -> None:
    """Write all columns but the key of rows that are there."""
    mark = "?" if is_sqlite(connection) else "%s"
    columns = ", ".join(f'"{name}" = {mark}' for name in form.names[form.keys :])
    key = " AND ".join(f'"{name}" = {mark}' for name in form.names[: form.keys])
    with_key_last = [row[form.keys :] + row[: form.keys] for row in rows]
    cursor = driver(connection).cursor()
    cursor.executemany(f"UPDATE {form.table} SET {columns} WHERE {key}", with_key_last)
    cursor.close()


def _sqlite(connection: Connection, form: Layout, batch: Sequence[Row]) -> tuple[int, list[Row]]:
    cursor = driver(connection).cursor()
    marks = ", ".join("?" * len(form.names))
    cursor.executemany(
        f"INSERT INTO {form.table} ({quoted(form.names)}) VALUES ({marks}) ON CONFLICT DO NOTHING", batch
    )
    new = cursor.rowcount
    if new == len(batch):
        return new, []
    ours = {row[: form.keys]: row[: form.content] for row in batch}
    stored = cursor.execute(_sqlite_lookup(form), (json.dumps([row[: form.keys] for row in batch]),))
    return new, [row for row in stored if row[: form.content] != ours[row[: form.keys]]]


def _sqlite_lookup(form: Layout) -> str:
    """All stored rows of the keys that come as one JSON parameter: one statement for any number of keys, each found by the index."""
    same = " AND ".join(
        f"t.\"{name}\" = json_extract(k.value, '$[{i}]')" for i, name in enumerate(form.names[: form.keys])
    )
    columns = ", ".join(f't."{name}"' for name in form.names)
    return f"SELECT {columns} FROM json_each(?) AS k CROSS JOIN {form.table} AS t WHERE {same}"


def _postgresql(connection: Connection, form: Layout, batch: Sequence[Row]) -> tuple[int, list[Row]]:
    stage = f"stage_{form.table}"
    columns = quoted(form.names)
    with driver(connection).cursor() as cursor:
        # dropped at commit: nothing of it may stay with a connection that a pooler hands to somebody else
        cursor.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DROP AS SELECT {columns} FROM {form.table} WITH NO DATA"
        )
        cursor.execute(f"TRUNCATE {stage}")
        copy(connection, stage, form.names, batch)
        cursor.execute(f"INSERT INTO {form.table} ({columns}) SELECT {columns} FROM {stage} ON CONFLICT DO NOTHING")
        new = cursor.rowcount
        if new == len(batch):
            return new, []
        cursor.execute(_postgresql_differing(form, stage))
        return new, cursor.fetchall()


def _postgresql_differing(form: Layout, stage: str) -> str:
    def listed(alias: str, names: Sequence[str]) -> str:
        return ", ".join(f'{alias}."{name}"' for name in names)

    keys, rest = form.names[: form.keys], form.names[form.keys : form.content]
    differs = " OR ".join(f't."{name}" IS DISTINCT FROM s."{name}"' for name in rest) or "false"
    same = " AND ".join(f't."{name}" = s."{name}"' for name in keys)
    return f"SELECT {listed('t', form.names)} FROM {stage} AS s JOIN {form.table} AS t ON {same} WHERE {differs}"
