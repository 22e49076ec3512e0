"""What is remembered about an API key: its last nonce, its call counter, whether it is parked. Named by fingerprint.

Each load and save is a short transaction of its own: a nonce must be on disk before it is sent, whatever becomes of the page.
"""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal

from sqlalchemy import Engine, select

from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.store.engine import insert_into, reading, writing
from portfolio_sync.store.lease import Lease, guard
from portfolio_sync.store.schema import key_state

FIELDS = [key_state.c[name] for name in KeyRecord.__dataclass_fields__]


class StoredKeyState:
    """The record of one key in the database. It is written under the account's lease ``held``: who lost that calls no more."""

    def __init__(self, engine: Engine, fingerprint: str, held: Lease | None = None) -> None:
        self._engine, self._fingerprint, self._held = engine, fingerprint, held

    def load(self) -> KeyRecord:
        """The key's record; a fresh one (nonce 0, counter 0) for a key never seen."""
        with reading(self._engine) as connection:
            row = (
                connection.execute(select(*FIELDS).where(key_state.c.fingerprint == self._fingerprint))
                .mappings()
                .one_or_none()
            )
        return KeyRecord() if row is None else KeyRecord(**{**row, "last_nonce": int(row["last_nonce"])})

    def save(self, record: KeyRecord) -> None:
        """Keep ``record``. The nonce never goes down: another process may have taken a later one. Raises LeaseLost."""
        values = asdict(record)
        with writing(self._engine) as connection:
            if self._held:
                guard(connection, self._held)
            stored = connection.scalar(
                select(key_state.c.last_nonce).where(key_state.c.fingerprint == self._fingerprint).with_for_update()
            )
            values["last_nonce"] = max(Decimal(record.last_nonce), stored or Decimal(0))
            new = insert_into(connection, key_state).values(fingerprint=self._fingerprint, **values)
            connection.execute(new.on_conflict_do_update(index_elements=["fingerprint"], set_=values))
