"""Take out rows that the exchange does not show: each is kept whole in the change log."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Table, and_, select

from portfolio_sync.core.period import Period
from portfolio_sync.store.derived import touch
from portfolio_sync.store.history import of_class
from portfolio_sync.store.schema import change_row, raw_ledger
from portfolio_sync.store.types import JsonText
from portfolio_sync.store.upsert import shown

WHOLE_ROW = "*"
"""In the change log, the field that stands for a row that was taken out."""
OF_FILES = "file"


def strike(
    connection: Connection,
    table: Table,
    account_id: int,
    period: Period,
    shown_ids: Collection[str],
    *,
    aclass: str,
    seq: int,
    seen_at: datetime,
) -> list[str]:
    """Take out the rows of ``period`` that are not among ``shown_ids``; returns their ids. What a file brought stays.

    ``aclass`` limits rows of the ledger to one asset class.
    """
    row = table.c
    inside = [row.account_id == account_id, row.time >= period.start, row.time < period.end, row.source != OF_FILES]
    inside += [of_class(aclass)] if table is raw_ledger else []
    stored = connection.execute(select(table).where(and_(*inside))).mappings()
    found = [each for each in stored if each["id"] not in shown_ids]
    for each in found:
        connection.execute(table.delete().where(row.account_id == account_id, row.id == each["id"]))
        said = JsonText.encode({name: shown(value) for name, value in each.items() if name != "account_id"})
        log = {"account_id": account_id, "table_name": table.name, "row_id": each["id"], "field": WHOLE_ROW}
        connection.execute(change_row.insert().values(**log, old=said, new=None, seen_at=seen_at, seq=seq))
        touch(connection, table.name, account_id, each["time"])
    return [each["id"] for each in found]
