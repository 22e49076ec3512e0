"""What is known after some rows: the open chains of each symbol, and what broke. Can be kept as JSON and gone on from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from portfolio_sync.core.amount import EXACT
from portfolio_sync.core.instant import iso, parse_iso
from portfolio_sync.verify.grid import Rounding

LISTED = 100
"""So many breaks are described; all are counted."""
VERSION = 3
"""Of the rules of chains and seals: what other rules left is no beginning for these."""


class End(NamedTuple):
    """Where an open chain stands."""

    value: Decimal
    place: str
    row: str
    time: datetime


class Break(NamedTuple):
    """Something is missing or was changed between ``before`` and ``row``: that is the interval to read again.

    ``gap``: by how much ``found`` (where the row begins) is off ``expected`` (where the chain stood). ``after``: the next row of the chain.
    """

    symbol: str
    asset: str
    row: str
    time: datetime
    expected: Decimal
    found: Decimal
    before: str = ""
    before_time: datetime | None = None
    after: str = ""

    @property
    def gap(self) -> Decimal:
        return EXACT.subtract(self.found, self.expected)


@dataclass(slots=True)
class Chains:
    """The open chains of one symbol. Mutable: a million rows pass through."""

    symbol: str
    ends: list[End] = field(default_factory=list)
    unit: Decimal = Decimal(1)
    """One in the last decimal that its balances keep."""
    rows: int = 0
    places: set[str] = field(default_factory=set)
    merged: bool = False
    """A row that is certainly Earn's continued the spot chain: both have one balance."""
    mixed: bool = False
    """A row that may be Earn's (a reward) did: it was paid to spot, or both have one balance."""


@dataclass(slots=True)
class ChainState:
    """All that a later run needs to go on. ``time``: of the last row; ``counts["rows"]`` were chained up to it."""

    windowed: bool = False
    time: datetime | None = None
    symbols: dict[str, Chains] = field(default_factory=dict)
    moves: dict[str, Decimal] = field(default_factory=dict)
    """By holding: the sum of all legs between spot and Earn; zero where none is missing."""
    breaks: list[Break] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    rounding: Rounding = field(default_factory=Rounding)
    awaiting: dict[str, int] = field(default_factory=dict)
    """Rows that a chain was broken at -> the break whose ``after`` is still to come."""

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "windowed": self.windowed,
            "time": self.time and iso(self.time),
            "symbols": [_chains_json(chains) for chains in self.symbols.values()],
            "moves": {name: str(moved) for name, moved in self.moves.items()},
            "breaks": [_break_json(broken) for broken in self.breaks],
            "counts": dict(self.counts),
            "rounding": asdict(self.rounding),
            "awaiting": self.awaiting,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> ChainState | None:
        """None where another version of the rules made it: then the whole history is chained again."""
        if kept.get("version") != VERSION:
            return None
        return cls(
            windowed=kept["windowed"],
            time=kept["time"] and parse_iso(kept["time"]),
            symbols={each["symbol"]: _chains(each) for each in kept["symbols"]},
            moves={name: Decimal(moved) for name, moved in kept["moves"].items()},
            breaks=[_break(each) for each in kept["breaks"]],
            counts=Counter(kept["counts"]),
            rounding=Rounding(**kept["rounding"]),
            awaiting=dict(kept["awaiting"]),
        )


def _chains_json(chains: Chains) -> dict[str, Any]:
    ends = [[str(end.value), end.place, end.row, iso(end.time)] for end in chains.ends]
    return {
        "symbol": chains.symbol,
        "ends": ends,
        "unit": str(chains.unit),
        "rows": chains.rows,
        "places": sorted(chains.places),
        "merged": chains.merged,
        "mixed": chains.mixed,
    }


def _chains(kept: Mapping[str, Any]) -> Chains:
    ends = [End(Decimal(value), place, row, parse_iso(time)) for value, place, row, time in kept["ends"]]
    return Chains(**{**kept, "ends": ends, "places": set(kept["places"]), "unit": Decimal(kept["unit"])})


def _break_json(broken: Break) -> dict[str, Any]:
    before_time = broken.before_time and iso(broken.before_time)
    numbers = {"expected": str(broken.expected), "found": str(broken.found)}
    return broken._asdict() | numbers | {"time": iso(broken.time), "before_time": before_time}


def _break(kept: Mapping[str, Any]) -> Break:
    times = {"time": parse_iso(kept["time"]), "before_time": kept["before_time"] and parse_iso(kept["before_time"])}
    return Break(**{**kept, **times, "expected": Decimal(kept["expected"]), "found": Decimal(kept["found"])})
