"""Half-open stretches of time ``[start, end)`` and the arithmetic of sets of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """All instants ``t`` with ``start <= t < end``."""

    start: datetime
    end: datetime

    def __bool__(self) -> bool:
        return self.start < self.end

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def clamp(self, limit: Period) -> Period:
        """The part inside ``limit``; empty (false) where there is none."""
        start = max(self.start, limit.start)
        return Period(start, max(start, min(self.end, limit.end)))


def union(periods: Iterable[Period]) -> list[Period]:
    """The same instants as disjoint, non-touching periods in order."""
    merged: list[Period] = []
    for period in sorted(p for p in periods if p):
        if merged and period.start <= merged[-1].end:
            merged[-1] = Period(merged[-1].start, max(merged[-1].end, period.end))
        else:
            merged.append(period)
    return merged


def subtract(wanted: Period, covered: Iterable[Period]) -> list[Period]:
    """What of ``wanted`` is not in ``covered``, oldest first."""
    gaps: list[Period] = []
    start = wanted.start
    for period in union(covered):
        gaps.append(Period(start, min(period.start, wanted.end)))
        start = max(start, period.end)
    gaps.append(Period(start, wanted.end))
    return [gap for gap in gaps if gap]
