"""Ask something that may hang (a database), and wait only so long for the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from portfolio_sync.errors import DatabaseError

T = TypeVar("T")


class Bounded:
    """At most ``many`` questions hang at once; who comes then is told so instead of waiting, too."""

    def __init__(self, seconds: float, many: int = 3) -> None:
        self.seconds = seconds
        self._room = threading.BoundedSemaphore(many)

    def ask(self, question: Callable[[], T]) -> T:
        """The answer. Raises what the question raises, and DatabaseError where it takes too long."""
        if not self._room.acquire(timeout=self.seconds):
            raise self._too_long()
        asked = _Asked(question, self._room.release)
        if not asked.done.wait(self.seconds):
            raise self._too_long()
        if asked.error:
            raise asked.error
        return asked.answers[0]

    def _too_long(self) -> DatabaseError:
        return DatabaseError(f"the database did not answer within {self.seconds:g} s")


class _Asked(Generic[T]):
    """A question in a thread of its own, which ends with the process if it never ends by itself."""

    def __init__(self, question: Callable[[], T], after: Callable[[], None]) -> None:
        self._question, self._after = question, after
        self.done = threading.Event()
        self.answers: list[T] = []
        self.error: Exception | None = None
        threading.Thread(target=self._ask, name="question", daemon=True).start()

    def _ask(self) -> None:
        try:
            self.answers.append(self._question())
        except Exception as error:  # noqa: BLE001 - raised again where it was asked
            self.error = error
        finally:
            self.done.set()
            self._after()
