"""Accounts: a name, whose it is, and what its key lets us see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import account

REFUSED = "refused"
"""How the state of a key begins that must not be used."""
OF_THE_KEY = ("kraken_id", "query_from", "query_to", "valid_until", "key_state")


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """``kraken_id``: the exchange's stable name of the account. ``query_from``, ``query_to``: the key sees only this window."""

    id: int
    name: str
    taxpayer: str
    kraken_id: str | None = None
    query_from: datetime | None = None
    query_to: datetime | None = None
    valid_until: datetime | None = None
    key_state: str | None = None

    @property
    def key_rests(self) -> bool:
        """The last run could not use the key: it is not to be used again until somebody changed it."""
        return self.key_state is not None and self.key_state.startswith(REFUSED)


def get(connection: Connection, name: str) -> StoredAccount | None:
    row = connection.execute(select(account).where(account.c.name == name)).mappings().one_or_none()
    return None if row is None else StoredAccount(**row)


def every(connection: Connection) -> list[StoredAccount]:
    """All accounts by name, in the same order on both databases."""
    return [StoredAccount(**row) for row in connection.execute(select(account).order_by(account.c.name)).mappings()]


def of_kraken_account(connection: Connection, kraken_id: str) -> list[StoredAccount]:
    """The accounts that were seen to be this one at Kraken, the oldest first."""
    query = select(account).where(account.c.kraken_id == kraken_id).order_by(account.c.id)
    return [StoredAccount(**row) for row in connection.execute(query).mappings()]


def get_or_create(connection: Connection, name: str, taxpayer: str) -> StoredAccount:
    """The account of this name. ``taxpayer`` is what the settings say now: it wins over what was stored."""
    new = insert_into(connection, account).values(name=name, taxpayer=taxpayer)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["name"], set_={"taxpayer": taxpayer}, where=account.c.taxpayer != taxpayer
        )
    )
    found = get(connection, name)
    assert found is not None
    return found


def note_key(connection: Connection, said: StoredAccount) -> None:
    """Keep what GetApiKeyInfo said about the account's key; ``key_state`` is our verdict in a word or two."""
    facts = {name: getattr(said, name) for name in OF_THE_KEY}
    connection.execute(account.update().where(account.c.id == said.id).values(**facts))


def note_key_state(connection: Connection, account_id: int, key_state: str) -> None:
    """Keep why a key cannot be used."""
    connection.execute(account.update().where(account.c.id == account_id).values(key_state=key_state))
