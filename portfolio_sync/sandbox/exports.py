"""Export reports: queued, made after a while, fetched as a ZIP of CSV or TSV, forgotten after a few days.

Source: the API reference's export pages. The exact error texts are not documented.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from portfolio_sync.sandbox.account import Account, Json
from portfolio_sync.sandbox.export_file import SEPARATORS, Sheet, archive, header
from portfolio_sync.sandbox.refusal import ExchangeRefusal

KEPT = 209_600
"""Seconds from createdtm to expiretm in both documented samples."""


@dataclass(slots=True)
class Report:
    id: str
    kind: str
    format: str
    fields: tuple[str, ...]
    descr: str
    created: Decimal
    begin: Decimal
    end: Decimal


@dataclass(slots=True)
class Exports:
    """The export jobs of one key. ``generation``: whose header the files have. ``queue``, ``work``: seconds in each state.

    ``stuck`` keeps reports queued for ever; ``kept`` is after how many seconds they are forgotten; ``display_names`` False keeps the
    API's codes in new files too; ``pending_rows`` adds the rows without id and balance that files show for funding under way.
    ``window`` is the key's (from, to), 0 for none. A report holds the rows that are booked when it is fetched.
    """

    generation: int = 6
    queue: Decimal = Decimal(0)
    work: Decimal = Decimal(0)
    kept: Decimal = Decimal(KEPT)
    stuck: bool = False
    display_names: bool = True
    pending_rows: bool = False
    reports: dict[str, Report] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def add(
        self, _account: Account, params: Json, now: Decimal, window: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))
    ) -> Json:
        """AddExport: gives ``{"id": four letters}``. Raises ExchangeRefusal."""
        kind, form = str(params.get("report", "")), str(params.get("format", "CSV")).upper()
        if kind not in ("ledgers", "trades") or form not in SEPARATORS or not params.get("description"):
            raise ExchangeRefusal("EGeneral:Invalid arguments")
        known = header(kind, self.generation)
        asked = str(params.get("fields", "all"))
        chosen = known if asked == "all" else ("txid", *(name for name in known if name in asked.split(",")))
        if asked != "all" and not set(asked.split(",")) <= set(known):
            raise ExchangeRefusal("EGeneral:Invalid arguments:fields")
        begin, end = _moment(params.get("starttm"), _month_start(now)), _moment(params.get("endtm"), now)
        report = Report(
            _letters(next(self._numbers)), kind, form, chosen, str(params["description"]), now, begin, min(end, now)
        )
        report.begin, report.end = max(report.begin, window[0]), min(report.end, window[1]) if window[1] else report.end
        self.reports[report.id] = report
        return {"id": report.id}

    def status(self, _account: Account, params: Json, now: Decimal) -> list[Json]:
        """ExportStatus: every report of the kind, newest first."""
        kind = str(params.get("report", ""))
        if kind not in ("ledgers", "trades"):
            raise ExchangeRefusal("EGeneral:Invalid arguments")
        return [
            self._describe(report, now)
            for report in reversed(self.reports.values())
            if report.kind == kind and not self._expired(report, now)
        ]

    def retrieve(self, account: Account, params: Json, now: Decimal) -> bytes:
        """RetrieveExport: the ZIP. Raises ExchangeRefusal where there is none, or none yet."""
        report = self._find(params, now)
        if self._state(report, now) != "Processed":
            raise ExchangeRefusal("EExport:Not ready")
        sheet = Sheet(
            report.kind,
            report.format,
            report.fields,
            report.begin,
            report.end,
            self.generation,
            self.display_names,
            self.pending_rows,
        )
        return archive(account, sheet)

    def remove(self, _account: Account, params: Json, now: Decimal) -> Json:
        """RemoveExport: ``delete`` for a report that is done, ``cancel`` for one that is not."""
        report, wish = self._find(params, now), str(params.get("type", ""))
        if wish not in ("delete", "cancel"):
            raise ExchangeRefusal("EGeneral:Invalid arguments:type")
        if (wish == "delete") is not (self._state(report, now) == "Processed"):
            raise ExchangeRefusal("EExport:Invalid status")
        del self.reports[report.id]
        return {wish: True}

    def _find(self, params: Json, now: Decimal) -> Report:
        report = self.reports.get(str(params.get("id", "")))
        if report is None or self._expired(report, now):
            raise ExchangeRefusal("EExport:Unknown report")
        return report

    def _expired(self, report: Report, now: Decimal) -> bool:
        return now >= report.created + self.kept

    def _state(self, report: Report, now: Decimal) -> str:
        age = now - report.created
        if self.stuck or age < self.queue:
            return "Queued"
        return "Processing" if age < self.queue + self.work else "Processed"

    def _describe(self, report: Report, now: Decimal) -> Json:
        state = self._state(report, now)
        return {
            "id": report.id,
            "descr": report.descr,
            "format": report.format,
            "report": report.kind,
            "subtype": "all",
            "status": state,
            "flags": "0",
            "fields": "all" if report.fields == header(report.kind, self.generation) else ",".join(report.fields),
            "createdtm": _whole(report.created),
            "expiretm": _whole(report.created + self.kept),
            "starttm": "0" if state == "Queued" else _whole(report.created + self.queue),
            "completedtm": _whole(report.created + self.queue + self.work) if state == "Processed" else "0",
            "datastarttm": _whole(report.begin),
            "dataendtm": _whole(report.end),
            "aclass": "forex",
            "asset": "all",
        }


def _letters(number: int) -> str:
    """``TCJA``: four letters, without repeats in the first 456,976 reports."""
    number = (number * 78_539 + 40_123) % 26**4
    return "".join(chr(65 + number // 26**place % 26) for place in range(4))


def _moment(value: object, default: Decimal) -> Decimal:
    try:
        return Decimal(str(value)) if value not in (None, "") else default
    except ArithmeticError:
        raise ExchangeRefusal("EGeneral:Invalid arguments") from None


def _month_start(now: Decimal) -> Decimal:
    today = datetime.fromtimestamp(int(now), UTC)
    return Decimal(int(datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()))


def _whole(moment: Decimal) -> str:
    return str(int(moment))
