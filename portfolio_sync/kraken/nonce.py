"""Nonces: strictly increasing per key, and they can never be lowered again.

We count in milliseconds of Unix time, as most programs do, so that a key used here still works elsewhere. A key that
somebody used with a larger unit answers ``EAPI:Invalid nonce``; the next try then uses that unit.
"""

from __future__ import annotations

from datetime import datetime

from portfolio_sync.core.instant import to_unix

# Milli-, micro-, nanoseconds: how many a second.
UNITS = (10**3, 10**6, 10**9)
LARGEST = 2**64 - 1


def next_nonce(last: int, now: datetime, escalation: int = 0) -> int:
    """A nonce above ``last``. ``escalation``: how often the exchange has just called one invalid."""
    unit = UNITS[min(escalation, len(UNITS) - 1)]
    return max(last + 1, int(to_unix(now) * unit))
