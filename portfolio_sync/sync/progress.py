"""What a running sync tells whoever watches: nothing, log lines, or a bar."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol


class Progress(Protocol):
    """``total`` is what the exchange counts, None where it does not say; ``left`` the time at the tier's pace."""

    def stream(self, account: str, stream: str) -> None: ...
    def advance(self, rows: int, total: int | None, calls: int, left: timedelta | None) -> None: ...
    def note(self, message: str) -> None: ...


class Silent:
    """Progress that nobody watches."""

    def stream(self, account: str, stream: str) -> None:
        pass

    def advance(self, rows: int, total: int | None, calls: int, left: timedelta | None) -> None:
        pass

    def note(self, message: str) -> None:
        pass
