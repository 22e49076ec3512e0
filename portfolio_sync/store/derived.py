"""What was derived of an account from its stored rows, to go on from; and whence rows were written since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import (
    chain_state,
    event_state,
    raw_ledger,
    raw_trade,
    raw_transaction,
    raw_transfer,
)


class Kept(NamedTuple):
    """``touched_from``: the earliest row written since; None: none was."""

    state: Mapping[str, Any]
    touched_from: datetime | None


@dataclass(frozen=True, slots=True)
class Derived:
    """``table`` has a row an account; ``sources``: the tables whose rows it was derived from."""

    table: Table
    sources: frozenset[str]

    def load(self, connection: Connection, account_id: int) -> Kept | None:
        kept = self.table.c
        row = connection.execute(
            select(kept.state, kept.touched_from).where(kept.account_id == account_id)
        ).one_or_none()
        return None if row is None else Kept(*row)

    def is_touched(self, connection: Connection, account_id: int) -> bool:
        """Whether rows were written since, or nothing was derived yet."""
        kept = self.table.c
        row = connection.execute(select(kept.touched_from).where(kept.account_id == account_id)).one_or_none()
        return row is None or row.touched_from is not None

    def save(self, connection: Connection, account_id: int, state: Mapping[str, Any]) -> None:
        """Keep what was derived from all stored rows."""
        said = {"state": state, "touched_from": None}
        new = insert_into(connection, self.table).values(account_id=account_id, **said)
        connection.execute(new.on_conflict_do_update(index_elements=["account_id"], set_=said))

    def touch(self, connection: Connection, account_id: int, time: datetime) -> None:
        """A row of ``time`` was written: in its transaction, so that no kill can part the two."""
        kept = self.table.c
        later = kept.touched_from.is_(None) | (kept.touched_from > time)
        mine = kept.account_id == account_id
        connection.execute(self.table.update().where(mine & later).values(touched_from=time))


PROOF = Derived(chain_state, frozenset({raw_ledger.name, raw_trade.name}))
EVENTS = Derived(event_state, frozenset({raw_ledger.name, raw_transfer.name, raw_transaction.name}))


def touch(connection: Connection, table: str, account_id: int, time: datetime) -> None:
    """A row of ``table`` of that time was written, or taken out: what was derived of it no longer speaks of rows from then on."""
    for derived in (PROOF, EVENTS):
        if table in derived.sources:
            derived.touch(connection, account_id, time)
