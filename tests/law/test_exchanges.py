"""Coins for coins: what the coin given brings, and what the coin received has cost, by the market prices of the day."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portfolio_sync.core.event import Kind
from portfolio_sync.core.instant import parse_iso
from portfolio_sync.core.price import Price
from portfolio_sync.normalize.transactions import to_event
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.profiles import CA, DE, UK, US
from tests.law.published import transaction
from tests.shown import shown

SWAP = {
    "id": "t2", "kind": "trade", "time": "2024-06-01T12:00:00Z", "asset": "A", "amount": "1", "counter_asset": "B",
    "counter_amount": "5",
}  # fmt: skip
BOUGHT = {"id": "t1", "kind": "buy", "time": "2024-01-01T12:00:00Z", "asset": "A", "amount": "2", "value": "200"}


def swapped(profile: Profile, rates: dict[str, str], stated: dict[str, str] | None = None) -> tuple[str, str]:
    """Proceeds of 1 A and cost of the 5 B got for it."""
    day = parse_iso("2024-06-01T00:00:00Z")
    table = PriceTable.of(Price(coin, profile.currency, day, Decimal(rate), "mine") for coin, rate in rates.items())
    lookup = Lookup(table, profile.currency, profile.prices)
    rows = (transaction(BOUGHT | {"currency": profile.currency}), transaction(SWAP | (stated or {})))
    result = compute(value_all([to_event(row, "main") for row in rows], lookup).events, profile, Options(), lookup)
    (sold,), (got,) = (
        [row for row in result.disposals if row.kind == Kind.TRADE],
        [lot for lot in result.lots if lot.origin.asset == "B"],
    )
    return shown(sold.proceeds), shown(got.cost)


# TCGA 1992 ss. 38, 52; BMF letter of 2025-03-06 Rz. 58 (price of the coin received), Rz. 59 (cost: value of the coin given).
@pytest.mark.parametrize("profile", [UK, DE])
def test_bmf_rz_59_and_tcga_38_the_coin_received_has_cost_what_was_given(profile: Profile) -> None:
    assert swapped(profile, {"A": "100", "B": "19"}) == ("95", "100")


# 26 CFR 1.1001-7, 1.1012-1(h); Canada: a barter at the value received.
@pytest.mark.parametrize("profile", [US, CA])
def test_where_both_sides_count_what_is_received_no_spread_is_left(profile: Profile) -> None:
    assert swapped(profile, {"A": "100", "B": "19"}) == ("95", "95")


# BMF Rz. 58: 0.5 of 5 B at 19 were held back; their value is the market's, not that of the A given.
def test_coins_held_back_are_worth_their_market_price() -> None:
    assert swapped(DE, {"A": "100", "B": "19"}, {"fee": "0.5", "fee_asset": "B"}) == ("85.5", "90")


@pytest.mark.parametrize(("rates", "value"), [({"A": "100"}, "100"), ({"B": "19"}, "95")])
def test_one_price_alone_counts_for_both_sides(rates: dict[str, str], value: str) -> None:
    assert swapped(UK, rates) == (value, value)


def test_a_stated_value_stands_for_both_sides_and_a_stated_cost_for_its_own() -> None:
    assert swapped(UK, {"A": "100", "B": "19"}, {"value": "97"}) == ("97", "97")
    assert swapped(UK, {"A": "100", "B": "19"}, {"counter_value": "98"}) == ("95", "98")
