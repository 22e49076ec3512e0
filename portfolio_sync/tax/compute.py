"""From valued events to a taxpayer's figures under one profile."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from functools import cache
from operator import attrgetter

from portfolio_sync.core.amount import EXACT, ZERO, shortest
from portfolio_sync.core.asset import FIAT
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
        lots = [lot for asset, found in history.items() for lot in left_at(end, found, matched[asset], profile, options)]
        disposals = in_year(Rows(profile).disposals(matched), profile, options.year)
        income = in_year(income_rows(ordered, profile), profile, options.year)
        at = end or (ordered[-1].event.time if ordered else None)
        holdings = held(lots, lookup, at)
        findings = (*refusals(matched), *unknown_costs(matched))
        return Computation(
            tuple(disposals), tuple(income), tuple(lots), tuple(holdings), findings,
            tuple(summarize(disposals, income, lots, profile.currency)), tuple(worklist(ordered, profile)),
        )  # fmt: skip


def by_asset(events: Iterable[Valued], profile: Profile) -> dict[str, list[Movement]]:
    history: dict[str, list[Movement]] = defaultdict(list)
    for valued in events:
        for movement in movements(valued, profile):
            history[movement.asset].append(movement)
    return dict(sorted(history.items()))


def left_at(end: datetime | None, history: Sequence[Movement], matched: Matching, profile: Profile, options: Options) -> Sequence[Lot]:
    """The lots at an instant; none where the asset was refused before it."""
    if end is not None and history[-1].time >= end:
        matched = METHODS[profile.method]([m for m in history if m.time < end], profile, options.standing)
    return () if matched.refused else matched.left


def in_year[Row: (Disposal, Income)](rows: Iterable[Row], profile: Profile, year: int | None) -> list[Row]:
    label = None if year is None else profile.label(year)
    return [row for row in rows if label in (None, row.tax_year)]
