"""Progress of a sync as the log tells it: which stream a line is about."""

from __future__ import annotations

from datetime import timedelta

from portfolio_sync.core.log import also_about, log


class Told:
    """Progress for the log."""

    def stream(self, account: str, stream: str) -> None:  # noqa: ARG002 - the log knows the account already
        also_about(stream=stream)
        log.debug("reading %s", stream)

    def advance(self, rows: int, total: int | None, calls: int, left: timedelta | None) -> None:
        log.debug("%d rows of %s, %d calls, %s left", rows, total or "unknown", calls, left or "unknown")

    def note(self, message: str) -> None:
        log.info(message)
