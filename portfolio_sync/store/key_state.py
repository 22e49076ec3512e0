"""What is remembered about an API key: its last nonce, its call counter, whether it is parked. Named by fingerprint.

Each change is a short transaction of its own: a nonce must be on disk before it is sent, whatever becomes of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from decimal import Decimal

from sqlalchemy import Connection, Engine, bindparam, text

from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.store.engine import is_sqlite, reading, writing
from portfolio_sync.store.lease import Lease, guard
from portfolio_sync.store.schema import key_state

NAMES = tuple(KeyRecord.__dataclass_fields__)
FIELDS = [key_state.c[name] for name in NAMES]
# In words, because every call asks: a statement built anew each time costs several times as much.
_READ = f"SELECT {', '.join(NAMES)} FROM key_state WHERE fingerprint = :fingerprint"  # noqa: S608 - our own names
READ = text(_READ).columns(*FIELDS)
READ_LOCKED = text(f"{_READ} FOR UPDATE").columns(*FIELDS)
KEEP = text(
    f"INSERT INTO key_state (fingerprint, {', '.join(NAMES)}) VALUES (:fingerprint, {', '.join(f':{n}' for n in NAMES)}) "  # noqa: S608
    f"ON CONFLICT (fingerprint) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in NAMES)}"
).bindparams(*(bindparam(field.name, type_=field.type) for field in FIELDS))


class StoredKeyState:
    """The record of one key in the database. It is written under the account's lease ``held``: who lost that calls no more."""

    def __init__(self, engine: Engine, fingerprint: str, held: Lease | None = None) -> None:
        self._engine, self._fingerprint, self._held = engine, fingerprint, held

    def load(self) -> KeyRecord:
        """The key's record; a fresh one (nonce 0, counter 0) for a key never seen."""
        with reading(self._engine) as connection:
            return self._read(connection, locked=False)

    def change(self, change: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        """Keep what ``change`` makes of the record, but that the nonce never goes down. Raises LeaseLost."""
        with writing(self._engine) as connection:
            if self._held:
                guard(connection, self._held)
            before = self._read(connection, locked=True)
            after = change(before)
            after = replace(after, last_nonce=max(after.last_nonce, before.last_nonce))
            values = {**asdict(after), "last_nonce": Decimal(after.last_nonce)}
            connection.execute(KEEP, {"fingerprint": self._fingerprint, **values})
        return after

    def _read(self, connection: Connection, *, locked: bool) -> KeyRecord:
        query = READ_LOCKED if locked and not is_sqlite(connection) else READ
        row = connection.execute(query, {"fingerprint": self._fingerprint}).mappings().one_or_none()
        return KeyRecord() if row is None else KeyRecord(**{**row, "last_nonce": int(row["last_nonce"])})
