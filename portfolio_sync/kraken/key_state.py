"""Where the record of a key is kept between calls and runs: here the protocol, and the shortest-lived keeper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from portfolio_sync.core.key_record import KeyRecord

Change = Callable[[KeyRecord], KeyRecord]


class KeyState(Protocol):
    """``change`` is called before a nonce is sent: when it returns the record as it is now, that must have outlived a crash.

    Nobody else changes the record between what ``change`` is given and what it gives. What it raises leaves all as it was.
    """

    def change(self, change: Change) -> KeyRecord: ...


class MemoryKeyState:
    """A record that ends with the process."""

    def __init__(self) -> None:
        self.record = KeyRecord()

    def change(self, change: Change) -> KeyRecord:
        self.record = change(self.record)
        return self.record
