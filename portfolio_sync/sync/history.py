"""Read a history stream (ledgers, trades): the gaps in its coverage, page by page, then compare the counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from portfolio_sync.core.instant import SECOND
from portfolio_sync.core.period import Period
from portfolio_sync.errors import Refused
from portfolio_sync.sync.coverage import UNBOUNDED, wanted, whole, work
from portfolio_sync.sync.export import read_reports
from portfolio_sync.sync.late import Counts, find_late
from portfolio_sync.sync.reading import Reading, server_time
from portfolio_sync.sync.slice import Slice
from portfolio_sync.sync.streams import Record
from portfolio_sync.sync.walk import Page, Position, Step, walk


def read_history(reading: Reading) -> None:
    """Every asset class of the stream, the first one always, the others where they can hold something new."""
    for aclass in reading.stream.classes:
        part = Slice(reading, aclass)
        if not aclass or _may_hold_new(part):
            _read(part)


def _may_hold_new(part: Slice) -> bool:
    """Where it was never read, once a day, and when this sync brought rows to an account that has held the class."""
    book, reading = part.reading.job.book, part.reading
    covered = book.coverage(part.key)
    if reading.deep or not covered or (book.rows_new > 0 and book.holds(part.aclass)):
        return True
    gaps = work(wanted(reading.window, reading.now), covered, timedelta(0))
    return any(gap.start < covered[-1].end for gap in gaps)


def _read(part: Slice) -> None:
    reading, book = part.reading, part.reading.job.book
    window, before = wanted(reading.window, reading.now), book.rows_new
    book.uncover_after(part.key, reading.now)
    covered = [] if reading.job.request.full else book.coverage(part.key)
    gaps = work(window, covered, _overlap(part))
    if reported := read_reports(part, window, gaps):
        # A report can take its time: what was booked meanwhile, and the newest of what it holds, is read by pages.
        part = replace(part, reading=replace(reading, now=server_time(reading.job.client)))
        window = wanted(reading.window, part.reading.now)
        gaps = work(window, [*covered, *reported], reading.job.account.sync.overlap)
    try:
        counted = [_read_gap(part, gap) for gap in gaps]
    except Refused as error:
        if part.aclass and error.error.startswith("EGeneral:Invalid arguments"):
            return  # a server that does not know the class has no rows of it
        raise
    if counted and reading.job.request.bounds == UNBOUNDED:
        _compare(part, window, counted[-1], quiet=book.rows_new == before)


def _overlap(part: Slice) -> timedelta:
    """How much of what is covered to read again; nothing while a killed walk waits to be finished."""
    settings = part.reading.job.account.sync
    if part.reading.job.book.position(part.key):
        return timedelta(0)
    return settings.deep_overlap if part.reading.deep else settings.overlap


def _read_gap(part: Slice, gap: Period) -> int | None:
    """Walk one gap; returns how many rows the exchange counts up to its end, None where it does not say."""
    reading = part.reading
    first: int | None = None
    moved = False
    seen: dict[str, datetime] = {}
    resumed = _resumable(part, gap)
    for number, step in enumerate(walk(gap, part.page, resumed)):
        _commit(part, step)
        seen.update({row.id: row.time for row in step.rows} if reading.job.request.doubted else {})
        first = step.count if number == 0 else first
        moved = moved or step.moved
        left = (step.count or 0) - (step.position.ofs if step.position else step.count or 0)
        reading.advance(len(step.rows), step.count, max(0, left))
    if seen and not resumed:
        _strike(part, gap, seen)
    return part.page(gap.end, 0).count if moved else first


def _strike(part: Slice, gap: Period, seen: Mapping[str, datetime]) -> None:
    """Take out what is stored of ``gap`` and was not ``seen``, if the exchange counts there as many rows as were seen."""
    reading = part.reading
    asked = Period(gap.start - SECOND, gap.end)  # ``page`` asks from a second earlier on: ``start`` may be exclusive
    if part.page(gap.end, 0, start=gap.start).count != sum(asked.start < time <= asked.end for time in seen.values()):
        return
    for row_id in reading.job.book.strike(reading.stream, gap, seen, part.aclass):
        reading.job.notes.append(
            f"{row_id} was taken out of the {reading.stream.name}: the exchange does not show it (see change_log)"
        )


def _resumable(part: Slice, gap: Period) -> Position | None:
    """Where a killed walk stood, if this gap is what it had left."""
    position = part.reading.job.book.position(part.key)
    return position if position and (position.covered_from or position.anchor) == gap.end else None


def _commit(part: Slice, step: Step[Record]) -> None:
    covered = whole(step.covered, part.reading.limits) if step.covered else None
    part.reading.job.book.commit_page(part.reading.stream, part.wanted(step.rows), part.key, covered, step.position)


def _compare(part: Slice, window: Period, theirs: int | None, *, quiet: bool) -> None:
    """More rows there than here: find them, once for each pair of counts, because ``count`` itself can be wrong.

    ``quiet``: this sync brought nothing, so an unchanged count needs no counting of ours.
    """
    book, table = part.reading.job.book, part.reading.stream.table
    seen = book.counts_seen(part.name_of_counts)
    if theirs is None or (quiet and seen is not None and seen[0] == theirs):
        return
    until = Period(window.start, window.end + SECOND)
    ours = book.count(table, until, part.aclass)
    if theirs != ours and seen != (theirs, ours):
        for page in _late(part, until, theirs - ours):
            book.commit(part.reading.stream, part.wanted(page.rows))
        ours = book.count(table, until, part.aclass)
    book.remember_counts(part.name_of_counts, theirs, ours)


def _late(part: Slice, period: Period, missing: int) -> Iterator[Page[Record]]:
    book, table = part.reading.job.book, part.reading.stream.table
    quiet = timedelta(seconds=2)  # on both sides of a cut, so that no rounding of bounds can move a row across it
    counts = Counts(
        theirs=lambda p: part.page(p.end - SECOND, 0, start=p.start),
        ours=lambda p: book.count(table, p, part.aclass),
        cut=lambda p: book.quiet_second(table, p, quiet),
    )
    return find_late(period, missing, counts)
