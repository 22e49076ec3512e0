"""From valued events to a taxpayer's figures under one profile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import localcontext
from itertools import chain
from operator import attrgetter
from typing import TypeVar

from portfolio_sync.core.amount import EXACT
from portfolio_sync.core.event import Kind, content_id
from portfolio_sync.core.finding import Finding
from portfolio_sync.core.lot import Lot, Matching, Movement
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.value import Valued
from portfolio_sync.tax.allocation import allocation_gaps
from portfolio_sync.tax.disposals import disposal_rows
from portfolio_sync.tax.gaps import gaps, short_wallets
from portfolio_sync.tax.holdings import holdings
from portfolio_sync.tax.margin import margin_rows
from portfolio_sync.tax.methods import METHODS, Scope, StandingOrder
from portfolio_sync.tax.movements import movements
from portfolio_sync.tax.portfolio import with_values
from portfolio_sync.tax.profile import Oversell, Profile
from portfolio_sync.tax.result import Computation, Disposal, Income
from portfolio_sync.tax.summary import summarize
from portfolio_sync.tax.worklist import worklist

Row = TypeVar("Row", Disposal, Income)


@dataclass(frozen=True, slots=True)
class Options:
    """``year``: the tax year printed, by the calendar year in which it starts; None: all. ``standing``: dated orders.

    ``hints``: for the worklist, event id -> what to know.
    """

    year: int | None = None
    standing: tuple[StandingOrder, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)


def compute(events: Sequence[Valued], profile: Profile, options: Options, lookup: Lookup) -> Computation:
    """The whole history is matched whatever year is asked for; what is printed belongs to that year.

    Lots, holdings, findings and worklist stand as at the end of the asked year; for all years, as after the last event.
    An asset of which more leaves than is known keeps its rows before that moment and has none from there on.
    """
    with localcontext(EXACT):
        ordered = sorted(events, key=lambda valued: valued.event.time)
        end = None if options.year is None else profile.end_of(options.year)
        known = ordered if end is None else [valued for valued in ordered if valued.event.time < end]
        disposals, lots, held, findings = list[Disposal](), list[Lot](), list[Lot](), list[Finding]()
        without_value = set[str]()
        for history in histories(ordered, profile, lookup, findings, without_value):
            matching = METHODS[profile.method].match(history, profile, options.standing)
            disposals += in_year(disposal_rows(matching, profile), profile, options.year)
            findings += (*gaps(matching), *allocation_gaps(history, profile))
            if not matching.refused and profile.oversell is Oversell.ERROR:
                findings += chain.from_iterable(map(short_wallets, of_each_asset(history, profile)))
            final = as_at(end, history, matching, profile, options)
            lots += final.left
            held += final.left if final.held is None else final.held
        disposals += in_year(margin_rows(ordered, profile), profile, options.year)
        disposals.sort(key=attrgetter("disposed_at"))
        income = in_year(income_rows(ordered, profile), profile, options.year)
        at = end or (ordered[-1].event.time if ordered else None)
        return Computation(
            tuple(disposals), tuple(income), tuple(lots), tuple(holdings(held, lookup, at)),
            tuple(found for found in findings if end is None or (found.time and found.time < end)),
            tuple(summarize(disposals, income, lots, profile, options.year)), tuple(worklist(known, profile, options.hints, without_value)),
        )  # fmt: skip


def histories(
    events: Sequence[Valued], profile: Profile, lookup: Lookup, findings: list[Finding], without_value: set[str]
) -> Iterator[list[Movement]]:
    """The history of each pool that the method knows; adds to the last two what a pool's making could not find out."""
    if METHODS[profile.method].scope is Scope.ASSET:
        yield from by_asset(events, profile)
        return
    whole = with_values(events, lambda valued: movements(valued, profile), lookup)
    findings += whole.findings
    without_value |= whole.without_value
    yield whole.history


def by_asset(events: Iterable[Valued], profile: Profile) -> Iterator[list[Movement]]:
    """The history of each asset, by name; forgotten as it is handed out, since a long one is large."""
    history: dict[str, list[Movement]] = defaultdict(list)
    for valued in events:
        for movement in movements(valued, profile):
            history[movement.asset].append(movement)
    for asset in sorted(history):
        yield history.pop(asset)


def of_each_asset(history: list[Movement], profile: Profile) -> Iterable[list[Movement]]:
    if METHODS[profile.method].scope is Scope.ASSET:
        return (history,)
    found: dict[str, list[Movement]] = defaultdict(list)
    for m in history:
        found[m.asset].append(m)
    return found.values()


def as_at(
    end: datetime | None, history: Sequence[Movement], matched: Matching, profile: Profile, options: Options
) -> Matching:
    """The matching of what had happened by an instant; with no lots left where the asset was refused before it."""
    if end is not None and history and history[-1].time >= end:
        before = [m for m in history if m.time < end]
        matched = METHODS[profile.method].match(before, profile, options.standing)
    return replace(matched, left=(), held=None) if matched.refused else matched


def in_year(rows: Iterable[Row], profile: Profile, year: int | None) -> list[Row]:
    label = None if year is None else profile.label(year)
    return [row for row in rows if label in (None, row.tax_year)]


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
