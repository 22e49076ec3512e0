"""Look at the key before anything is read with it: too powerful, another account's, or cut to a window."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from portfolio_sync.core.clock import Clock
from portfolio_sync.core.instant import iso
from portfolio_sync.errors import OverpoweredKey, PermissionMissing, Refused
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.key import KeyInfo, judge
from portfolio_sync.kraken.refusal import is_unknown_method

UNVERIFIED = "the exchange cannot say what this key may do: its permissions are unverified"
EXPIRES_SOON = timedelta(days=14)
AGAIN_AFTER_CALLS, AGAIN_AFTER = 50, timedelta(minutes=5)
"""When a run asks about its key again, whichever comes first: at most one call in fifty, at a tier's pace one in twenty."""


@dataclass(frozen=True, slots=True)
class Checked:
    """``info`` None: the server cannot tell (older than March 2026), the key is ``unverified``. ``missing``: stream -> permission."""

    info: KeyInfo | None
    missing: dict[str, str]
    notes: tuple[str, ...] = ()


def check_key(client: Client, allowed: Collection[str], now: datetime) -> Checked:
    """One call. Raises OverpoweredKey, naming the permissions, before anything else is asked with the key."""
    info = ask_key(client)
    if info is None:
        return Checked(None, {}, (UNVERIFIED,))
    verdict = judge(info, allowed)
    if verdict.refused:
        raise OverpoweredKey(refusal(verdict.refused))
    client.seed_nonce(info.nonce)
    return Checked(info, dict(verdict.missing), notes_on(info, now))


def ask_key(client: Client) -> KeyInfo | None:
    """What the key is; None where the server is too old to say."""
    try:
        return KeyInfo.parse(client.call(Endpoint.GET_API_KEY_INFO))
    except Refused as error:
        if is_unknown_method(error):
            return None
        raise


class Watched:
    """The key during a run. A long one asks about it again, so that one that learns to trade meanwhile is put down."""

    def __init__(self, client: Client, clock: Clock, allowed: Collection[str]) -> None:
        """The key was just asked about."""
        self._client, self._clock, self._allowed = client, clock, allowed
        self._calls, self._at = client.calls, clock.now()

    def look(self) -> None:
        """Before a call: one more where the last look is long ago. Raises OverpoweredKey, and what the client raises."""
        now = self._clock.now()
        if self._client.calls - self._calls < AGAIN_AFTER_CALLS and abs(now - self._at) < AGAIN_AFTER:
            return
        check_key(self._client, self._allowed, now)
        self._calls, self._at = self._client.calls, now


def refusal(permissions: Collection[str]) -> str:
    named = ", ".join(sorted(permissions))
    return f"the API key may do more than read: {named}; nothing was synced. Make a key with only Query permissions at Kraken"


def notes_on(info: KeyInfo, now: datetime) -> tuple[str, ...]:
    notes: list[str] = []
    if info.valid_until and info.valid_until - now < EXPIRES_SOON:
        notes.append(f"the API key expires on {iso(info.valid_until)}; make a new one in time")
    if info.query_from or info.query_to:
        start, end = (iso(t) if t else "open" for t in (info.query_from, info.query_to))
        notes.append(f"the API key sees only part of the history ({start} to {end}); nothing outside counts as covered")
    return tuple(notes)


def require(missing: dict[str, str], asked: Collection[str]) -> None:
    """A stream that was asked for by name must be readable. Raises PermissionMissing."""
    for stream in asked:
        if stream in missing:
            raise PermissionMissing(
                f"the API key may not read {stream}: it lacks the permission {missing[stream]}", missing[stream]
            )
