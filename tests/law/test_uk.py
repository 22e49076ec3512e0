"""United Kingdom: HMRC's own examples, under the UK profile."""

from __future__ import annotations

import pytest

from portfolio_sync.core.event import Kind
from portfolio_sync.tax.profiles import UK
from tests.law import published
from tests.law.published import figures, transaction
from tests.shown import shown


# HMRC Cryptoassets Manual
@pytest.mark.parametrize("paragraph", ["22251", "22253", "22254", "22255", "61675"])
def test_hmrc_cryptoassets_manual(paragraph: str) -> None:
    published.holds(f"uk-hmrc-crypto{paragraph}", UK)


# TCGA 1992 s. 105 (1) (b), s. 106A (5): the same day before the next 30; day 30 is in, day 31 is out.
@pytest.mark.parametrize("name", ["uk-investir-same-day-over-bb", "uk-cgtcalc-day31", "uk-cgtcalc-prorata-expenses"])
def test_tcga_105_and_106a(name: str) -> None:
    published.holds(name, UK)


# HMRC CRYPTO22280: costs that are shown as cost; the fee of an exchange is shared by both sides.
def test_crypto22280_a_fee_of_an_exchange_is_half_a_cost_of_each_side() -> None:
    rows = (
        {"id": "t1", "kind": "buy", "time": "2024-01-01T12:00:00Z", "asset": "A", "amount": "1", "value": "100"},
        {
            "id": "t2", "kind": "trade", "time": "2024-06-01T12:00:00Z", "asset": "A", "amount": "1", "value": "150",
            "counter_asset": "B", "counter_amount": "5", "fee": "10", "fee_asset": "GBP", "fee_value": "10",
        },
    )  # fmt: skip
    result = figures(map(transaction, rows), UK)
    assert [shown(r.kind, r.proceeds, r.cost, r.gain) for r in result.disposals] == [f"{Kind.TRADE} 150 105 45"]
    assert [shown(lot.origin.asset, lot.cost) for lot in result.lots] == ["B 155"]


# TCGA 1992 s. 1 and the tax year: 23:30 UTC on 5 April is 6 April in London.
def test_a_sale_half_an_hour_before_midnight_utc_on_5_april_is_of_the_next_year() -> None:
    rows = (
        {"id": "t1", "kind": "buy", "time": "2024-01-01T12:00:00Z", "asset": "A", "amount": "1", "value": "100"},
        {"id": "t2", "kind": "sell", "time": "2025-04-05T23:30:00Z", "asset": "A", "amount": "1", "value": "150"},
    )
    (row,) = figures(map(transaction, rows), UK).disposals
    assert (row.tax_year, row.disposed_on.isoformat(), row.by_day, row.term) == ("2025-26", "2025-04-06", True, "")


# TCGA 1992 s. 17: a gift is a disposal at market value, and a cost of that value for the one who receives it.
def test_gifts_count_at_market_value() -> None:
    rows = (
        {
            "id": "t1", "kind": "gift_in", "time": "2024-01-01T12:00:00Z", "asset": "A", "amount": "1", "value": "100",
            "cost": "10", "acquired": "2015-01-01T12:00:00Z",
        },
        {"id": "t2", "kind": "gift_out", "time": "2024-06-01T12:00:00Z", "asset": "A", "amount": "1", "value": "150"},
    )  # fmt: skip
    (row,) = figures(map(transaction, rows), UK).disposals
    assert shown(row.kind, row.proceeds, row.cost, row.gain) == "gift_out 150 100 50"
