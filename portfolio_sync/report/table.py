"""A file as data: columns of (header, how a row's cell reads). All text is made here, before pandas or csv sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from types import NoneType
from typing import TYPE_CHECKING, Any

from portfolio_sync.core.amount import shortest_of
from portfolio_sync.core.instant import iso

if TYPE_CHECKING:
    import pandas as pd

Cell = Callable[[Any], Any]
Column = tuple[str, Cell]

BLOCK = 1_000  # rows read at once

# What a spreadsheet would run as a formula when a text cell starts with it.
FORMULA_STARTS = frozenset("=+-@\t\r\n")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def text(value: str) -> str:
    """Text that a spreadsheet shows and does not run; a plain negative number is none of its formulas."""
    return "'" + value if value[:1] in FORMULA_STARTS and not NUMBER.fullmatch(value) else value


def texts(values: Sequence[str]) -> list[str]:
    return list(values) if FORMULA_STARTS.isdisjoint({value[:1] for value in values}) else list(map(text, values))


def instants(values: Sequence[datetime]) -> list[str]:
    known = {value: iso(value) for value in dict.fromkeys(values)}  # the parts of one sale share it
    return list(map(known.__getitem__, values))


# How values of one type read in a file: plain decimals, instants in UTC, ids joined by ``;``. What is not known is empty.
READS: dict[type, Callable[[Sequence[Any]], list[str]]] = {
    str: texts,
    Decimal: shortest_of,
    datetime: instants,
    tuple: lambda values: texts(list(map(";".join, values))),
}


def others(values: Sequence[object]) -> list[str]:
    return texts(list(map(str, values)))


def cells(values: Sequence[Any]) -> list[str]:
    """The texts of one column: of many rows at once, since nearly all its values are of one type."""
    kinds = set(map(type, values))
    if NoneType in kinds:
        known = iter(cells([value for value in values if value is not None]))
        return ["" if value is None else next(known) for value in values]
    if len(kinds) == 1:
        return READS.get(kinds.pop(), others)(values)
    return [cell(value) for value in values]


def cell(value: object) -> str:
    return cells([value])[0]


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file: its name, its columns and the rows they read."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[object]

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    def blocks(self) -> Iterator[Iterable[tuple[str, ...]]]:
        """The cells of some rows at once as text, in order; reads ``rows`` once."""
        readers, rest = [reader for _, reader in self.columns], iter(self.rows)
        while block := list(islice(rest, BLOCK)):
            yield zip(*(cells(list(map(reader, block))) for reader in readers), strict=True)

    def lines(self) -> Iterator[list[str]]:
        """The cells of each row."""
        return map(list, chain.from_iterable(self.blocks()))

    def to_frame(self) -> pd.DataFrame:
        """The same as a pandas frame, with exact Decimals (dtype object), for analysts."""
        import pandas as pd

        rows = [[reader(row) for _, reader in self.columns] for row in self.rows]
        return pd.DataFrame(rows, columns=list(self.header), dtype=object)
