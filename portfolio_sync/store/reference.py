"""The exchange's asset and pair names. Delisted ones stay: old rows still speak of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import reference_asset, reference_pair


def seen_at(connection: Connection) -> datetime | None:
    """When the names were last read, or None."""
    found: datetime | None = connection.execute(select(func.max(reference_asset.c.seen_at))).scalar_one()
    return found


def rows(connection: Connection) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All assets and all pairs, current and delisted."""
    assets, pairs = (connection.execute(select(t)).mappings() for t in (reference_asset, reference_pair))
    return [dict(row) for row in assets], [dict(row) for row in pairs]


def store(connection: Connection, assets: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]]) -> None:
    """Add new names and refresh known ones."""
    for table, found in ((reference_asset, assets), (reference_pair, pairs)):
        if found:
            connection.execute(_upsert(connection, table), list(found))


def _upsert(connection: Connection, table: Table) -> Any:
    insert = insert_into(connection, table)
    keys = [column.name for column in table.primary_key]
    changes = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=changes)
