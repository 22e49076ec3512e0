"""Rows of a table as the objects that they are made of, and how each column reads of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Reads = Mapping[str, Callable[[Any], Any]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Goes through once where ``items`` do. A writer of many rows takes them column by column, without a dict for each."""

    items: Iterable[Any]
    columns: Reads

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for item in self.items:
            yield {name: reads(item) for name, reads in self.columns.items()}
