"""A long history in stretches of time: what most rows mean hangs on their neighbours alone.

Near rows (fills, conversions, rewards, margin, moves inside Kraken) are grouped within a minute, so a quiet minute parts them.
Far rows (deposits, withdrawals, what leaves for places without a ledger) may belong together at any distance: they are read as a
whole. ``normalize`` of all rows at once gives the same events; a person's statements can make any row anything, so rows
that were spoken of are not read this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from portfolio_sync.core.event import Event
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.events import normalize
from portfolio_sync.normalize.group import SAME_CONVERSION
from portfolio_sync.normalize.own_transfers import Marks, reunited
from portfolio_sync.normalize.rules import Rules, Treatment

FAR = frozenset({Treatment.FUNDING, Treatment.OUTSIDE, Treatment.UNEXPLAINED})
QUIET = SAME_CONVERSION
LOOK_BACK = timedelta(days=1)
"""In so much time before a moment a quiet minute is looked for."""


def far_types(rules: Rules) -> frozenset[str]:
    """Types of ledger rows that may be far; others of these types may be near."""
    return frozenset(rule.type for rule in rules.every if rule.treatment in FAR)


def is_far(row: LedgerRow, rules: Rules) -> bool:
    return rules.rule_for(row.type, row.subtype).treatment in FAR


def far_events(rows: Iterable[LedgerRow], rules: Rules, marks: Marks) -> tuple[Event, ...]:
    """The events of all far rows of an account; others among ``rows`` are passed over."""
    return reunited(normalize((row for row in rows if is_far(row, rules)), (), rules), marks).events


def near_events(stretch: Iterable[LedgerRow], rules: Rules) -> tuple[Event, ...]:
    """The events of the near rows of a stretch."""
    return normalize((row for row in stretch if not is_far(row, rules)), (), rules).events


def last_quiet(rows: Sequence[LedgerRow]) -> int | None:
    """Where among ``rows``, sorted by time, the last stretch begins; None: they are one."""
    return next((i for i in range(len(rows) - 1, 0, -1) if rows[i].time - rows[i - 1].time > QUIET), None)


def quiet_before(rows: Iterable[LedgerRow], moment: datetime) -> datetime | None:
    """The newest time up to ``moment`` at which a stretch can begin; ``rows``: those of ``LOOK_BACK`` before it. None: it was never quiet."""
    found, last = None, moment - LOOK_BACK
    for row in rows:
        if row.time - last > QUIET:
            found = row.time
        last = row.time
    return moment if moment - last > QUIET else found
