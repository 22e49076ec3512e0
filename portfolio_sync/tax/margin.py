"""Profit and loss of positions on margin, as rows of the disposals file: a contract's gain, without any lot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from portfolio_sync.core.amount import ZERO, minus, plus
from portfolio_sync.core.event import Kind, content_id
from portfolio_sync.pricing.value import Value, Valued
from portfolio_sync.tax.holding import term
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.result import Disposal

MARGIN = Kind.MARGIN.value


def margin_rows(events: Iterable[Valued], profile: Profile) -> Iterator[Disposal]:
    """A row for each asset that a position's opening or closing was booked in.

    Proceeds are the value of a profit, cost that of a loss and of the fees. Held for no time at all: short where a rule knows terms.
    Coins lost are disposed of beside this at the same value (``movements.margin``), so that both together lose what they had cost.
    """
    for valued in events:
        if valued.event.kind is not Kind.MARGIN:
            continue
        for asset in dict.fromkeys(leg.asset for leg in (*valued.event.legs, *valued.event.fees)):
            yield margin_row(valued, asset, profile)


def margin_row(valued: Valued, asset: str, profile: Profile) -> Disposal:
    event = valued.event
    legs = [pair for pair in zip(event.legs, valued.legs, strict=True) if pair[0].asset == asset]
    fees = [pair for pair in zip(event.fees, valued.fees, strict=True) if pair[0].asset == asset]
    won = total(worth for leg, worth in legs if leg.number > 0)
    lost = total(worth for leg, worth in (*((leg, w) for leg, w in legs if leg.number < 0), *fees))
    units = sum((abs(leg.number) for leg, _ in legs or fees), ZERO)
    day = profile.local_day(event.time)
    ids = tuple(dict.fromkeys(row for leg, _ in (*legs, *fees) for row in leg.ids))
    sources = dict.fromkeys(worth.source for _, worth in (*legs, *fees) if worth.source)
    return Disposal(
        content_id("D", event.id, MARGIN, asset), profile.label(profile.year_on(day)), MARGIN, asset, units, None, event.time,
        won, lost, minus(won, lost), term(day, day, profile.holding_rule), MARGIN, "", None, event.account,
        event.wallet or event.account, (), ids, "; ".join(sources), None, day, False,
    )  # fmt: skip


def total(worths: Iterable[Value]) -> Decimal | None:
    known: Decimal | None = ZERO
    for worth in worths:
        known = plus(known, worth.money)
    return known
