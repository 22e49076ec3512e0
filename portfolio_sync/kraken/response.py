"""From bytes to a result, or to a failure with its remedy. Pure: it decides, the client acts.

Source: API guide "Spot REST errors"; application errors come with HTTP status 200, any other status did not reach Kraken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any


class Remedy(Enum):
    """What to do about a failed call."""

    RETRY = "retry"  # again, later and later
    NEW_NONCE = "new nonce"  # again with a larger nonce, a few times
    WAIT = "wait"  # the call counter is full: wait until it has decayed
    PARK = "park"  # the key is locked out: not a call for a quarter of an hour
    STOP_KEY = "stop key"  # the key will not work, however often it is tried
    PERMISSION = "permission"  # the key lacks a permission for this endpoint
    FAIL = "fail"  # retrying cannot change it


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call brought no result. ``until``: Unix seconds, ``delay``: seconds; where the exchange gave one."""

    remedy: Remedy
    text: str
    delay: Decimal | None = None
    until: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A result, with the warnings that came beside it."""

    result: Any
    warnings: tuple[str, ...] = ()


# The first prefix that fits, upper and lower case alike. Source: kraken errors guide, and what clients have met.
REMEDIES: tuple[tuple[str, Remedy], ...] = (
    ("EAPI:Invalid key", Remedy.STOP_KEY),
    ("EAPI:Invalid signature", Remedy.STOP_KEY),
    ("EAPI:Feature disabled", Remedy.STOP_KEY),
    ("EAPI:Invalid nonce", Remedy.NEW_NONCE),
    ("EAPI:Bad request", Remedy.FAIL),
    ("EAPI:Rate limit exceeded", Remedy.WAIT),
    ("EAuth:Rate limit exceeded", Remedy.WAIT),
    ("EGeneral:Too many requests", Remedy.WAIT),
    ("EAuth:Too many requests", Remedy.WAIT),
    ("EOrder:Rate limit exceeded", Remedy.WAIT),
    ("EGeneral:Temporary lockout", Remedy.PARK),
    ("EGeneral:Permission denied", Remedy.PERMISSION),
    ("EGeneral:Internal error", Remedy.RETRY),
    ("EGeneral:Timeout", Remedy.RETRY),
    ("EService:Unavailable", Remedy.RETRY),
    ("EService:Busy", Remedy.RETRY),
    ("EService:Timeout", Remedy.RETRY),
    ("EService:Deadline elapsed", Remedy.RETRY),
    ("EService:Throttled", Remedy.RETRY),
    ("EDatabase:Internal error", Remedy.RETRY),
    ("EAuth:Account temporary disabled", Remedy.STOP_KEY),
    ("EAuth:Account unconfirmed", Remedy.STOP_KEY),
    ("EAccount:Invalid permissions", Remedy.STOP_KEY),
)
# Several errors at once: the one that forbids most decides.
GRAVEST = (Remedy.PARK, Remedy.STOP_KEY, Remedy.PERMISSION, Remedy.FAIL, Remedy.NEW_NONCE, Remedy.WAIT, Remedy.RETRY)
EMPTY_WITHOUT_RESULT = (
    "Balance",
    "BalanceEx",
)  # an account with nothing in it has been seen to answer without `result`


LONGEST_TEXT = 300  # characters of an error that are shown


def read(status: int, headers: Mapping[str, str], body: bytes, method: str) -> Answer | Failure:
    """Read one HTTP answer. ``method`` is the last part of the endpoint's path."""
    document = _document(body)
    errors = [_one_line(e) for e in (document or {}).get("error", ())]
    failures = [_failure(text) for text in errors if not text.startswith("W")]
    if failures:
        worst = min(failures, key=lambda failure: GRAVEST.index(failure.remedy))
        if status == 200 or worst.remedy is not Remedy.FAIL:  # beside another status only what we know is Kraken's word
            return Failure(worst.remedy, "; ".join(f.text for f in failures), _retry_after(headers), worst.until)
    if status != 200 or document is None:
        return _not_kraken(status, headers, body)
    if "result" not in document and method not in EMPTY_WITHOUT_RESULT:
        return Failure(Remedy.RETRY, "an answer without a result")
    return Answer(document.get("result", {}), tuple(text for text in errors if text.startswith("W")))


def _document(body: bytes) -> dict[str, Any] | None:
    """The envelope, numbers exact (never through a float); None where the body is none: a page of HTML, half an answer."""
    try:
        document = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=str)
    except (UnicodeDecodeError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and isinstance(document.get("error"), list) else None


def _not_kraken(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Something between us and Kraken answered. Reads are safe to repeat, so everything but a plain refusal is retried."""
    what = f"HTTP {status}" if status != 200 else f"an answer that is not Kraken's JSON ({len(body)} bytes)"
    after = _retry_after(headers)
    if status in (400, 401, 403, 404, 405, 413, 414) and b"<" not in body[:1]:
        return Failure(Remedy.FAIL, what)
    return Failure(Remedy.WAIT if status == 429 and after is None else Remedy.RETRY, what, after)


def _retry_after(headers: Mapping[str, str]) -> Decimal | None:
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return Decimal(text) if re.fullmatch(r"\d{1,6}", text.strip()) else None


def _one_line(error: object) -> str:
    """An error string fit to be shown: it comes from outside."""
    return "".join(c if c.isprintable() else " " for c in str(error))[:LONGEST_TEXT]


def _failure(text: str) -> Failure:
    squeezed = _squeezed(text)
    remedy = next((r for prefix, r in REMEDIES if squeezed.startswith(_squeezed(prefix))), Remedy.FAIL)
    # "EService: Throttled: <unix time>": not before that time
    stamp = re.search(r"throttled:(\d{1,20}(?:\.\d+)?)", squeezed)
    return Failure(remedy, text, until=Decimal(stamp[1]) if stamp else None)


def _squeezed(text: str) -> str:
    """Both ``EService: Throttled`` and ``EService:Throttled`` occur."""
    return re.sub(r"\s", "", text).lower()
