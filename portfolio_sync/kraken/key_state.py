"""Where the record of a key is kept between calls and runs: here the protocol, and the shortest-lived keeper."""

from __future__ import annotations

from typing import Protocol

from portfolio_sync.core.key_record import KeyRecord


class KeyState(Protocol):
    """``save`` is called before a nonce is sent: when it returns, the record must have outlived a crash."""

    def load(self) -> KeyRecord: ...
    def save(self, record: KeyRecord) -> None: ...


class MemoryKeyState:
    """A record that ends with the process."""

    def __init__(self) -> None:
        self.record = KeyRecord()

    def load(self) -> KeyRecord:
        return self.record

    def save(self, record: KeyRecord) -> None:
        self.record = record
