"""One asset class of a history stream: what it is called in the books, and how a page of it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from portfolio_sync.core.instant import EPOCH, to_unix
from portfolio_sync.core.period import Period
from portfolio_sync.sync.coverage import wanted
from portfolio_sync.sync.pages import history_page
from portfolio_sync.sync.reading import Reading
from portfolio_sync.sync.streams import Record
from portfolio_sync.sync.walk import Page


@dataclass(frozen=True, slots=True)
class Slice:
    """One asset class of a history stream: the exchange keeps them apart, so each has its own coverage."""

    reading: Reading
    aclass: str
    _kept: dict[datetime, Page[Record]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name its coverage is stored under: ``ledgers``, ``ledgers:tokenized_asset``."""
        return f"{self.reading.stream.name}:{self.aclass}" if self.aclass else self.reading.stream.name

    @property
    def name_of_counts(self) -> str:
        """The name its counts are remembered under; never that of a stream."""
        return f"{self.reading.stream.name}:{self.aclass or 'default'}:counts"

    def wanted(self, rows: Iterable[Record]) -> list[Record]:
        """Those inside what the user asked for, to the fraction of a second that the exchange does not take."""
        start, end = self.reading.limits.start, self.reading.limits.end
        return [row for row in rows if (start is None or row.time >= start) and (end is None or row.time < end)]

    def page(self, end: datetime, ofs: int, start: datetime | None = None) -> Page[Record]:
        """One call. ``end`` is inclusive, ``start`` exclusive at the exchange; both whole seconds."""
        if ofs == 0 and start is None and end in self._kept:
            return self._kept.pop(end)
        start = start or self.reading.limits.start
        params = {**self.reading.stream.params, "end": str(int(to_unix(end))), "ofs": str(ofs)}
        if start is not None and start > (self.reading.seen.start or EPOCH):  # a bound beyond the key's may be refused
            params["start"] = str(int(to_unix(start)) - 1)
        if self.aclass:
            params["aclass"] = self.aclass
        return history_page(self.reading.stream, self.reading.call(params), self.reading.assets)

    def count(self, period: Period, enough: int) -> int:
        """How many rows the exchange shows in ``period``: as it says, else as many as are seen behind the first ``enough``.

        The page that tells is kept for a walk through the whole window: it would ask for the same one first.
        """
        whole = period.start <= wanted(self.reading.window, self.reading.now).start
        page = self.page(period.end, 0, None if whole else period.start)
        if whole:
            self._kept[period.end] = page
        if page.count is not None or not page.rows:
            return page.count or 0
        behind = self.page(period.end, enough, period.start).rows
        return enough + len(behind) if behind else len(page.rows)

    def forget(self) -> None:
        """Keep no page: time has passed."""
        self._kept.clear()
