"""Page a newest-first history without losing a row, and without trusting anything but the rows themselves.

The window's end is frozen at a whole second, so rows booked meanwhile lie beyond it and shift nothing. Each page starts
on the last row of the page before: as long as that row comes first, the two pages adjoin. Every page says how far back
the window is now completely read, so that a killed walk goes on where it stood.

``ofs`` counts from the *anchor*, the ``end`` of the request. The anchor moves to the oldest second read so far about
every 50 pages, and whenever pages stop adjoining or the exchange's ``count`` moves: rows were booked, or dropped, under us.

Source: API reference of Ledgers and TradesHistory (newest first, ``start`` exclusive, ``end`` inclusive, 50 a page, but
never relied upon).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from portfolio_sync.core.instant import ceil_second, floor_second
from portfolio_sync.core.period import Period
from portfolio_sync.errors import Refused

ANCHOR_EVERY = 50  # pages
# Rows of the anchor second are read again after anchoring; in a dense second that costs more than it saves.
DENSE_SECOND = 10
STUCK = 5  # pages in a row without a new row: the exchange contradicts itself
DOUBTS = 2  # how often an end before the count is reached is asked for once more; then the count is what is wrong
FULL_PAGE = 50  # rows; only evidence that more may follow, never the step of the paging


class Row(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def time(self) -> datetime: ...


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One answer, in the exchange's order. ``count``: what the exchange says the whole window holds, if it says."""

    rows: Sequence[R]
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where an unfinished walk stands: ``ofs`` rows below the anchor were read, the last of them ``last_id``."""

    anchor: datetime
    ofs: int = 0
    last_id: str | None = None
    covered_from: datetime | None = None  # everything from here to the window's end is read


@dataclass(frozen=True, slots=True)
class Step(Generic[R]):
    """What one page brought: commit ``rows``, ``covered`` and ``position`` together. ``position`` None: the walk is done."""

    rows: Sequence[R]
    covered: Period | None
    position: Position | None
    count: int | None
    moved: bool  # the exchange's count moved, or pages did not adjoin: something was booked into what was read


Fetch = Callable[[datetime, int], Page[R]]
"""``fetch(end, ofs)``: rows with time <= end, the newest ``ofs`` of them left out."""


def walk(window: Period, fetch: Fetch[R], resume: Position | None = None) -> Iterator[Step[R]]:
    """Read all rows of ``window`` (whole seconds), newest first. Raises Refused where the exchange never makes progress."""
    position = resume or Position(window.end)
    before: Page[R] = Page(())
    pages = stuck = doubts = 0
    while True:
        back = 1 if position.ofs else 0
        page = fetch(position.anchor, position.ofs - back)
        moved = _moved(page, before, position, back)
        progress = _progresses(page, before)
        if doubts < DOUBTS and _ends_early(page, position, back):
            doubts, finished = doubts + 1, False
        else:
            position, finished = _advance(position, page, back, window)
        yield Step(_fresh(page, before), _covered(window, position), None if finished else position, page.count, moved)
        if finished:
            return
        before, pages = page, pages + 1
        stuck = 0 if progress else stuck + 1
        if stuck > STUCK:
            raise Refused("the exchange sends the same page again and again; what was read is kept, try again later")
        again = back and not progress  # the first page below a new anchor may hold nothing but rows of its second
        if moved or again or (pages >= ANCHOR_EVERY and _sparse(page)):
            position, before, pages = _anchor(position), replace(page, count=None), 0


def _moved(page: Page[R], before: Page[R], position: Position, back: int) -> bool:
    """Something was booked into, or taken out of, what was read: pages do not adjoin or the count changed."""
    adjoins = not back or (bool(page.rows) and page.rows[0].id == position.last_id)
    return not adjoins or (None not in (page.count, before.count) and page.count != before.count)


def _progresses(page: Page[R], before: Page[R]) -> bool:
    known = {row.id for row in before.rows}
    return any(row.id not in known for row in page.rows)


def _fresh(page: Page[R], before: Page[R]) -> list[R]:
    """Rows to write: also those of the page before that have changed since."""
    known = {row.id: row for row in before.rows}
    return [row for row in page.rows if known.get(row.id) != row]


def _ends_early(page: Page[R], position: Position, back: int) -> bool:
    """Nothing follows, says the page, and its count that something does: an empty page has been seen before the count was reached."""
    return len(page.rows) <= back and page.count is not None and page.count > position.ofs


def _advance(position: Position, page: Page[R], back: int, window: Period) -> tuple[Position, bool]:
    """The position after ``page``, and whether the window is read to its start."""
    if back and not any(row.id == position.last_id for row in page.rows):
        return position, False  # the page hangs in the air: between it and what was read there may be rows
    ofs = position.ofs - back + len(page.rows)
    if not page.rows:
        return replace(position, covered_from=window.start), True
    oldest = min(row.time for row in page.rows)
    finished = oldest < window.start or _is_last(page, ofs, back)
    covered = window.start if finished else min(ceil_second(oldest), position.covered_from or window.end)
    return Position(position.anchor, ofs, page.rows[-1].id, covered), finished


def _is_last(page: Page[R], ofs: int, back: int) -> bool:
    """A full page is never the last one, whatever ``count`` says; a short one is where ``count`` agrees."""
    if len(page.rows) <= back:
        return True
    return len(page.rows) < FULL_PAGE and ofs == page.count


def _covered(window: Period, position: Position) -> Period | None:
    covered = Period(max(window.start, position.covered_from or window.end), window.end)
    return covered or None


def _sparse(page: Page[R]) -> bool:
    again = floor_second(page.rows[-1].time)
    return sum(row.time >= again for row in page.rows) <= DENSE_SECOND


def _anchor(position: Position) -> Position:
    """Start counting anew just above what is not read yet."""
    covered = position.covered_from or position.anchor
    return Position(min(position.anchor, covered), covered_from=position.covered_from)
