"""Two versions of a report's tables: rows added, removed and changed, by what names a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from portfolio_sync.report.table import Table

Line = Mapping[str, str]
Frame = Mapping[str, Sequence[Sequence[str]]]
"""A table as text: ``header`` and ``rows``."""

# What names a row where it has no id. A table that is not here is compared by whole rows.
KEYS: dict[str, tuple[str, ...]] = {
    "summary.csv": ("item", "asset"),
    "holdings.csv": ("asset", "wallet"),
    "prices.csv": ("symbol", "currency", "time", "source"),
    "schedule_d.csv": ("line", "box"),
    "worklist.csv": ("id",),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One row: ``before`` None where it is new, ``now`` None where it is gone."""

    table: str
    id: str
    before: Line | None
    now: Line | None

    @property
    def columns(self) -> dict[str, tuple[str, str]]:
        """Of a row that changed: column -> (before, now)."""
        if self.before is None or self.now is None:
            return {}
        return {n: (self.before.get(n, ""), self.now.get(n, "")) for n in self.now if self.before.get(n) != self.now[n]}


def framed(tables: Iterable[Table]) -> dict[str, Frame]:
    """Tables as the text of their files, to be kept."""
    return {table.name: {"header": list(table.header), "rows": list(table.lines())} for table in tables}


def changes(before: Mapping[str, Frame], now: Mapping[str, Frame]) -> Iterator[Change]:
    """What differs, by table in the order of ``now``; removed rows of a table first, then new and changed ones."""
    for name in [*now, *(before.keys() - now.keys())]:
        old, new = by_key(name, before.get(name)), by_key(name, now.get(name))
        yield from (Change(name, key, line, None) for key, line in old.items() if key not in new)
        for key, line in new.items():
            if old.get(key) != line:
                yield Change(name, key, old.get(key), line)


def by_key(name: str, frame: Frame | None) -> dict[str, Line]:
    """Rows by what names them; rows of one name are told apart by their number."""
    found: dict[str, Line] = {}
    seen: Counter[str] = Counter()
    header = list(map(str, frame["header"])) if frame else []
    for cells in frame["rows"] if frame else ():
        line = dict(zip(header, cells, strict=True))
        names = KEYS.get(name) or (("id",) if "id" in line else tuple(header))
        key = " ".join(filter(None, (line[part] for part in names)))
        seen[key] += 1
        found[key if seen[key] == 1 else f"{key} #{seen[key]}"] = line
    return found
