"""Matches become the rows of the disposals file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.event import Kind, content_id
from portfolio_sync.core.lot import Act, Match, Matching, share
from portfolio_sync.tax.holding import term
from portfolio_sync.tax.profile import Profile, TermRule
from portfolio_sync.tax.result import Disposal

BOUGHT = frozenset({Kind.BUY.value, Kind.TRADE.value})


def disposal_rows(matching: Matching, profile: Profile) -> Iterator[Disposal]:
    """A row for each lot's part of each disposal of one asset, as matched."""
    seen: dict[str, int] = {}
    common = Common(profile, profile.holding_rule, lru_cache(maxsize=None)(profile.label_on), matching.by_day)
    for match, extra in with_extra_cost(matching.matches):
        yield disposal_row(match, extra, seen, common)


class Common(NamedTuple):
    """What all rows of one asset have in common. ``label_on``: the tax year of a local day."""

    profile: Profile
    holding_rule: TermRule
    label_on: Callable[[date], str]
    by_day: bool


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


def disposal_row(match: Match, extra_cost: Decimal, seen: dict[str, int], common: Common) -> Disposal:
    disposal, lot, profile = match.disposal, match.lot, common.profile
    proceeds, cost = money_of(match, extra_cost)
    origin = (lot.event, *lot.ids) if lot else (match.rule,)
    key = "|".join((disposal.event, disposal.kind, disposal.asset, *disposal.ids, *origin))
    seen[key] = number = seen.get(key, 0) + 1
    since = held_since(match, extra_cost)
    acquired, disposed = profile.local_day(since) if since else None, profile.local_day(disposal.time)
    # 365 days are counted as the tools that do so count them: whole days that have passed, wherever midnight lies
    begin, end = (since, disposal.time) if common.holding_rule is TermRule.DAYS365 else (acquired, disposed)
    return Disposal(
        content_id("D", key, str(number)), common.label_on(disposed), disposal.kind, disposal.asset, match.quantity,
        since, disposal.time, proceeds, cost, gain_of(proceeds, cost, match.denied_loss),
        "" if common.by_day or begin is None else term(begin, end, common.holding_rule),
        match.rule, match.matched_date, match.denied_loss, disposal.account, disposal.wallet,
        lot.ids if lot else (), disposal.ids, disposal.price_source,
        acquired, disposed, lot is not None and lot.kind in BOUGHT and lot.wallet == disposal.wallet, common.by_day,
    )  # fmt: skip


def gain_of(proceeds: Decimal | None, cost: Decimal | None, denied_loss: Decimal | None) -> Decimal | None:
    return None if proceeds is None or cost is None else proceeds - cost + (denied_loss or ZERO)


def money_of(match: Match, extra_cost: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Proceeds and cost. Units given away leave at cost; a gift received has another cost for a loss than for a gain."""
    cost, proceeds = match.cost, match.proceeds
    if cost is None:
        return (None if match.disposal.act is Act.GIVE else proceeds), None
    if match.disposal.act is Act.GIVE:
        return cost, cost
    lower = value_when_given(match)
    if lower is not None and proceeds is not None:
        cost = max(min(cost, proceeds - extra_cost), lower)
    return proceeds, cost + extra_cost if extra_cost else cost


def value_when_given(match: Match) -> Decimal | None:
    """The cost for a loss of units that were a gift worth less than they had cost the giver."""
    lot = match.lot
    return share(lot.gift_value, match.quantity, lot.quantity) if lot and lot.gift_value is not None else None


def held_since(match: Match, extra_cost: Decimal) -> datetime | None:
    """The giver's time counts where his cost does; a loss on the lower value at the gift was held since then (IRC 1223 (2))."""
    lot = match.lot
    if lot is None or lot.gift_value is None or match.proceeds is None:
        return lot.acquired_at if lot else None
    lower = value_when_given(match)
    return lot.time if lower is not None and match.proceeds - extra_cost < lower else lot.acquired_at
