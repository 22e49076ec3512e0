"""One export report at the exchange: asked for, waited for, fetched, removed. Each step is on record before the next one.

A report is ours by its description, which holds the moment it was asked for; nothing else is ever removed. The id alone
proves nothing: four letters come round again.

Source: API reference of AddExport, ExportStatus, RetrieveExport, RemoveExport.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from portfolio_sync.core.instant import SECOND, from_unix, iso, to_unix
from portfolio_sync.core.period import Period
from portfolio_sync.errors import PermissionMissing, RateLimited, Refused, Unreachable
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.store.export_job import ExportJob, State
from portfolio_sync.sync.reading import Reading

FIRST_WAIT, GROWTH = Decimal(5), 2  # seconds; nine looks in half an hour
MISSES = 2  # looks in a row that do not list a report: it is gone
PENDING, READY = frozenset({"queued", "processing"}), "processed"
EARLIEST = 1  # Unix seconds: a 0 might be taken for "not given", which means the first of this month


class ReportFailed(Refused):
    """This report will not bring the rows; pages can."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What ExportStatus says of a report. ``start``, ``end``: where its rows are from, None where it does not say."""

    id: str
    description: str
    status: str
    start: datetime | None
    end: datetime | None

    @property
    def ready(self) -> bool:
        return self.status == READY

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Listed:
        return cls(
            str(fields.get("id", "")),
            str(fields.get("descr", "")),
            str(fields.get("status", "")).lower(),
            _instant(fields.get("datastarttm")),
            _instant(fields.get("dataendtm")),
        )


class Desk:
    """Where the reports of one stream are asked for."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.name = reading, reading.stream.name
        self.client, self.book, self.clock = reading.job.client, reading.job.book, reading.job.clock
        self._answered: set[str] = set()  # ids that the exchange gave to this very run
        self._last: Listed | None = None  # what the last look at a report of ours showed

    def left_over(self) -> ExportJob | None:
        """The report that an earlier run asked for, if it is still wanted and still there. Anything else of it is cleared."""
        job = self.book.export_job(self.name)
        if job is None:
            return None
        job, listed = self._look(job)
        if listed is not None and job.state is not State.DONE:
            self.say(f"export of {self.name}: going on with the report asked for at {iso(job.requested_at)}")
            return job
        self.clear(job)
        return None

    def ask(self, period: Period) -> ExportJob:
        """Ask for the rows of ``period`` (whole seconds)."""
        job = ExportJob(self.name, self.clock.now(), period)
        self.book.keep_export(job)
        self._last = None
        try:
            answer = self._add(job)
        except (Refused, PermissionMissing):
            self.book.forget_export(self.name)  # there is none
            raise
        id_ = str(answer.get("id") or "") if isinstance(answer, Mapping) else ""
        if not id_:
            raise ReportFailed(f"export of {self.name}: the exchange gave the report no id")
        self._answered.add(id_)
        job = replace(job, export_id=id_, state=State.ASKED)
        self.book.keep_export(job)
        self.say(f"export of {self.name} requested, waiting")
        return job

    def _add(self, job: ExportJob) -> Any:
        """AddExport, both ends of the window always given."""
        seen = int(to_unix(self.reading.seen.start)) if self.reading.seen.start else EARLIEST
        return self.client.call(
            Endpoint.ADD_EXPORT,
            report=self.name,
            description=self._describe(job),
            format="CSV",
            starttm=str(max(int(to_unix(job.period.start - SECOND)), seen, EARLIEST)),
            endtm=str(int(to_unix(job.period.end))),
        )

    def wait(self, job: ExportJob) -> Listed:
        """Look less and less often until the report is ready. Raises ReportFailed where it will not be in time."""
        patience = self.reading.job.account.sync.export_wait
        delay, misses = FIRST_WAIT, 0
        if job.export_id in self._answered:
            self.clock.sleep(delay)
        while True:
            _, listed = self._look(job)
            if listed is not None and listed.ready:
                return listed
            misses = 0 if listed else misses + 1
            left = job.requested_at + patience - self.clock.now()
            self._give_up(listed, misses, left)
            delay *= GROWTH
            self.clock.sleep(min(delay, Decimal(left // SECOND + 1)))

    def _give_up(self, listed: Listed | None, misses: int, left: timedelta) -> None:
        if misses >= MISSES:
            raise ReportFailed(f"export of {self.name}: the report is no longer there")
        if listed is not None and listed.status not in PENDING:
            raise ReportFailed(f"export of {self.name}: the report is {listed.status or 'without a status'}")
        if left <= timedelta(0):
            minutes = self.reading.job.account.sync.export_wait // timedelta(minutes=1)
            raise ReportFailed(f"export of {self.name}: the report was not ready after {minutes} minutes")

    def fetch(self, job: ExportJob) -> IO[bytes]:
        """The report's ZIP in a temporary file that has no name and that nobody else can read; the caller closes it."""
        with ExitStack() as closing:
            try:
                file = closing.enter_context(TemporaryFile())
                for piece in self.client.download(Endpoint.RETRIEVE_EXPORT, id=str(job.export_id)):
                    file.write(piece)
            except OSError as error:
                raise ReportFailed(f"export of {self.name}: the file could not be kept: {error.strerror}") from error
            closing.pop_all()
        file.seek(0)
        return file

    def clear(self, job: ExportJob) -> None:
        """Remove the report at the exchange, where it is still there, and forget it here.

        Where the exchange cannot be asked now, the next run does it.
        """
        self.book.keep_export(replace(job, state=State.DONE))
        try:
            if self._last is not None or job.export_id in self._answered:
                self._remove(str(job.export_id), ready=self._last is not None and self._last.ready)
        except (Unreachable, RateLimited) as error:
            self.note(f"an export report of {self.name} is to be removed by the next run: {error}")
            return
        self.book.forget_export(self.name)

    def _remove(self, id_: str, *, ready: bool) -> None:
        """``delete`` what is done, ``cancel`` what is not; between looking and removing the one can become the other."""
        refusal: Exception | None = None
        for wish in ("delete", "cancel") if ready else ("cancel", "delete"):
            try:
                self.client.call(Endpoint.REMOVE_EXPORT, id=id_, type=wish)
            except (Refused, PermissionMissing) as error:
                refusal = refusal or error
            else:
                return
        self.note(f"the export report {id_} of {self.name} could not be removed, it expires by itself: {refusal}")

    def _look(self, job: ExportJob) -> tuple[ExportJob, Listed | None]:
        """The report in the exchange's list. An id that a killed run did not get to note is found by the description."""
        answer = self.client.call(Endpoint.EXPORT_STATUS, report=self.name)
        listed = [Listed.parse(item) for item in answer or () if isinstance(item, Mapping)]
        ours = [item for item in listed if self._is_ours(item, job)]
        if job.export_id is None and ours:
            job = replace(job, export_id=ours[0].id, state=State.ASKED if job.state is State.ASKING else job.state)
            self.book.keep_export(job)
        for item in ours:
            if item.id != job.export_id:  # a request that was sent twice, because its first answer was lost
                self._remove(item.id, ready=item.ready)
        self._last = next((item for item in ours if item.id == job.export_id), None)
        return job, self._last

    def _is_ours(self, item: Listed, job: ExportJob) -> bool:
        return item.description == self._describe(job) or (item.id in self._answered and item.id == job.export_id)

    def _describe(self, job: ExportJob) -> str:
        """``portfolio-sync main ledgers 2026-01-15T12:00:00.123456Z``: no two requests have the same."""
        return f"portfolio-sync {self.reading.job.account.name} {job.report} {iso(job.requested_at)}"

    def say(self, message: str) -> None:
        self.reading.job.progress.note(message)

    def note(self, message: str) -> None:
        self.reading.job.notes.append(message)


def _instant(value: object) -> datetime | None:
    """Unix seconds as text or number; 0 and anything else stand for nothing."""
    text = str(value or "")
    return from_unix(text) if text.isascii() and text.isdigit() and int(text) else None
