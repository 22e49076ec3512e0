"""Pages of a history: newest first, ``start`` exclusive, ``end`` inclusive, by time or by id.

Nothing scans: a page is cut out of rows in order of time by bisection, so a million rows cost what fifty do.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any

from portfolio_sync.sandbox.account import Entry, Json
from portfolio_sync.sandbox.message import whole
from portfolio_sync.sandbox.refusal import ExchangeRefusal

ARGUMENTS = "EGeneral:Invalid arguments"
MOMENT = re.compile(
    r"-?\d{1,12}(\.\d{1,20})?", re.ASCII
)  # whether the exchange takes times before 1970 is not documented
Keep = Callable[[Entry], bool]
_at = attrgetter("at")


def _place(row: Entry) -> tuple[Decimal, str]:
    return row.at, row.id


class History:
    """The rows that a filter lets through, oldest first, ties by id."""

    def __init__(self, rows: Iterable[Entry], keep: Keep | None = None) -> None:
        self._keep = keep
        self.rows = [row for row in rows if keep is None or keep(row)]
        self._by_id: dict[str, Entry] | None = None

    def find(self, row_id: str) -> Entry | None:
        if self._by_id is None:  # made when an id is first asked for: walks by time never pay for it
            self._by_id = {row.id: row for row in self.rows}
        return self._by_id.get(row_id)

    def add(self, row: Entry) -> None:
        if self._keep is None or self._keep(row):
            insort(self.rows, row, key=_place)
            if self._by_id is not None:
                self._by_id[row.id] = row

    def replace(self, row: Entry) -> None:
        """The new version of a row, at the old one's time."""
        place = bisect_left(self.rows, _place(row), key=_place)
        if place < len(self.rows) and self.rows[place].id == row.id:
            self.rows.pop(place)
            if self._by_id is not None:
                del self._by_id[row.id]
        self.add(row)

    def span(self, after: Decimal | None, upto: Decimal | None, window: tuple[int, int]) -> tuple[int, int]:
        """Places in ``rows``: the first that is inside, the first that is beyond. ``window``: the key's, 0 for none."""
        low = 0 if after is None else bisect_right(self.rows, after, key=_at)
        high = len(self.rows) if upto is None else bisect_right(self.rows, upto, key=_at)
        if window[0]:
            low = max(low, bisect_left(self.rows, window[0], key=_at))
        if window[1]:
            high = min(high, bisect_right(self.rows, window[1], key=_at))
        return low, max(low, high)

    def page(self, span: tuple[int, int], ofs: int, size: int) -> list[Entry]:
        """``size`` rows below the newest ``ofs`` of the span, newest first."""
        last = max(span[0], span[1] - ofs)
        return self.rows[max(span[0], last - size) : last][::-1]


def cursor(
    params: Mapping[str, str], name: str, find: Callable[[str], Entry | None], *, fractions: bool
) -> Decimal | None:
    """``start`` or ``end``: a time, or the id of a row, which stands for its exact time. Raises ExchangeRefusal."""
    text = params.get(name, "")
    if not text:
        return None
    if MOMENT.fullmatch(text):
        return Decimal(text) if fractions else Decimal(text) // 1
    row = find(text)
    if row is None:
        raise ExchangeRefusal(f"{ARGUMENTS}:{name}")
    return row.at


def flag(params: Mapping[str, str], name: str) -> bool:
    """A boolean of a form is ``true``; Python's ``True`` is not that."""
    return params.get(name) == "true"


def sent(row: Entry, hidden: frozenset[str] = frozenset()) -> Json:
    """The row as the API sends it: its time a number, behind the fields that stand before it; no wallet."""
    fields: dict[str, Any] = {}
    last_before = "pair" if "pair" in row.fields else "refid"
    for name, value in row.fields.items():
        if name not in hidden:
            fields[name] = value
        if name == last_before:
            fields["time"] = row.at
    fields.setdefault("time", row.at)
    return fields


def ask(
    history: History, params: Mapping[str, str], find: Callable[[str], Entry | None], window: tuple[int, int], size: int,
    *, fractions: bool,
) -> tuple[list[Entry], int]:  # fmt: skip
    """One page by the parameters of a history call, and how many rows its window holds. Raises ExchangeRefusal."""
    after, upto = (cursor(params, name, find, fractions=fractions) for name in ("start", "end"))
    span = history.span(after, upto, window)
    return history.page(span, whole(params, "ofs", 0), size), span[1] - span[0]
