"""How the rows of one symbol and one instant go on from its open chains: with as few breaks as can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple, Self

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.verify.grid import Rounding, snap
from portfolio_sync.verify.place import EARN, EARN_SIDE, REWARD, SPOT, place_of
from portfolio_sync.verify.state import Chains, End
from portfolio_sync.verify.trail import Origin, Trail, one_trail, trails


@dataclass(slots=True)
class Linked:
    """One way to explain rows (by index). ``used``: indices of ends that went on; ``breaks``: row and the end it should have continued."""

    order: list[int] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    breaks: list[tuple[int, End | None]] = field(default_factory=list)
    continued: list[tuple[End, int]] = field(default_factory=list)
    unknown: int = 0
    merged: bool = False
    mixed: bool = False

    @property
    def cost(self) -> tuple[int, int]:
        return len(self.breaks), self.unknown

    def __iadd__(self, other: Linked) -> Self:
        for name in ("order", "used", "ends", "breaks", "continued"):
            getattr(self, name).extend(getattr(other, name))
        self.unknown += other.unknown
        self.merged |= other.merged
        self.mixed |= other.mixed
        return self


class Burst(NamedTuple):
    """Rows of one symbol and instant, where each begins, and where in the account it lies."""

    rows: Sequence[LedgerRow]
    starts: Sequence[Decimal]
    places: Sequence[str]
    chains: Chains
    windowed: bool


def explain(chains: Chains, rows: Sequence[LedgerRow], rounding: Rounding, *, windowed: bool) -> Linked:
    """Place by place; where that leaves something unexplained all together, if that explains more."""
    burst = Burst(rows, _starts(chains, rows, rounding), [place_of(row) for row in rows], chains, windowed)
    families = dict.fromkeys(map(family, burst.places))
    linked = Linked()
    for name in families:
        edges = [i for i, place in enumerate(burst.places) if family(place) == name]
        linked += _link(burst, edges, [i for i, end in enumerate(chains.ends) if family(end.place) == name])
    if linked.cost != (0, 0):
        together = _link(burst, range(len(rows)), range(len(chains.ends)))
        linked = min(linked, together, key=attrgetter("cost"))
    return linked


def start_of(row: LedgerRow) -> Decimal:
    return EXACT.add(EXACT.subtract(row.balance, row.amount), row.fee)


def family(place: str) -> str:
    return EARN if place in EARN_SIDE else place


def _starts(chains: Chains, rows: Sequence[LedgerRow], rounding: Rounding) -> list[Decimal]:
    """Where the rows begin, after rounding. What a row says about the way of rounding is noted."""
    starts = [start_of(row) for row in rows]
    known = {ZERO, *(end.value for end in chains.ends), *(row.balance for row in rows)}
    for index, (start, row) in enumerate(zip(starts, rows, strict=True)):
        if start not in known and (snapped := snap(start, row.fee, chains.unit, rounding.ways, known)):
            starts[index], fits = snapped
            rounding.note(row.id, fits)
    return starts


def _link(burst: Burst, edges: Sequence[int], usable: Sequence[int]) -> Linked:
    """Explain the rows ``edges`` by the open chains ``usable``."""
    found = _trails(
        [(burst.starts[i], burst.rows[i].balance) for i in edges], [burst.chains.ends[i].value for i in usable]
    )
    free, seen, linked = list(usable), set(burst.chains.places), Linked()
    for trail in sorted(found, key=lambda trail: trail.origin is not Origin.OPEN):
        way = [edges[i] for i in trail.edges]
        end = _made_beside(burst, trail.origin, way, linked) or _origin(burst, trail, way[0], free, seen, linked)
        seen.update(burst.places[i] for i in way)
        _follow(burst, way, end, linked)
    return linked


def _trails(edges: Sequence[tuple[Decimal, Decimal]], ends: Sequence[Decimal]) -> list[Trail]:
    """As one balance, if that explains all; else as several."""
    if len(ends) <= 1 and (order := one_trail(edges, ends[0] if ends else ZERO)):
        return [Trail(Origin.OPEN if ends else Origin.ZERO, order)]
    return trails(edges, ends)


def _origin(burst: Burst, trail: Trail, first: int, free: list[int], seen: set[str], linked: Linked) -> End | None:
    """The end that the trail takes the place of; notes a break, or a beginning that the window hides."""
    ends, place = burst.chains.ends, burst.places[first]
    broken = False
    if trail.origin is Origin.OPEN:
        standing = (i for i in free if ends[i].value == burst.starts[first])
        taken: int | None = min(standing, key=lambda i: _distance(ends[i].place, place))
    elif trail.origin is Origin.NOWHERE and burst.windowed and place not in seen:
        linked.unknown += 1
        return None
    elif trail.origin is Origin.NOWHERE or _is_second(burst.chains, place, free):
        taken, broken = _should_have_continued(ends, place, free), True
    else:
        return None
    end = None if taken is None else ends[taken]
    if taken is not None:
        free.remove(taken)
        linked.used.append(taken)
    if broken:
        linked.breaks.append((first, end))
    elif end:
        linked.continued.append((end, first))
    return end


def _distance(one: str, other: str) -> int:
    return 0 if one == other else 1 if family(one) == family(other) else 2


def _is_second(chains: Chains, place: str, free: Sequence[int]) -> bool:
    """In Earn one code may stand for several wallets, unless Earn was seen to share the spot chain."""
    if place in EARN_SIDE:
        return chains.merged and any(chains.ends[i].place == SPOT for i in free)
    return any(chains.ends[i].place == place for i in free)


def _made_beside(burst: Burst, origin: Origin, way: Sequence[int], linked: Linked) -> End | None:
    """The chain this instant left open in the place where the trail would open a second one: a break, as one that was open before."""
    place = burst.places[way[0]]
    if origin is not Origin.ZERO or place in EARN_SIDE or not burst.rows[way[-1]].balance:
        return None
    beside = next((end for end in linked.ends if end.place == place), None)
    if beside:
        linked.ends.remove(beside)
        linked.breaks.append((way[0], beside))
    return beside


def _should_have_continued(ends: Sequence[End], place: str, free: Sequence[int]) -> int | None:
    """The newest chain of the row's own place, else the only one there is."""
    near = [i for i in free if _distance(ends[i].place, place) < 2]
    if near:
        return min(near, key=lambda i: (_distance(ends[i].place, place), -i))
    return free[0] if len(free) == 1 else None


def _follow(burst: Burst, way: list[int], end: End | None, linked: Linked) -> None:
    place = end.place if end else burst.places[way[0]]
    for i in way:
        step = burst.places[i]
        if SPOT in (place, step):
            linked.merged |= EARN in (place, step)
            linked.mixed |= REWARD in (place, step)
        place = _after(place, step)
    linked.order += way
    last = burst.rows[way[-1]]
    if last.balance:
        linked.ends.append(End(last.balance, place, last.id, last.time))


def _after(place: str, step: str) -> str:
    """Where a chain lies after a row of ``step``: a reward goes where the chain is; spot and Earn in one are spot."""
    if step in (REWARD, place):
        return place
    if place in EARN_SIDE:
        return SPOT if step == SPOT else step
    return SPOT if place == SPOT and step == EARN else step
