"""United States: a test for each published example and each boundary that engines get wrong. Citations stand above each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from portfolio_sync.core.event import Kind
from portfolio_sync.normalize.transactions import Transaction, to_event
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.holding import term
from portfolio_sync.tax.profile import Profile, TermRule, with_settings
from portfolio_sync.tax.profiles import US
from portfolio_sync.tax.result import Computation
from tests.law import published
from tests.shown import shown


def at(year: int, month: int = 1, day: int = 1, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def figures(*transactions: Transaction, profile: Profile = US) -> Computation:
    lookup = Lookup(PriceTable(), profile.currency)
    return compute(value_all([to_event(t, "main") for t in transactions], lookup).events, profile, Options(), lookup)


def buy(id_: str, time: datetime, amount: str, value: str, wallet: str = "", asset: str = "BTC") -> Transaction:
    return Transaction(id_, time, Kind.BUY, asset, Decimal(amount), Decimal(value), wallet=wallet)


def sell(id_: str, time: datetime, amount: str, value: str, wallet: str = "", asset: str = "BTC") -> Transaction:
    return Transaction(id_, time, Kind.SELL, asset, Decimal(amount), Decimal(value), wallet=wallet)


def taken(result: Computation) -> list[tuple[str, str]]:
    return [(row.disposed_ids[0], row.acquired_ids[0]) for row in result.disposals]


# IRC 1222; Rev. Rul. 66-7: the period starts the day after acquisition; bought on the last day of a month, long from the
# first day of the thirteenth month.
@pytest.mark.parametrize(
    ("bought", "first_long_day"),
    [
        (date(2024, 3, 15), date(2025, 3, 16)),
        (date(2023, 3, 15), date(2024, 3, 16)),  # over a leap day
        (date(2023, 2, 28), date(2024, 3, 1)),  # not on 29 February
        (date(2024, 2, 28), date(2025, 3, 1)),
        (date(2024, 2, 29), date(2025, 3, 1)),
        (date(2023, 4, 30), date(2024, 5, 1)),
        (date(2023, 12, 31), date(2025, 1, 1)),
    ],
)
def test_holding_period_turns_long_the_day_after_the_anniversary(bought: date, first_long_day: date) -> None:
    last_short_day = date.fromordinal(first_long_day.toordinal() - 1)
    assert term(bought, last_short_day, TermRule.ANNIVERSARY) == "short"
    assert term(bought, first_long_day, TermRule.ANNIVERSARY) == "long"


def test_counting_365_days_differs_by_a_day() -> None:
    assert term(date(2024, 3, 15), date(2025, 3, 15), TermRule.DAYS365) == "long"
    assert term(date(2024, 3, 15), date(2025, 3, 15), TermRule.ANNIVERSARY) == "short"


# As rp2 counts (``(sold - bought).days >= 365``): whole days that have passed, wherever midnight lies.
def test_counting_365_days_goes_by_the_clock() -> None:
    counting = with_settings(US, {"term_rule": "days365", "timezone": "America/New_York"})
    bought = buy("t1", at(2023, 3, 15, 12), "2", "100")
    sales = sell("t2", at(2024, 3, 14, 11), "1", "150"), sell("t3", at(2024, 3, 14, 12), "1", "150")
    assert [row.term for row in figures(bought, *sales, profile=counting).disposals] == ["short", "long"]


def test_holding_period_goes_by_the_local_day() -> None:
    new_york = with_settings(US, {"timezone": "America/New_York"})
    history = (
        buy("t1", at(2024, 3, 15, 2), "1", "100"),
        sell("t2", at(2025, 3, 15, 12), "1", "150"),
    )  # bought 14 March there
    assert [row.term for row in figures(*history, profile=new_york).disposals] == ["long"]
    assert [row.term for row in figures(*history).disposals] == ["short"]


# 26 CFR 1.1012-1(j): one pool for all wallets up to 2024-12-31, a pool per wallet from 2025-01-01.
def test_until_2024_the_oldest_lot_of_any_wallet_goes_first() -> None:
    result = figures(
        buy("t1", at(2023), "1", "100", "a"),
        buy("t2", at(2024), "1", "200", "b"),
        sell("t3", at(2024, 12, 31, 23), "1", "300", "b"),
    )
    assert taken(result) == [("t3", "t1")]


def test_from_2025_only_lots_of_the_wallet_sold_from_go() -> None:
    result = figures(
        buy("t1", at(2023), "1", "100", "a"),
        buy("t2", at(2024), "1", "200", "b"),
        sell("t3", at(2025, 1, 1, 0), "1", "300", "b"),
    )
    assert taken(result) == [("t3", "t2")]


# Rev. Proc. 2024-28: units and basis allocated on 2025-01-01 match what lies in each wallet.
def test_at_the_change_each_wallet_gets_as_many_units_as_lie_there() -> None:
    result = figures(
        buy("t1", at(2022), "1", "100", "a"), buy("t2", at(2023), "1", "200", "b"),
        sell("t3", at(2024), "1", "300", "b"),  # takes t1; what is left of b's units is a's t2
        sell("t4", at(2025, 6), "1", "400", "a"),
    )  # fmt: skip
    assert taken(result) == [("t3", "t1"), ("t4", "t2")]
    assert not result.findings
    assert not result.lots


CHANGE = at(2025, 1, 1, 0)
TWO_WALLETS = (buy("t1", at(2022), "1", "100", "a"), buy("t2", at(2023), "1", "200", "b"))


def allotted(id_: str, lot: str, amount: str, wallet: str, to_wallet: str, named: str = "") -> Transaction:
    lots = ((lot, Decimal(named or amount)),)
    return Transaction(
        id_, CHANGE, Kind.TRANSFER, "BTC", Decimal(amount), wallet=wallet, to_wallet=to_wallet, lots=lots
    )


# Rev. Proc. 2024-28 section 4.02: another allocation, unit by unit, as transfers with named lots at the instant of the change.
def test_unused_basis_is_allocated_to_wallets_unit_by_unit() -> None:
    result = figures(
        *TWO_WALLETS, allotted("x1", "t1", "1", "a", "b"), allotted("x2", "t2", "1", "b", "a"),
        sell("t3", at(2025, 6), "1", "300", "a"),
    )  # fmt: skip
    assert taken(result) == [("t3", "t2")]
    assert [shown(lot.wallet, lot.origin.ids[0], lot.quantity, lot.cost) for lot in result.lots] == ["b t1 1 100"]
    assert not result.findings


# As above: an allocation leaves each wallet as many units as lie there, and all the basis that there is.
@pytest.mark.parametrize(
    ("transfers", "code", "words"),
    [
        ([allotted("x1", "t1", "0.5", "a", "b")], "allocation_not_balanced", "a -0.5, b 0.5"),
        ([allotted("x1", "t2", "1", "a", "b"), allotted("x2", "t1", "1", "b", "a")], "pick_not_filled", "0 lay in a"),
        ([allotted("x1", "t1", "2", "a", "b")], "insufficient_holdings", "takes 1 BTC more"),
    ],
)
def test_an_allocation_that_does_not_add_up_is_named(transfers: list[Transaction], code: str, words: str) -> None:
    found = {finding.code: finding.message for finding in figures(*TWO_WALLETS, *transfers).findings}
    assert words in found[code]


def test_opening_lots_on_top_of_a_history_are_named() -> None:
    twice = Transaction("o1", CHANGE, Kind.BUY, "BTC", Decimal(1), cost=Decimal(200), acquired=at(2023), wallet="b")
    (found,) = figures(*TWO_WALLETS, twice).findings
    assert (found.code, found.source) == ("opening_lot_beside_history", ("o1",))
    assert not figures(twice).findings


# 26 CFR 1.1012-1(j)(5) example 4: first in, first out goes by the date of acquisition, not of the move into the wallet.
def test_moved_lots_keep_their_place_by_date_of_acquisition() -> None:
    result = figures(
        buy("t1", at(2025, 1, 2), "1", "100", "a"), buy("t2", at(2025, 2), "1", "200", "b"),
        Transaction("t3", at(2025, 3), Kind.TRANSFER, "BTC", Decimal(1), wallet="a", to_wallet="b"),
        sell("t4", at(2025, 4), "1", "300", "b"),
    )  # fmt: skip
    assert taken(result) == [("t4", "t1")]
    assert [row.acquired_at for row in result.disposals] == [at(2025, 1, 2)]


# 26 CFR 1.1001-7(b)(2), 1.1012-1(h): the costs of an exchange come off what is given, and never join what is received.
def test_the_fee_of_an_exchange_belongs_to_the_disposal_alone() -> None:
    trade = Transaction(
        "t2",
        at(2025, 6),
        Kind.TRADE,
        "A",
        Decimal(10),
        Decimal(20),
        "B",
        Decimal(20),
        fee=Decimal(2),
        fee_asset="USD",
        fee_value=Decimal(2),
    )
    result = figures(buy("t1", at(2025, 3), "20", "10", asset="A"), trade)
    assert [shown(row.proceeds, row.cost, row.gain) for row in result.disposals] == ["18 5 13"]
    assert [shown(lot.origin.asset, lot.cost) for lot in result.lots] == ["A 5", "B 20"]


# 26 CFR 1.1012-1(j)(3)(iii): units held back from what is received are sold out of the units just received.
def test_withheld_units_come_from_the_lot_just_received() -> None:
    fee = Transaction(
        "t2", at(2025, 6), Kind.BUY, "BTC", Decimal(1), Decimal(300), fee=Decimal("0.01"), fee_asset="BTC"
    )
    result = figures(buy("t1", at(2025, 1, 2), "1", "100"), fee)
    assert [(row.kind, row.acquired_ids, row.quantity) for row in result.disposals] == [
        ("fee", ("t2",), Decimal("0.01"))
    ]


# IRS digital asset FAQ A53: coins paid to move one's own coins are disposed of; the rest keeps cost and date.
def test_a_withdrawal_disposes_of_the_network_fee_alone() -> None:
    out = Transaction(
        "t2",
        at(2025, 2),
        Kind.TRANSFER,
        "BTC",
        Decimal("0.9"),
        fee=Decimal("0.1"),
        fee_asset="BTC",
        fee_value=Decimal(20),
        to_wallet="own",
    )
    result = figures(buy("t1", at(2025, 1, 2), "1", "100"), out)
    assert [shown(row.kind, row.proceeds, row.cost, row.gain) for row in result.disposals] == ["transfer_fee 20 10 10"]
    assert [shown(lot.wallet, lot.quantity, lot.cost) for lot in result.lots] == ["own 0.9 90"]


# IRC 1015: the giver's cost for a gain, the lower value at the gift for a loss, nothing in between. IRC 1223 (2), Pub. 544: the
# giver's time counts with his cost; where the value at the gift is the cost, the period starts the day after the gift.
@pytest.mark.parametrize(
    ("price", "cost", "gain", "term_", "since"),
    [("120", "100", "20", "long", 2020), ("90", "90", "0", "long", 2020), ("70", "80", "-10", "short", 2021)],
)
def test_a_gift_received_has_two_costs_and_a_zone_without_gain(
    price: str, cost: str, gain: str, term_: str, since: int
) -> None:
    gift = Transaction(
        "t1", at(2021, 6), Kind.GIFT_IN, "BTC", Decimal(1), Decimal(80), cost=Decimal(100), acquired=at(2020)
    )
    (row,) = figures(gift, sell("t2", at(2022), "1", price)).disposals
    assert (row.cost, row.gain, row.term) == (Decimal(cost), Decimal(gain), term_)
    assert row.acquired_at is not None
    assert row.acquired_at.year == since


# IRS Publication 551, property received as a gift: an acre worth 8,000 had cost the giver 10,000.
@pytest.mark.parametrize(("price", "gain"), [("12000", "2000"), ("7000", "-1000"), ("9000", "0")])
def test_publication_551_an_acre_received_as_a_gift(price: str, gain: str) -> None:
    gift = Transaction(
        "t1", at(2021, 6), Kind.GIFT_IN, "ACRE", Decimal(1), Decimal(8000), cost=Decimal(10000), acquired=at(2020)
    )
    sale = Transaction("t2", at(2022), Kind.SELL, "ACRE", Decimal(1), Decimal(price))
    (row,) = figures(gift, sale).disposals
    assert shown(row.gain) == gain


# IRC 1001 (b), 1015: the amount realised is net of the fee, whether a report takes it off the proceeds or shows it as cost.
@pytest.mark.parametrize("sell_fee", ["proceeds", "cost"])
@pytest.mark.parametrize(("price", "gain"), [("95", "0"), ("101", "0"), ("81", "-4"), ("110", "5")])
def test_the_zone_without_gain_is_where_the_net_price_lies(sell_fee: str, price: str, gain: str) -> None:
    gift = Transaction(
        "t1", at(2021, 6), Kind.GIFT_IN, "BTC", Decimal(1), Decimal(80), cost=Decimal(100), acquired=at(2020)
    )
    sale = Transaction(
        "t2", at(2022), Kind.SELL, "BTC", Decimal(1), Decimal(price), fee=Decimal(5), fee_asset="USD", fee_value=Decimal(5)
    )  # fmt: skip
    (row,) = figures(gift, sale, profile=with_settings(US, {"sell_fee": sell_fee})).disposals
    assert shown(row.gain, row.term) == f"{gain} {'short' if price == '81' else 'long'}"


# The examples of the regulations, under the US profile: 26 CFR 1.1001-7 examples 2 and 3, 1.1012-1(j) examples 2 and 3.
@pytest.mark.parametrize(
    "name", ["us-reg1001-7-ex2", "us-reg1001-7-ex3", "us-reg1012-j-ex2", "us-irs-faq-a53-transfer-fee"]
)
def test_regulations_1001_7_and_1012_1_j(name: str) -> None:
    published.holds(name, US)


def test_regulation_1012_1_j_example_3_named_units() -> None:
    published.holds("us-reg1012-j-ex3", with_settings(US, {"method": "spec_id"}))
