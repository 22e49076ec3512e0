"""Every error a user can meet, sorted by what can be done about it.

::

    PortfolioSyncError
    ├── UsageError ................ exit 2: fix the command, the settings or the surroundings
    │   ├── SettingsError           a setting is unknown, missing or wrong (the setting is named)
    │   ├── InputFileError          an imported file is not what it should be (file and row are named)
    │   ├── SurroundingsError       unwritable folder, full disk, port in use
    │   └── DatabaseError           older (upgrade it), newer (update the program), not for this user
    │       └── DatabaseAway        does not answer at the moment
    ├── KeyRefused ................ exit 3: make another key at Kraken
    │   ├── InvalidKey              unknown key, wrong secret, wrong one-time password
    │   ├── OverpoweredKey          the key can do more than read; nothing is synced with it
    │   ├── AnotherAccount          the key opens another Kraken account than the stored history is of
    │   └── PermissionMissing       the key may not read something that was asked for by name
    └── ExchangeError ............. exit 5: wait; what was read is kept
        ├── Unreachable             no usable answer after all retries
        ├── RateLimited             still refusing to be asked so often
        ├── LockedOut               too many errors on this key; do not call before the time given
        └── Refused                 an answer that retrying cannot change (unknown error, invalid arguments)

A wrong *row* is no exception: see ``core.finding``. Anything else that escapes is a bug of ours (exit 1).
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    KEY_REFUSED = 3
    NEEDS_PERSON = 4
    EXCHANGE = 5


class PortfolioSyncError(Exception):
    """Something a person can do something about; the message says what."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED


class UsageError(PortfolioSyncError):
    exit_code = ExitCode.USAGE


class SettingsError(UsageError):
    pass


class InputFileError(UsageError):
    pass


class SurroundingsError(UsageError):
    pass


class DatabaseError(UsageError):
    pass


class DatabaseAway(DatabaseError):
    """It does not answer at the moment, and may later without anybody changing a setting: a service waits for it."""


class KeyRefused(PortfolioSyncError):
    """``key_state``: how ``status`` names a key that is not to be used until somebody changed it; None: it may go on."""

    exit_code = ExitCode.KEY_REFUSED
    key_state: ClassVar[str | None] = None


class InvalidKey(KeyRefused):
    key_state = "refused by Kraken"


class OverpoweredKey(KeyRefused):
    key_state = "refused: may do more than read"


class AnotherAccount(KeyRefused):
    key_state = "refused: of another Kraken account"


class PermissionMissing(KeyRefused):
    """``permission`` names what the key lacks (Kraken's word, ``query-ledger``), or is empty where Kraken did not say."""

    def __init__(self, message: str, permission: str = "") -> None:
        super().__init__(message)
        self.permission = permission


class ExchangeError(PortfolioSyncError):
    exit_code = ExitCode.EXCHANGE


class Unreachable(ExchangeError):
    pass


class RateLimited(ExchangeError):
    pass


class LockedOut(ExchangeError):
    """``until``: no call with this key before then; each attempt would prolong the lockout."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Refused(ExchangeError):
    """``error`` is the exchange's own string, verbatim."""

    def __init__(self, message: str, error: str = "") -> None:
        super().__init__(message)
        self.error = error
