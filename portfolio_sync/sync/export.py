"""Fetch a long history by export report: a dozen calls whatever its size, where pages take one for every 50 rows.

Whatever goes wrong with a report is noted, and the pages bring its rows.

Reports cut times to whole seconds and name assets their own way; they come into the same rows, by id, and a row that pages
brought stays as it is. Of classes that the exchange keeps apart (tokenized assets) nobody says whether reports hold
them: what they hold is kept, but the class counts as read only where the exchange counts as many rows, else by pages.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import IO
from zipfile import BadZipFile

from portfolio_sync.core.instant import SECOND, from_unix
from portfolio_sync.core.period import Period, subtract
from portfolio_sync.errors import (
    InputFileError,
    PermissionMissing,
    PortfolioSyncError,
    RateLimited,
    Refused,
    Unreachable,
)
from portfolio_sync.files.kraken import Skipped, kind_of, rows
from portfolio_sync.files.sheet import open_sheets
from portfolio_sync.store.export_job import ExportJob, State
from portfolio_sync.sync.coverage import Bounds, whole
from portfolio_sync.sync.export_job import EARLIEST, Desk, Listed, ReportFailed
from portfolio_sync.sync.reading import Via
from portfolio_sync.sync.slice import Slice

WORTH = 2_000
"""Rows. Below, pages take about as long, and their times are finer."""
WORTH_OF_CLASS = 200
"""Rows of a class kept apart: above, it is worth a look whether a report brought them all."""
FAILURES = (Refused, Unreachable, RateLimited, PermissionMissing)
Row = Mapping[str, object]


class TooFew(ReportFailed):
    """The report holds fewer rows than the exchange counts."""

    def __init__(self, rows: int, least: int) -> None:
        super().__init__(f"the export report holds {rows:,} rows where the exchange counts {least:,}")
        self.rows = rows


def read_reports(part: Slice, window: Period, gaps: Sequence[Period]) -> list[Period]:
    """Read by report those of ``gaps`` that are worth it; returns what is read now, for pages to read the rest.

    Goes on first with a report that an earlier run asked for. Raises what went wrong only where a report was asked for by name.
    """
    reading = part.reading
    if reading.via is Via.PAGES:
        return []
    if part.aclass:
        return [gap for gap in gaps if _came_along(part, gap)]
    read: list[Period] = []
    try:
        desk = Desk(reading)
        job = desk.left_over()
        if job and not _fits(job.period, window, gaps):
            desk.clear(job)
            job = None
        for gap in gaps:
            if any(gap.start in done for done in read):
                continue
            if job and gap.start in job.period:
                read.append(_read(part, desk, job, part.count(job.period, WORTH)))
                job = None
            elif (least := _least(part, gap)) is not None:
                read.append(_read(part, desk, desk.ask(gap), least))
    except FAILURES as error:
        if reading.via is Via.EXPORT or _not_about_reports(error):
            raise
        reading.job.notes.append(f"{reading.stream.name}: read page by page, because of its export report: {error}")
    return read


def _came_along(part: Slice, gap: Period) -> bool:
    """Whether the report of the other classes held all rows that the exchange counts of this one; notes the gap as read then."""
    book, stream = part.reading.job.book, part.reading.stream
    ours = book.count(stream.table, Period(gap.start, gap.end + SECOND), part.aclass)
    if ours <= WORTH_OF_CLASS or book.position(part.key) or not _is_unread(part, gap) or part.count(gap, ours) != ours:
        return False
    part.forget()
    book.commit_page(stream, [], part.key, whole(gap, part.reading.window), None)
    return True


def _not_about_reports(error: PortfolioSyncError) -> bool:
    return isinstance(error, PermissionMissing) and error.permission != "export-data"


def _fits(asked: Period, window: Period, gaps: Sequence[Period]) -> bool:
    """Whether a report asked for ``asked`` brings what is still missing, and nothing that is not wanted."""
    return asked.clamp(window) == asked and any(gap.start in asked for gap in gaps)


def _least(part: Slice, gap: Period) -> int | None:
    """How many rows a report of ``gap`` must hold; None where pages are to read it.

    Only what was never read is asked for: a report cannot tell what changed in rows that pages brought. And only where
    more is missing than the regular reading again, so that this costs no call in everyday syncs.
    """
    if part.reading.via is Via.EXPORT:
        return part.count(gap, WORTH)
    if not _is_unread(part, gap):
        return None
    least = part.count(gap, WORTH)
    return least if least > WORTH else None


def _is_unread(part: Slice, gap: Period) -> bool:
    """Whether it is more than the regular reading again, and nearly all of it was never read."""
    unread = _length(subtract(gap, part.reading.job.book.coverage(part.key)))
    again = part.reading.job.account.sync.deep_overlap
    return unread > again and _length([gap]) - unread <= again


def _length(periods: Iterable[Period]) -> timedelta:
    return sum((period.end - period.start for period in periods), timedelta(0))


def _read(part: Slice, desk: Desk, job: ExportJob, least: int) -> Period:
    """Wait for the report, write its rows, remove it. Returns the period that is read now."""
    part.forget()
    try:
        covered = _covered(job.period, desk.wait(job), part.reading.window)
        part.reading.look_at_key()  # the report took its time
        with desk.fetch(job) as file:
            try:
                _write(part, job, covered, _at_least(least, _rows(part, file)))
            except TooFew as few:
                if part.page(job.period.end, few.rows, job.period.start).rows:
                    raise
                file.seek(0)  # nothing is behind what the report holds: it is the count that is wrong
                _write(part, job, covered, _at_least(few.rows, _rows(part, file)))
    except FAILURES:
        desk.clear(job)
        raise
    desk.clear(job)
    return covered


def _covered(period: Period, listed: Listed, window: Bounds) -> Period:
    """What the report holds completely: what was asked for, less what the key's window, or the exchange, cut off."""
    asked = whole(period, window)
    earliest = from_unix(EARLIEST)  # the first instant that can be asked for; nothing was before it
    start = listed.start if listed.start and listed.start > earliest else asked.start
    return asked.clamp(Period(start, listed.end or asked.end))


def _write(part: Slice, job: ExportJob, covered: Period, found: Iterable[Row]) -> None:
    """All rows, what they complete, and that the report has served: in one transaction."""
    reading = part.reading
    # Times are cut to the second and periods are whole seconds: this is exact.
    inside = (row for row in found if row["time"] in covered)  # type: ignore[operator]  # a mapping of columns
    done = reading.job.book.commit_report(reading.stream, inside, part.key, covered, replace(job, state=State.DONE))
    count = done.new + done.changed + done.confirmed + done.unchanged
    reading.advance(count, count, 0)
    if done.conflicts:
        first = done.conflicts[0]
        reading.job.notes.append(
            f"{reading.stream.name}: the export report says otherwise than the API in {len(done.conflicts)} places (first: "
            f"{first.row_id}, {first.field}: {first.incoming} instead of {first.stored}); the API's figures were kept"
        )


def _rows(part: Slice, file: IO[bytes]) -> Iterator[Row]:
    """The rows of the report's file. Raises ReportFailed where it is not what was asked for, or cannot be read."""
    name = part.reading.stream.name
    sheets = 0
    try:
        for sheet in open_sheets(file, f"export of {name}"):
            sheets += 1
            if kind_of(sheet.header) != name:
                raise ReportFailed(f"export of {name}: the file has the columns {', '.join(sheet.header)}")
            for row in rows(sheet, part.reading.assets, "export", part.reading.job.notes.append):
                if not isinstance(row, Skipped):  # a movement under way: its booked row comes beside it or later
                    yield row
    except (InputFileError, BadZipFile, zlib.error, EOFError) as error:
        raise ReportFailed(f"export of {name}: {error}") from error
    if not sheets:
        raise ReportFailed(f"export of {name}: the ZIP holds no file")


def _at_least(least: int, found: Iterator[Row]) -> Iterator[Row]:
    """Passes the rows on, and ends in an error where they were fewer: then nothing of them is written."""
    count = 0
    for count, row in enumerate(found, 1):  # noqa: B007 - the last number is what counts
        yield row
    if count < least:
        raise TooFew(count, least)
