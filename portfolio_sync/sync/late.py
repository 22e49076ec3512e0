"""Find rows that were booked late into a window we had read, in few calls, by halving where the counts differ.

``count`` itself can be wrong. It is believed only as long as it adds up: the halves must miss together what the whole
misses; otherwise the search ends and finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from portfolio_sync.core.period import Period
from portfolio_sync.sync.walk import Page, R

MOST_HALVINGS = 60  # more rows than these find are looked for in the next sync


@dataclass(frozen=True, slots=True)
class Counts(Generic[R]):
    """The two sides of the comparison. ``theirs(period)`` is one call and brings the period's newest rows along."""

    theirs: Callable[[Period], Page[R]]
    ours: Callable[[Period], int]
    cut: Callable[[Period], datetime | None]  # a quiet second near the middle of our rows


def find_late(period: Period, missing: int, counts: Counts[R]) -> Iterator[Page[R]]:
    """Pages that hold the ``missing`` rows of ``period`` (and some that we have). O(log rows) calls for each cluster."""
    todo, full = [(period, missing)], 0
    for _ in range(MOST_HALVINGS):
        if not todo:
            return
        whole, lack = todo.pop()
        cut = counts.cut(whole) if lack > 0 else None
        if cut is None:
            continue
        halves = (Period(whole.start, cut), Period(cut, whole.end))
        pages = [counts.theirs(half) for half in halves]
        full = max(full, *(len(page.rows) for page in pages))  # how many rows a full page has is never assumed
        lacks = [_lack(half, page, counts, full) for half, page in zip(halves, pages, strict=True)]
        if None in lacks or sum(filter(None, lacks)) != lack:
            return
        for half, page, part in zip(halves, pages, lacks, strict=True):
            if part and part > 0 and len(page.rows) >= (page.count or 0):
                yield page
            elif part and part > 0:
                todo.append((half, part))


def _lack(half: Period, page: Page[R], counts: Counts[R], full: int) -> int | None:
    """How many rows the exchange has more than we; None where its count is no count: a short page that claims more."""
    if page.count is None or len(page.rows) < min(page.count, full):
        return None
    return page.count - counts.ours(half)
