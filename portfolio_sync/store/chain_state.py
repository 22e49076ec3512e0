"""What the last proof of an account left for the next one, and whence rows were written since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import chain_state, raw_ledger, raw_trade

PROVEN = frozenset({raw_ledger.name, raw_trade.name})
"""The tables that a proof reads."""


class Kept(NamedTuple):
    """``touched_from``: the earliest row written since the proof; None: none was."""

    state: Mapping[str, Any]
    touched_from: datetime | None


def load(connection: Connection, account_id: int) -> Kept | None:
    query = select(chain_state.c.state, chain_state.c.touched_from).where(chain_state.c.account_id == account_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else Kept(*row)


def is_touched(connection: Connection, account_id: int) -> bool:
    """Whether rows were written since the last proof, or there was none."""
    query = select(chain_state.c.touched_from).where(chain_state.c.account_id == account_id)
    row = connection.execute(query).one_or_none()
    return row is None or row.touched_from is not None


def save(connection: Connection, account_id: int, state: Mapping[str, Any]) -> None:
    """Keep what a proof of all stored rows left."""
    new = insert_into(connection, chain_state).values(account_id=account_id, state=state, touched_from=None)
    said = {"state": state, "touched_from": None}
    connection.execute(new.on_conflict_do_update(index_elements=["account_id"], set_=said))


def touch(connection: Connection, account_id: int, time: datetime) -> None:
    """A row of ``time`` was written: in its transaction, so that no kill can part the two."""
    later = chain_state.c.touched_from.is_(None) | (chain_state.c.touched_from > time)
    mine = chain_state.c.account_id == account_id
    connection.execute(chain_state.update().where(mine & later).values(touched_from=time))
