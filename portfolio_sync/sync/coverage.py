"""Which instants are wanted, which are read, and so what is left to do. Coverage is a set of periods, not a high-water mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portfolio_sync.core.instant import EPOCH, ceil_second, floor_second
from portfolio_sync.core.period import Period, subtract, union


@dataclass(frozen=True, slots=True)
class Bounds:
    """``[start, end)`` as a user or a key limits it; None: no limit on that side."""

    start: datetime | None = None
    end: datetime | None = None

    def __and__(self, other: Bounds) -> Bounds:
        starts = [b for b in (self.start, other.start) if b is not None]
        ends = [b for b in (self.end, other.end) if b is not None]
        return Bounds(max(starts, default=None), min(ends, default=None))


UNBOUNDED = Bounds()


def wanted(bounds: Bounds, now: datetime) -> Period:
    """The window to have, in whole seconds: from the beginning of time, to the exchange's ``now``, inside ``bounds``."""
    start = floor_second(bounds.start) if bounds.start else EPOCH
    end = min(floor_second(now), ceil_second(bounds.end) if bounds.end else now)
    return Period(start, max(start, floor_second(end)))


def whole(period: Period, limits: Bounds) -> Period:
    """The part of ``period`` that counts as covered: whole seconds inside ``limits``. Of a second that the limits cut in
    two, only the rows inside were kept.
    """
    start = max(period.start, ceil_second(limits.start)) if limits.start else period.start
    end = min(period.end, floor_second(limits.end)) if limits.end else period.end
    return Period(start, max(start, end))


def work(window: Period, covered: Sequence[Period], overlap: timedelta) -> list[Period]:
    """What to read, oldest first (a killed walk is finished before a new one starts): the window less what is covered,
    but the newest ``overlap`` of that once more.
    """
    known = union(covered)
    if known:
        newest = known[-1]
        known[-1] = Period(newest.start, max(newest.start, newest.end - overlap))
    return subtract(window, known)
