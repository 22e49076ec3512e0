"""What was recorded about lots, as far as it counts: no later than the sale where the profile wants that, else as it says.

Source: 26 CFR 1.1012-1(j)(2) (identification no later than the sale, or a standing order recorded before it).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

from portfolio_sync.core.amount import EXACT, ZERO, shortest
from portfolio_sync.core.event import Event
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import iso
from portfolio_sync.core.record import Recorded, RecordedOrder, RecordedPick
from portfolio_sync.tax.methods import BY_LOTS, StandingOrder
from portfolio_sync.tax.movements import is_coin
from portfolio_sync.tax.profile import Method, Profile
from portfolio_sync.tax.result import Disposal

RowsOf = Mapping[str, tuple[str, ...]]
"""An id as the taxpayer wrote it -> the rows that it names; none where nothing is stored of it."""


def dated(profile: Profile) -> datetime | None:
    """From this instant on, what was recorded after a sale has no say in it. None: never."""
    return profile.start_of(profile.dated_methods_from) if profile.dated_methods_from else None


def warning(code: str, message: str, source: tuple[str, ...] = (), time: datetime | None = None) -> Finding:
    return Finding(Severity.WARNING, code, message, source, time)


# --- standing orders -------------------------------------------------------------------------------------------------


def counts(order: RecordedOrder, profile: Profile) -> bool:
    return profile.method in BY_LOTS and order.method in profile.methods


def standing(recorded: Recorded, profile: Profile) -> tuple[StandingOrder, ...]:
    """The orders that stood: before the profile's date as they say, from it on no earlier than they were recorded.

    At the date itself the profile's own method stands again, then whatever had been recorded by then.
    """
    turn = dated(profile)
    orders = [order for order in recorded.orders if counts(order, profile)]
    if turn is None:
        return tuple(standing_from(order.start, order) for order in orders)
    before = [standing_from(order.start, order) for order in orders if order.start < turn]
    after = sorted(
        (standing_from(max(turn, order.start, order.recorded_at), order) for order in orders), key=attrgetter("start")
    )
    return (*before, *([StandingOrder(profile.method, turn)] if before else ()), *after)


def standing_from(start: datetime, order: RecordedOrder) -> StandingOrder:
    return StandingOrder(Method(order.method), start, order.account or None)


def orders_without_say(recorded: Recorded, disposals: Sequence[Disposal], profile: Profile) -> Iterator[Finding]:
    """One finding for each order that is not permitted here, or came too late for some of ``disposals``."""
    turn = dated(profile)
    for order in recorded.orders:
        said = f"the standing order {order.method} from {iso(order.start)}"
        if not counts(order, profile):
            yield warning("order_without_effect", f"{said} has no effect under {profile.name} and {profile.method}")
        elif turn and (late := [row for row in disposals if too_late(order, row, turn)]):
            ids = tuple(dict.fromkeys(row_id for row in late for row_id in row.disposed_ids))
            yield warning(
                "order_recorded_late",
                f"{said} was recorded at {iso(order.recorded_at)}: it has no say in {len(ids)} sale(s) before that, which took lots as they stood",
                ids, late[0].disposed_at,
            )  # fmt: skip


def too_late(order: RecordedOrder, row: Disposal, turn: datetime) -> bool:
    mine = order.account in ("", row.wallet)
    return mine and max(order.start, turn) <= row.disposed_at < order.recorded_at


# --- lots named for one sale -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picked:
    """The events, those with named lots saying so (``Facts.lots``), and what of the record could not be followed."""

    events: tuple[Event, ...]
    findings: tuple[Finding, ...]


def with_picks(events: Sequence[Event], picks: Sequence[RecordedPick], rows_of: RowsOf, profile: Profile) -> Picked:
    """Each sale takes the lots last named for it, of those lists that count. Picks of one sale and instant are one list."""
    if not picks:
        return Picked(tuple(events), ())
    if profile.method not in BY_LOTS or Method.SPEC_ID not in profile.methods:
        message = f"{len(picks)} recorded lot pick(s) have no effect under {profile.name} and {profile.method}"
        return Picked(tuple(events), (warning("pick_without_effect", message),))
    by_row = {row: event for event in events for row in event.source}
    chosen: dict[str, Event] = {}
    findings: list[Finding] = []
    for sale, its in by_sale(picks).items():
        sales = named_events(rows_of.get(sale, ()), by_row)
        leaving = [event for event in sales if given(event, profile)]
        if not leaving:
            what = "is no disposal of a coin" if sales else "is not stored"
            findings.append(warning("pick_of_unknown_sale", f"lots were picked for {sale}, which {what}", (sale,)))
            continue
        findings += follow(leaving, its, Naming(by_row, rows_of, profile), chosen)
    return Picked(tuple(chosen.get(event.id, event) for event in events), tuple(findings))


@dataclass(frozen=True, slots=True)
class Naming:
    """How the ids of picks are understood."""

    by_row: Mapping[str, Event]
    rows_of: RowsOf
    profile: Profile

    def lot_row(self, lot: str, asset: str) -> str | None:
        """The row in which ``asset`` arrived by the acquisition ``lot``."""
        for event in named_events(self.rows_of.get(lot, ()), self.by_row):
            for leg in event.received:
                if leg.asset == asset:
                    return leg.ids[0]
        return None


def by_sale(picks: Iterable[RecordedPick]) -> dict[str, list[list[RecordedPick]]]:
    """The lists of each sale in the order of recording."""
    found: dict[str, list[list[RecordedPick]]] = defaultdict(list)
    for (sale, _), its in groupby(picks, key=lambda pick: (pick.sale, pick.recorded_at)):
        found[sale].append(list(its))
    return found


def named_events(rows: Iterable[str], by_row: Mapping[str, Event]) -> list[Event]:
    found = {by_row[row].id: by_row[row] for row in rows if row in by_row}
    return sorted(found.values(), key=attrgetter("time"))


def given(event: Event, profile: Profile) -> Decimal:
    total = ZERO
    for leg in event.given:
        if is_coin(leg.asset, profile):
            total = EXACT.subtract(total, leg.number)
    return total


def follow(
    sales: Sequence[Event], lists: Sequence[list[RecordedPick]], naming: Naming, chosen: dict[str, Event]
) -> Iterator[Finding]:
    """Spread the list in force over the sale, or over the fills of the order in their order; ``chosen`` gets what results."""
    turn, taken = dated(naming.profile), dict[int, dict[str, Decimal]]()
    for event in sales:
        in_time = [its for its in lists if turn is None or event.time < turn or its[0].recorded_at <= event.time]
        for its in lists:
            if its not in in_time:
                yield warning(
                    "pick_recorded_late",
                    f"lots were picked for {its[0].sale} at {iso(its[0].recorded_at)}, after the sale: {naming.profile.name} takes lots as they stood",
                    event.source, event.time,
                )  # fmt: skip
        if in_time:
            left = taken.setdefault(id(in_time[-1]), {})
            yield from name(event, in_time[-1], left, naming, chosen)


def name(
    event: Event, picks: Sequence[RecordedPick], taken: dict[str, Decimal], naming: Naming, chosen: dict[str, Event]
) -> Iterator[Finding]:
    """``taken``: units of each pick that earlier fills have used up."""
    asset = next(leg.asset for leg in event.given if is_coin(leg.asset, naming.profile))
    wanted, lots = given(event, naming.profile), list[tuple[str, Decimal]]()
    for pick in picks:
        row = naming.lot_row(pick.lot, asset)
        if row is None:
            what = f"lot {pick.lot}, picked for {pick.sale}, is no known acquisition of {asset}"
            yield warning("pick_of_unknown_lot", what, event.source, event.time)
            continue
        used = taken.get(pick.lot, ZERO)
        part = min(wanted, EXACT.subtract(pick.amount, used))
        if part > 0:
            lots.append((row, part))
            wanted, taken[pick.lot] = EXACT.subtract(wanted, part), EXACT.add(used, part)
    if lots:
        chosen[event.id] = replace(event, facts=replace(event.facts, lots=tuple(lots)))


def not_filled(events: Iterable[Event], disposals: Iterable[Disposal], profile: Profile) -> Iterator[Finding]:
    """Lots named for a sale, on record or in a file, that held fewer units than named; only of sales among ``disposals``."""
    naming = [event for event in events if event.facts.lots]
    if not naming:
        return
    took: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    sold: set[str] = set()
    for row in disposals:
        for gone in row.disposed_ids:
            sold.add(gone)
            for came in row.acquired_ids:
                took[gone, came] = EXACT.add(took[gone, came], row.quantity)
    for event in naming:
        row_id = next((row for leg in event.given for row in leg.ids if row in sold), None)
        if row_id and profile.method in BY_LOTS:
            yield from partly_named(event, profile)
        for lot, amount in event.facts.lots if row_id else ():
            if row_id and took[row_id, lot] < amount:
                yield not_taken(event, lot, amount, took[row_id, lot], profile)


def undated(
    stated: Sequence[Event], followed: Sequence[Event], disposals: Iterable[Disposal], profile: Profile
) -> Iterator[Finding]:
    """Lots that a file names for a sale and nobody put on record: the file does not say since when they were named.

    ``followed``: the events as they count, those with a recorded pick being others than ``stated``.
    """
    turn = dated(profile)
    if turn is None or profile.method not in BY_LOTS:
        return
    pairs = zip(stated, followed, strict=True)
    late = [event for event, counted in pairs if event.facts.lots and counted is event and event.time >= turn]
    sold = {row for disposal in disposals if late for row in disposal.disposed_ids}
    for event in late:
        if not sold.isdisjoint(event.source):
            yield warning(
                "lots_undated",
                f"lots were named for this {event.kind} in a file, which does not say when: {profile.name} wants it done no later than the sale; "
                "they were followed, keep what shows when you named them, and record the next ones in time with `lots pick` or `method set`",
                event.source, event.time,
            )  # fmt: skip


def partly_named(event: Event, profile: Profile) -> Iterator[Finding]:
    left = given(event, profile)
    for _, amount in event.facts.lots:
        left = EXACT.subtract(left, amount)
    if left > 0:
        message = f"lots were named for all but {shortest(left)} units of this {event.kind}: those were taken in order"
        yield Finding(Severity.INFO, "lots_partly_named", message, event.source, event.time)


def not_taken(event: Event, lot: str, amount: Decimal, there: Decimal, profile: Profile) -> Finding:
    if profile.method not in BY_LOTS:
        named = f"{shortest(amount)} of lot {lot} were named for this {event.kind}"
        message = f"{named}, which has no effect under {profile.name} and {profile.method}"
        return warning("pick_without_effect", message, event.source, event.time)
    return warning(
        "pick_not_filled",
        f"{shortest(amount)} of lot {lot} were picked, {shortest(there)} were there: the rest was taken in order",
        event.source, event.time,
    )  # fmt: skip
