"""What can go wrong on the way, switchable: which fault, at which call of which endpoint, how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from portfolio_sync.sandbox.message import warned


class Trouble(StrEnum):
    """``RESET``: the connection breaks before the call is looked at; ``CLOSED``: it ends there, in good order. ``LOST``: the
    call is done, charged and its nonce used, but the answer never arrives; ``DONE_520``: nor does it then, in the guise of a
    page of the front server. ``SHORT``: the connection ends before the announced length. ``LOCKOUT`` locks the key in earnest.
    """

    HTML_520 = "html 520"
    HTTP_502 = "http 502"
    HTTP_503 = "http 503"
    HTTP_504 = "http 504"
    RESET = "reset"
    CLOSED = "closed"
    LOST = "lost"
    DONE_520 = "done, then html 520"
    TRUNCATED = "truncated"
    SHORT = "short"
    HTTP_429 = "http 429"
    THROTTLED = "throttled"
    RATE_LIMIT = "rate limit"
    LOCKOUT = "lockout"
    UNAVAILABLE = "unavailable"
    BUSY = "busy"
    INTERNAL = "internal"
    INVALID_NONCE = "invalid nonce"
    WARNING = "warning"
    NO_RESULT = "no result"
    UNKNOWN_METHOD = "unknown method"


# Troubles that are an error of the envelope, in the exchange's words.
ERRORS = {
    Trouble.RATE_LIMIT: "EAPI:Rate limit exceeded",
    Trouble.LOCKOUT: "EGeneral:Temporary lockout",
    Trouble.UNAVAILABLE: "EService:Unavailable",
    Trouble.BUSY: "EService:Busy",
    Trouble.INTERNAL: "EGeneral:Internal error:17",
    Trouble.INVALID_NONCE: "EAPI:Invalid nonce",
    Trouble.UNKNOWN_METHOD: "EGeneral:Unknown method",
}
HTML = b"<!DOCTYPE html><html><head><title>520: Web server is returning an unknown error</title></head></html>"
# Troubles at the edge, outside the exchange's own JSON: status, content, type, more headers.
STATUS: dict[Trouble, tuple[int, bytes, str, dict[str, str]]] = {
    Trouble.HTML_520: (520, HTML, "text/html", {}),
    Trouble.DONE_520: (520, HTML, "text/html", {}),
    Trouble.HTTP_502: (502, HTML, "text/html", {}),
    Trouble.HTTP_503: (503, HTML, "text/html", {}),
    Trouble.HTTP_504: (504, HTML, "text/html", {}),
    Trouble.HTTP_429: (429, b"", "text/plain", {"Retry-After": "1"}),
}
# Troubles of the answer to a call that was carried out.
CHANGED: dict[Trouble, Callable[[bytes], bytes]] = {
    **dict.fromkeys((Trouble.LOST, Trouble.DONE_520, Trouble.SHORT), bytes),
    Trouble.TRUNCATED: lambda content: content[: len(content) // 2],
    Trouble.WARNING: warned,
    Trouble.NO_RESULT: lambda _: b'{"error":[]}',
}
# The call is not carried out, but its nonce is gone: a client that sends the same one again is refused.
NONCE_SPENT = frozenset({Trouble.HTML_520, Trouble.HTTP_502, Trouble.HTTP_504, Trouble.THROTTLED, *ERRORS})


@dataclass(slots=True)
class Fault:
    """``trouble`` at the ``nth`` call (counted from 1) of ``method`` (None: of any), ``times`` times in a row.

    Instead of a trouble, ``act`` may do something to the exchange just before the call is answered: book a row, say; and
    ``alter`` may change what the answer of a call that was carried out says.
    """

    trouble: Trouble | None = None
    method: str | None = None
    nth: int = 1
    times: int = 1
    act: Callable[[], None] | None = None
    alter: Callable[[bytes], bytes] | None = None
    seen: int = 0

    def strikes(self, method: str) -> bool:
        """Whether this call is one of those. Counts it."""
        if self.method not in (None, method):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


def words(trouble: Trouble, now: Decimal) -> str:
    """What the envelope says; nothing where the trouble shows outside of it."""
    return throttled(now) if trouble is Trouble.THROTTLED else ERRORS.get(trouble, "")


def throttled(now: Decimal) -> str:
    """With the space after the colon that has been seen."""
    return f"EService: Throttled: {int(now) + 2}"
