"""The clock is handed in wherever time matters, so that tests need not wait and a stop ends every wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol, TypeVar

T = TypeVar("T")


class Stopped(BaseException):
    """The program was asked to stop while it waited. Like KeyboardInterrupt no error, and nothing that retries catches it."""


class Clock(Protocol):
    def now(self) -> datetime:
        """This moment, aware and in UTC."""
        ...

    def sleep(self, seconds: Decimal) -> None:
        """Wait. Raises Stopped as soon as the program is asked to stop."""
        ...

    def check(self) -> None:
        """Raises Stopped where the program was asked to stop."""
        ...

    def stop(self) -> None:
        """Ask the program to stop: every wait of this clock ends, and so does every check."""
        ...


Check = Callable[[], None]
"""Raises Stopped where the program was asked to stop."""


def never() -> None:
    """A check for what nobody stops half-way."""


def until_stopped(rows: Iterator[T], check: Check, every: int = 1000) -> Generator[T, None, None]:
    """The rows, as long as nobody asks the program to stop; that is looked for each time so many were read."""
    try:
        for number, row in enumerate(rows):
            if not number % every:
                check()
            yield row
    finally:
        del rows  # whatever they are read from is still open: no traceback may keep them longer


class SystemClock:
    """The computer's clock; ``stop`` ends all its waits."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: Decimal) -> None:
        if self._stop.wait(max(0.0, float(seconds))):
            raise Stopped

    def check(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def stop(self) -> None:
        self._stop.set()
