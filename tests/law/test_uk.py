"""United Kingdom: HMRC's own examples, under the UK profile."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from portfolio_sync.core.event import Kind
from portfolio_sync.tax.profile import with_settings
from portfolio_sync.tax.profiles import UK
from tests.law import published
from tests.law.published import figures, transaction
from tests.shown import shown


# HMRC Cryptoassets Manual
@pytest.mark.parametrize("paragraph", ["22251", "22253", "22254", "22255", "61675"])
def test_hmrc_cryptoassets_manual(paragraph: str) -> None:
    published.holds(f"uk-hmrc-crypto{paragraph}", UK)


def token(when: str, kind: str, amount: str, value: str) -> dict[str, str]:
    return {"id": when, "kind": kind, "time": f"2024-{when}:00:00Z", "asset": "T", "amount": amount, "value": value}


MARTYN = (
    token("01-01T12", "buy", "5000", "500"), token("06-23T09", "sell", "1000", "800"),
    token("06-23T14", "buy", "1600", "1000"), token("06-23T20", "sell", "500", "600"),
)  # fmt: skip
GULFERAZ = (
    token("01-01T12", "buy", "100000", "300000"), token("07-31T10", "buy", "10000", "45000"),
    token("07-31T12", "sell", "30000", "150000"), token("08-05T12", "sell", "20000", "100000"),
    token("08-06T12", "buy", "50000", "225000"), token("08-07T12", "sell", "100000", "150000"),
)  # fmt: skip


# HMRC CRYPTO22252, 22256: rule, units, cost and gain; what the pool keeps. HMRC rounds 937.50 and 313,636.36 to pounds.
@pytest.mark.parametrize(
    ("history", "rows", "pool"),
    [
        (MARTYN, ["same_day 1500 937.5 462.5"], "5100 562.5"),
        (
            GULFERAZ,
            ["same_day 10000 45000 5000", "30_day 20000 90000 10000", "30_day 20000 90000 10000", "s104 100000 313636.36 -163636.36"],
            "10000 31363.64",
        ),
    ],
)  # fmt: skip
def test_crypto22252_and_22256_same_day_30_days_and_pool(
    history: tuple[dict[str, str], ...], rows: list[str], pool: str
) -> None:
    result = figures(map(transaction, history), UK)
    assert [shown(r.rule, r.quantity, *pence(r.cost, r.gain)) for r in result.disposals] == rows
    assert [shown(lot.quantity, *pence(lot.cost)) for lot in result.lots] == [pool]


def pence(*money: Decimal | None) -> list[Decimal]:
    return [round(amount, 2).normalize() + 0 for amount in money if amount is not None]


def swap(when: str, given: str, received: str, value: str, cost: str) -> dict[str, str]:
    """``given`` and ``received`` as ``1000 G``; what is received is worth ``value`` and has cost the value of what is given."""
    (amount, asset), (counter_amount, counter_asset) = given.split(), received.split()
    more = {"counter_asset": counter_asset, "counter_amount": counter_amount, "counter_value": cost}
    return token(when, "trade", amount, value) | {"asset": asset} | more


ELINA = (
    token("01-01T12", "buy", "100000", "300000") | {"asset": "G"},
    swap("08-31T10", "1000 G", "10000 H", "3200", "3200"), swap("08-31T12", "5000 H", "600 G", "1920", "1700"),
    swap("08-31T14", "550 G", "5000 H", "1650", "1760"), swap("09-04T12", "2000 H", "180 G", "558", "560"),
    swap("09-16T12", "400 G", "4000 H", "1080", "1080"), swap("10-27T12", "12000 H", "900 G", "2430", "2400"),
)  # fmt: skip


# HMRC CRYPTO22257: gains of 280, 267 and 18, losses of 120 and 1,417; pools of 99,730 G for 298,890 and of no H.
def test_crypto22257_an_exchange_moves_two_pools_and_a_day_has_one_gain() -> None:
    result = figures(map(transaction, ELINA), UK)
    days: dict[str, Decimal] = defaultdict(Decimal)
    for row in result.disposals:
        days[f"{row.asset} {row.disposed_on:%m-%d}"] += row.gain or 0
    assert {day: round(gain) for day, gain in days.items()} == {
        "G 08-31": 280, "G 09-16": -120, "H 08-31": 267, "H 09-04": 18, "H 10-27": -1417,
    }  # fmt: skip
    sums = {line.item: line.amount for line in result.summary if not line.asset}
    assert pence(sums["gains"], sums["losses"], sums["net_gain"]) == [Decimal("564.67"), Decimal("1536.67"), -972]
    assert [shown(lot.origin.asset, lot.quantity, *pence(lot.cost)) for lot in result.lots] == ["G 99730 298890"]


# HMRC CRYPTO22255 prints one gain of a disposal though two rules took its units; so a gain and a loss inside it are one.
def test_what_two_rules_took_of_one_disposal_gains_or_loses_once() -> None:
    rows = (
        token("01-01T12", "buy", "500", "50550"), token("06-30T10", "buy", "50", "4950"),
        token("06-30T12", "sell", "100", "9999"),
    )  # fmt: skip
    result = figures(map(transaction, rows), UK)
    sums = {line.item: line.amount for line in result.summary if not line.asset}
    assert shown(*(row.gain for row in result.disposals)) == "49.5 -55.5"
    assert shown(sums["gains"], sums["losses"], sums["net_gain"]) == "0 6 -6"


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


# TCGA 1992 s. 58, 105 (1), 106A: a gift to a spouse is a disposal without gain, matched like a sale; examples of mattjgalloway/cgtcalc
# (SpouseTransfer*, SameDaySellAndSpouseOut*). A lost key is no disposal (CRYPTO22400) and leaves the pool alone.
@pytest.mark.parametrize(
    ("history", "rows", "pool"),
    [
        ([("01-01", "buy", "100", "100"), ("02-01", "buy", "10", "1000"), ("02-01", "gift_out", "10", "")], ["gift_out same_day 10 1000"], "100 100"),
        ([("01-01", "buy", "100", "100"), ("02-01", "gift_out", "40", ""), ("02-15", "buy", "40", "4000")], ["gift_out 30_day 40 4000"], "100 100"),
        ([("01-01", "buy", "100", "100"), ("02-01", "lost", "40", ""), ("02-15", "buy", "40", "4000")], ["lost s104 40 40"], "100 4060"),
        (
            [("01-01", "buy", "100", "100"), ("01-10", "gift_out", "70", ""), ("01-20", "buy", "60", "90"), ("01-20", "sell", "50", "150")],
            ["gift_out 30_day 10 15", "gift_out s104 60 60", "sell same_day 50 75"],
            "40 40",
        ),
        (
            [("01-01", "buy", "100", "100"), ("02-01", "buy", "100", "1000"), ("02-01", "gift_out", "100", ""), ("02-01", "sell", "100", "2000")],
            ["sell same_day 50 500", "gift_out same_day 50 500", "sell s104 50 50", "gift_out s104 50 50"],
            "",
        ),
    ],
)  # fmt: skip
def test_tcga_58_a_gift_to_a_spouse_is_matched_like_a_sale(
    history: list[tuple[str, str, str, str]], rows: list[str], pool: str
) -> None:
    said = [token(f"{day}T12", *rest) | {"id": f"t{n}"} for n, (day, *rest) in enumerate(history)]
    stated = [row if row["value"] else row | {"value": None} for row in said]
    result = figures(map(transaction, stated), with_settings(UK, {"gift_out": "no_gain"}))
    assert [shown(r.kind, r.rule, r.quantity, r.cost) for r in result.disposals] == rows
    assert {r.gain for r in result.disposals if r.kind != "sell"} <= {0}
    assert " ".join(shown(lot.quantity, lot.cost) for lot in result.lots) == pool


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
