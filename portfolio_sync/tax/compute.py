"""From valued events to a taxpayer's figures under one profile."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from operator import attrgetter
from typing import TypeVar

from portfolio_sync.core.amount import EXACT, ZERO, shortest
from portfolio_sync.core.event import Kind, content_id
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.lot import Act, Lot, Match, Matching, Movement, share
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.value import Valued
from portfolio_sync.tax.holding import term
from portfolio_sync.tax.methods import METHODS, StandingOrder
from portfolio_sync.tax.movements import movements
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.result import Computation, Disposal, Holding, Income
from portfolio_sync.tax.summary import summarize
from portfolio_sync.tax.worklist import worklist

BOUGHT = frozenset({Kind.BUY.value, Kind.TRADE.value})
Row = TypeVar("Row", Disposal, Income)


@dataclass(frozen=True, slots=True)
class Options:
    """``year``: the tax year printed, by the calendar year in which it starts; None: all. ``standing``: dated orders."""

    year: int | None = None
    standing: tuple[StandingOrder, ...] = ()


def compute(events: Sequence[Valued], profile: Profile, options: Options, lookup: Lookup) -> Computation:
    """The whole history is matched whatever year is asked for; what is printed belongs to that year.

    Lots and holdings stand as at the end of the asked year, valued then; for all years, as after the last event. An asset
    of which more leaves than is known keeps its rows before that moment and has none from there on.
    """
    with localcontext(EXACT):
        ordered = sorted(events, key=lambda valued: valued.event.time)
        history = by_asset(ordered, profile)
        method = METHODS[profile.method]
        matched = {asset: method(found, profile, options.standing) for asset, found in history.items()}
        end = None if options.year is None else profile.end_of(options.year)
        lots = [
            lot for asset, found in history.items() for lot in left_at(end, found, matched[asset], profile, options)
        ]
        disposals = in_year(disposal_rows(matched, profile), profile, options.year)
        income = in_year(income_rows(ordered, profile), profile, options.year)
        at = end or (ordered[-1].event.time if ordered else None)
        findings = [
            f
            for f in (*refusals(matched), *unknown_costs(matched), *unpriced_gifts(matched))
            if end is None or (f.time and f.time < end)
        ]
        return Computation(
            tuple(disposals), tuple(income), tuple(lots), tuple(holdings(lots, lookup, at)), tuple(findings),
            tuple(summarize(disposals, income, lots, profile.currency)), tuple(worklist(ordered, profile)),
        )  # fmt: skip


def by_asset(events: Iterable[Valued], profile: Profile) -> dict[str, list[Movement]]:
    history: dict[str, list[Movement]] = defaultdict(list)
    for valued in events:
        for movement in movements(valued, profile):
            history[movement.asset].append(movement)
    return dict(sorted(history.items()))


def left_at(
    end: datetime | None, history: Sequence[Movement], matched: Matching, profile: Profile, options: Options
) -> Sequence[Lot]:
    """The lots at an instant; none where the asset was refused before it."""
    if end is not None and history[-1].time >= end:
        matched = METHODS[profile.method]([m for m in history if m.time < end], profile, options.standing)
    return () if matched.refused else matched.left


def in_year(rows: Iterable[Row], profile: Profile, year: int | None) -> list[Row]:
    label = None if year is None else profile.label(year)
    return [row for row in rows if label in (None, row.tax_year)]


def disposal_rows(matched: Mapping[str, Matching], profile: Profile) -> list[Disposal]:
    """A row for each lot's part of each disposal, by time; at one time by asset, then as matched."""
    seen: Counter[str] = Counter()
    rows = [
        disposal_row(match, extra, profile, seen)
        for found in matched.values()
        for match, extra in with_extra_cost(found.matches)
    ]
    return sorted(rows, key=attrgetter("disposed_at"))


def with_extra_cost(matches: Iterable[Match]) -> Iterator[tuple[Match, Decimal]]:
    """Each match with its share of costs that are shown as cost; a disposal's last match takes the exact rest."""
    left: dict[int, tuple[Decimal, Decimal]] = {}
    for match in matches:
        disposal = match.disposal
        if disposal.extra_cost is None:
            yield match, ZERO
            continue
        rest, quantity = left.get(id(disposal), (disposal.extra_cost, disposal.quantity))
        part = rest if match.quantity == quantity else share(rest, match.quantity, quantity) or ZERO
        left[id(disposal)] = rest - part, quantity - match.quantity
        yield match, part


def disposal_row(match: Match, extra_cost: Decimal, profile: Profile, seen: Counter[str]) -> Disposal:
    disposal, lot = match.disposal, match.lot
    proceeds, cost = money_of(match, extra_cost)
    key = "|".join((disposal.event, disposal.kind, disposal.asset, *disposal.ids, lot.event, *lot.ids))
    seen[key] += 1
    acquired, disposed = profile.local_day(lot.acquired_at), profile.local_day(disposal.time)
    return Disposal(
        content_id("D", key, str(seen[key])), profile.label(profile.year_on(disposed)), disposal.kind, disposal.asset, match.quantity,
        lot.acquired_at, disposal.time, proceeds, cost, None if proceeds is None or cost is None else proceeds - cost,
        term(acquired, disposed, profile.term_rule), match.rule, match.matched_date, match.denied_loss, disposal.account, disposal.wallet,
        lot.ids, disposal.ids, disposal.price_source,
        acquired, disposed, lot.kind in BOUGHT and lot.wallet == disposal.wallet,
    )  # fmt: skip


def money_of(match: Match, extra_cost: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Proceeds and cost. Units given away leave at cost; a gift received has another cost for a loss than for a gain."""
    cost, proceeds = match.cost, match.proceeds
    if cost is None:
        return (None if match.disposal.act is Act.GIVE else proceeds), None
    if match.disposal.act is Act.GIVE:
        return cost, cost
    if match.lot.gift_value is not None and proceeds is not None:
        lower = share(match.lot.gift_value, match.quantity, match.lot.quantity) or ZERO
        cost = max(min(cost, proceeds), lower)
    return proceeds, cost + extra_cost


def income_rows(events: Iterable[Valued], profile: Profile) -> Iterator[Income]:
    for valued in events:
        event = valued.event
        if event.kind is not Kind.INCOME:
            continue
        for leg, worth in zip(event.legs, valued.legs, strict=True):
            yield Income(
                content_id("I", event.id, *leg.ids), profile.label(profile.year_of(event.time)), event.time, event.facts.income_type or "other",
                leg.asset, leg.number, worth.money, event.account, leg.ids, event.id, worth.source,
            )  # fmt: skip


def holdings(lots: Iterable[Lot], lookup: Lookup, at: datetime | None) -> Iterator[Holding]:
    """Units and cost by asset and wallet, valued at an instant; without a price the value stays unknown."""
    sums: dict[tuple[str, str], tuple[Decimal, Decimal | None]] = {}
    for lot in lots:
        key = lot.origin.asset, lot.wallet
        quantity, cost = sums.get(key, (ZERO, ZERO))
        sums[key] = quantity + lot.quantity, None if cost is None or lot.cost is None else cost + lot.cost
    for (asset, wallet), (quantity, cost) in sorted(sums.items()):
        quote = lookup.quote(asset, at) if at else None
        value = quantity * quote.rate if quote else None
        unrealised = None if value is None or cost is None else value - cost
        yield Holding(
            asset,
            wallet,
            quantity,
            cost,
            quote and quote.rate,
            value,
            unrealised,
            at if quote else None,
            quote.source if quote else "",
        )


def refusals(matched: Mapping[str, Matching]) -> Iterator[Finding]:
    for asset, found in matched.items():
        if found.refused:
            leaving, missing = found.refused, shortest(found.missing or ZERO)
            yield finding(
                "insufficient_holdings", leaving,
                f"this {leaving.kind} takes {missing} {asset} more than is known in {leaving.wallet}: no figures of {asset} from here on; import how they were acquired",
            )  # fmt: skip


def unknown_costs(matched: Mapping[str, Matching]) -> Iterator[Finding]:
    """One finding for each disposal that drew on units of unknown cost."""
    for asset, found in matched.items():
        lots: dict[int, list[Match]] = defaultdict(list)
        for match in found.matches:
            if match.cost is None:
                lots[id(match.disposal)].append(match)
        for matches in lots.values():
            quantity = shortest(sum((m.quantity for m in matches), ZERO))
            origins = ", ".join(dict.fromkeys(";".join(m.lot.ids) for m in matches))
            yield finding(
                "unknown_cost",
                matches[0].disposal,
                f"{quantity} {asset} of this {matches[0].disposal.kind} came from {origins}, whose cost is not known: state it",
            )


def unpriced_gifts(matched: Mapping[str, Matching]) -> Iterator[Finding]:
    for asset, found in matched.items():
        for match in found.matches:
            if match.proceeds is None and match.disposal.kind == Kind.GIFT_OUT and match.disposal.act is Act.DISPOSE:
                yield finding("missing_price", match.disposal, f"no value for the {asset} given away")


def finding(code: str, movement: Movement, message: str) -> Finding:
    return Finding(Severity.ERROR, code, message, movement.ids, movement.time, movement.account)
