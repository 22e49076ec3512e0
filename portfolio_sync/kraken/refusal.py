"""What a person is told when a call brought nothing: one line, what happened and what helps. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from portfolio_sync.core.instant import iso
from portfolio_sync.errors import (
    ExchangeError,
    InvalidKey,
    LockedOut,
    PermissionMissing,
    PortfolioSyncError,
    RateLimited,
    Refused,
    Unreachable,
)
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.response import Failure, Remedy

ADVICE = (
    ("eapi:invalid key", "check KRAKEN_API_KEY: the key is unknown, deleted or expired"),
    (
        "eapi:invalid signature",
        "check KRAKEN_API_SECRET; if the key has two-factor authentication, set KRAKEN_API_OTP or KRAKEN_API_TOTP_SECRET",
    ),
    (
        "eapi:invalid nonce",
        "another program uses this key, or used it with larger nonces; give each program a key of its own, or a nonce window",
    ),
)


def gave_up(endpoint: Endpoint, failure: Failure, after: timedelta) -> ExchangeError:
    """Every try failed until the time was up."""
    kind = RateLimited if failure.remedy is Remedy.WAIT else Unreachable
    return kind(
        f"{endpoint.name_at_kraken}: {failure.text}; no usable answer for {round(after.total_seconds())} s. "
        "What was read is kept; run the command again later"
    )


def refused(endpoint: Endpoint, failure: Failure) -> PortfolioSyncError:
    """Another try would not help."""
    what = f"{endpoint.name_at_kraken}: {failure.text}"
    if failure.remedy is Remedy.PERMISSION:
        needed = " or ".join(endpoint.value.permissions)
        return PermissionMissing(
            f"{endpoint.name_at_kraken}: the API key lacks the permission {needed} ({failure.text})", needed
        )
    if failure.remedy in (Remedy.STOP_KEY, Remedy.NEW_NONCE):
        text = failure.text.lower()
        advice = next((words for start, words in ADVICE if text.startswith(start)), "look at the account at Kraken")
        return InvalidKey(f"{what}: {advice}")
    return Refused(f"{endpoint.name_at_kraken}: the exchange refused: {failure.text}", failure.text)


def locked_out(until: datetime) -> LockedOut:
    return LockedOut(
        f"Kraken has locked this API key out after too many errors; no call is made before {iso(until)}, "
        "because each attempt would prolong it. Check the key and secret meanwhile",
        until,
    )


def is_unknown_method(error: Refused) -> bool:
    """The server is too old to have the endpoint."""
    return error.error.lower().startswith("egeneral:unknown method")
