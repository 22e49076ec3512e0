"""What a proof leaves for the next one: where chains and join stood after all rows up to a moment.

A proof goes on from the newest checkpoint that no row written since can have changed, so its cost follows what is new. Some
older checkpoints are kept for rows that come late, each about twice as old as the one after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import iso, parse_iso
from portfolio_sync.core.period import Period
from portfolio_sync.verify.join import NEAR, JoinState
from portfolio_sync.verify.state import ChainState

AGES = tuple(timedelta(hours=6) * 2**n for n in range(8))
"""Of the checkpoints that a whole proof sets: rows come hours late, seldom days."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``time``: of the last row in it; ``judged_to``: fills that began before were judged."""

    time: datetime
    judged_to: datetime
    chains: Mapping[str, Any]
    joined: Mapping[str, Any]

    @property
    def good_from(self) -> datetime:
        """A row written later than the checkpoint must be newer than this: it could belong to a fill that was judged."""
        return max(self.time, self.judged_to + NEAR)

    @property
    def read_from(self) -> datetime:
        """Whence rows and trades must be read again, so that a fill across the border is seen whole."""
        return min(self.time, self.judged_to - NEAR)

    def restore(self, trades: Period | None, ledger: Period | None) -> tuple[ChainState, JoinState] | None:
        """The states to go on from; None where other rules made them."""
        chains = ChainState.from_json(self.chains)
        if chains is None:
            return None
        kept = self.joined
        joined = JoinState(
            trades,
            ledger,
            begin=self.judged_to,
            judged_to=self.judged_to,
            units={name: Decimal(unit) for name, unit in kept["units"].items()},
            findings=[_finding(each) for each in kept["findings"]],
            counts=Counter(kept["counts"]),
        )
        return chains, joined

    def to_json(self) -> dict[str, Any]:
        return {"time": iso(self.time), "judged_to": iso(self.judged_to), "chains": self.chains, "joined": self.joined}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Checkpoint:
        return cls(parse_iso(kept["time"]), parse_iso(kept["judged_to"]), kept["chains"], kept["joined"])


def checkpoint(chains: ChainState, joined: JoinState) -> Checkpoint:
    """A picture of both states after a row, everything before ``NEAR`` of it judged and the join not closed yet."""
    assert chains.time is not None and joined.judged_to is not None  # noqa: PT018 - one fact: a row was seen
    kept = {
        "units": {name: str(unit) for name, unit in joined.units.items()},
        "findings": [
            asdict(f) | {"severity": f.severity.value, "time": f.time and iso(f.time)} for f in joined.findings
        ],
        "counts": dict(joined.counts),
    }
    return Checkpoint(chains.time, joined.judged_to, chains.to_json(), kept)


def usable(checkpoints: Iterable[Checkpoint], touched_from: datetime | None) -> list[Checkpoint]:
    """Those that rows written since cannot have changed, oldest first."""
    good = (each for each in checkpoints if touched_from is None or each.good_from < touched_from)
    return sorted(good, key=lambda each: each.time)


def marks(newest: datetime | None) -> tuple[datetime, ...]:
    """When a whole proof sets checkpoints, oldest first; the last one it sets at its end."""
    return () if newest is None else tuple(newest - age for age in reversed(AGES))


def thinned(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """The newest one, and for each age the oldest that is no older. Oldest first, as they come."""
    if not checkpoints:
        return []
    newest = checkpoints[-1].time
    found = {newest: checkpoints[-1]}
    for age in AGES:
        for each in checkpoints:
            if newest - each.time <= age:
                found.setdefault(each.time, each)
                break
    older = [each for each in checkpoints if newest - each.time > AGES[-1]]
    if older:
        found[older[-1].time] = older[-1]
    return [found[time] for time in sorted(found)]


def _finding(kept: Mapping[str, Any]) -> Finding:
    return Finding(
        Severity(kept["severity"]),
        kept["code"],
        kept["message"],
        tuple(kept["source"]),
        kept["time"] and parse_iso(kept["time"]),
        kept["account"],
    )
