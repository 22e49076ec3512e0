"""Judge how an account does: is it fresh, is it proven, what is the matter with it. Pure; the facts are ``store.vitals``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portfolio_sync.core.instant import iso
from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.service.schedule import missed_at
from portfolio_sync.settings.model import Account
from portfolio_sync.store.vitals import Vitals
from portfolio_sync.sync.key import EXPIRES_SOON

PROVEN = ("proven", "windowed")
REFUSED = "refused"  # how the state of a key begins that is not to be used
# What is told once when it begins and once when it ends, and how the two are called.
ALERTS = {
    "stale": ("is stale", "is fresh again"),
    "unproven": ("is not proven", "is proven again"),
    "key-refused": ("its API key is refused", "its API key works again"),
    "key-expires": ("its API key expires soon", "its API key no longer expires soon"),
}
# Error for what needs a person, warning for what may mend itself or has time.
LEVELS = {
    "stale": logging.WARNING,
    "unproven": logging.ERROR,
    "key-refused": logging.ERROR,
    "key-expires": logging.WARNING,
}


@dataclass(frozen=True, slots=True)
class Health:
    """``reasons``: why the account is not ready, code -> words. ``alerts``: alert -> words, None where it is off.

    An alert that is not in ``alerts`` cannot be told at the moment, and stays as it was.
    """

    synced_at: datetime | None
    stale_at: datetime | None
    reasons: Mapping[str, str] = field(default_factory=dict)
    alerts: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return not self.reasons


def judge(vitals: Vitals, account: Account, stale_after: int, now: datetime, key: KeyRecord | None = None) -> Health:
    """``account`` as the settings have it; ``stale_after``: runs of its schedule. ``key``: what is remembered about its key."""
    synced_at = synced(vitals, account)
    stale_at = missed_at(account.sync.schedule, account.sync.jitter, synced_at, stale_after) if synced_at else None
    staleness, refusal, proof = _staleness(vitals, synced_at, stale_at, now), _refusal(vitals), _unproven(vitals)
    reasons = {
        "never-synced" if synced_at is None else "stale": staleness,
        "key-refused": refusal,
        "parked": f"no call with its key before {iso(key.parked_until)}: locked out by Kraken"
        if key and key.parked_until and key.parked_until > now else None,
        "proof": proof,
    }  # fmt: skip
    alerts = {"stale": _stale_alert(vitals, staleness, synced_at), "key-expires": _expiry(vitals, now)}
    if vitals.outcome == "ok" or refusal:  # an error of another kind says nothing about the key
        alerts["key-refused"] = refusal
    if not vitals.running and synced_at and not _may_settle(vitals, account, stale_after, now):
        alerts["unproven"] = proof  # between reading and proving nothing is proven
    return Health(synced_at, stale_at, {code: words for code, words in reasons.items() if words}, alerts)


def synced(vitals: Vitals, account: Account) -> datetime | None:
    """How far everything that the key may read is known to be up to date; None where a stream was never read."""
    known = [vitals.streams.get(name) for name in account.sync.streams]
    times = [one.last_success_at if one else None for one in known if one is None or one.error is None]
    reached = [time for time in times if time]
    return min(reached) if reached and len(reached) == len(times) else None


def _staleness(vitals: Vitals, synced_at: datetime | None, stale_at: datetime | None, now: datetime) -> str | None:
    if synced_at is None or stale_at is None:
        return f"never synced to the end{_because(vitals)}"
    return f"last synced {iso(synced_at)}, stale since {iso(stale_at)}{_because(vitals)}" if stale_at <= now else None


def _stale_alert(vitals: Vitals, staleness: str | None, synced_at: datetime | None) -> str | None:
    """A new account is not stale while its first sync goes on; it is when that failed."""
    first_sync = synced_at is None and vitals.last_outcome != "error" and vitals.outcome != "error"
    return None if first_sync else staleness


def _because(vitals: Vitals) -> str:
    return f": {vitals.error}" if vitals.error and vitals.outcome == "error" else ""


def _refusal(vitals: Vitals) -> str | None:
    state = vitals.account.key_state
    return (vitals.error or state) if state and state.startswith(REFUSED) else None


def _unproven(vitals: Vitals) -> str | None:
    words = f"the proof is {vitals.proof}: run portfolio-sync verify --account {vitals.account.name}"
    return None if vitals.proof in PROVEN else words


def _may_settle(vitals: Vitals, account: Account, stale_after: int, now: datetime) -> bool:
    """A busy account books rows while its balances are read: that is no news, unless no run finds it at rest."""
    since = vitals.unsettled_since
    return since is not None and missed_at(account.sync.schedule, account.sync.jitter, since, stale_after) > now


def _expiry(vitals: Vitals, now: datetime) -> str | None:
    until = vitals.account.valid_until
    if until is None or until - now > EXPIRES_SOON:
        return None
    return f"the API key {'expired' if until <= now else 'expires'} on {iso(until)}; make a new one at Kraken"
