"""Two versions of one row: what is written, what is put on record, what is only reported.

An exchange file names assets its own way and cuts times to whole seconds. So a row of the API confirms a row of a file:
it takes over how things are written, silently, as long as both mean the same. A file never overwrites the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

Values = Mapping[str, Any]

# How the row is written, not what it says. All other columns are its meaning.
REPRESENTATION: Mapping[str, frozenset[str]] = {
    "raw_ledger": frozenset({"time_text", "aclass", "asset", "symbol", "wallet", "extra", "source"}),
    "raw_trade": frozenset({"time_text", "pair", "base", "quote", "misc", "maker", "ledgers", "extra", "source"}),
}
SECOND = timedelta(seconds=1)
# One reward: the API has called it staking where the files call it earn/reward.
SAME_TYPE = {"staking", "earn"}
BLANK: tuple[Any, ...] = ("", None, {}, [])


@dataclass(frozen=True, slots=True)
class Outcome:
    """``row``: what the table shall hold, None where it stays. ``changes``: column -> (old, new), for the change log.

    ``conflicts``: the same for what a file says otherwise than the API; nothing of it is written.
    """

    row: Values | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    conflicts: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def decide(table: str, stored: Values, incoming: Values) -> Outcome:
    """Compare two rows of one key, content columns only."""
    before, now = stored.get("source", "api"), incoming.get("source", "api")
    if before == now == "api" and "extra" in incoming:  # what only a file knew of the row stays
        incoming = {**incoming, "extra": {**stored["extra"], **incoming["extra"]}}
    differing = {name: (stored[name], incoming[name]) for name in incoming if stored[name] != incoming[name]}
    if not differing:
        return Outcome()  # the same numbers, written with more zeros
    if before == "api" and now == "api":
        return Outcome(incoming, differing)
    meaning = {n: pair for n, pair in differing.items() if n not in REPRESENTATION[table] and _means_other(n, *pair)}
    if before == "api":
        return Outcome(conflicts=meaning)
    if now == "api":
        return Outcome({**incoming, "extra": {**stored["extra"], **incoming["extra"]}}, meaning)
    return Outcome(incoming, meaning) if meaning else _filled(stored, incoming)


def _means_other(name: str, old: Any, new: Any) -> bool:
    if old in BLANK or new in BLANK:
        return False  # older files lack columns
    if name == "type" and {old, new} == SAME_TYPE:
        return False
    return abs(old - new) >= SECOND if name == "time" else True


def _filled(stored: Values, incoming: Values) -> Outcome:
    """A second file that means the same adds what the first one left blank."""
    row = {name: incoming[name] if value in BLANK and name in incoming else value for name, value in stored.items()}
    return Outcome(row if row != dict(stored) else None)
