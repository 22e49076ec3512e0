from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from portfolio_sync.core.event import Event, Kind
from portfolio_sync.core.price import Price
from portfolio_sync.normalize.events import Counts, normalize
from portfolio_sync.normalize.transactions import Transaction, to_event
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.report.frame import Report, tables
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profile import Profile, with_settings
from portfolio_sync.tax.profiles import CA, FR, GENERIC, UK, US
from portfolio_sync.tax.result import Computation
from tests.ledgers import START, Ledger
from tests.shown import shown

YEAR = 366 * 86400


def figures(
    ledger: Ledger, profile: Profile = GENERIC, year: int | None = None, prices: tuple[Price, ...] = ()
) -> Computation:
    lookup = Lookup(PriceTable.of(prices), profile.currency)
    return compute(value_all(normalize(ledger.rows).events, lookup).events, profile, Options(year), lookup)


def dollars(symbol: str, rate: str, time: datetime = START) -> Price:
    return Price(symbol, "USD", time, Decimal(rate), "test")


def test_a_buy_and_a_sale_of_a_kraken_ledger() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "2 BTC", refid="T1", fee="1")
    ledger.trade("1 BTC", "80 USD", refid="T2", after=86400)
    (row,) = figures(ledger).disposals
    assert shown(row.kind, row.quantity, row.proceeds, row.cost, row.gain, row.term) == "sell 1 80 50.5 29.5 short"
    assert (row.acquired_ids, row.disposed_ids, row.wallet, row.price_source) == (("L2",), ("L3",), "main", "own leg")


def test_coins_from_outside_have_no_cost_until_it_is_stated() -> None:
    ledger = Ledger()
    ledger.add("deposit", "BTC", "1", refid="Q1")
    ledger.trade("1 BTC", "80 USD", refid="T2", after=86400)
    result = figures(ledger)
    (row,) = result.disposals
    assert shown(row.proceeds, row.cost, row.gain, row.acquired_ids) == "80 ? ? L1"
    assert [(finding.code, finding.source) for finding in result.findings] == [("unknown_cost", ("L2",))]
    assert [(task.valued.event.source, task.note) for task in result.worklist] == [
        (("L1",), "fill in cost and acquired")
    ]
    assert {line.item: line.amount for line in result.summary if not line.asset}["disposals_unknown"] == 1


def test_withdrawn_coins_keep_date_and_cost_outside_and_are_suggested_when_they_come_back() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "2 BTC", refid="T1")
    ledger.add("withdrawal", "BTC", "-1", "0.01", refid="FT1", after=86400)
    ledger.add("deposit", "BTC", "0.999", refid="Q1", after=2 * 86400)
    result = figures(ledger, prices=(dollars("BTC", "60"),))
    assert [shown(row.kind, row.quantity, row.proceeds, row.cost) for row in result.disposals] == [
        "transfer_fee 0.01 0.6 0.5"
    ]
    assert [shown(h.wallet, h.quantity, h.cost) for h in result.holdings] == ["external:main 1 50", "main 1.989 ?"]
    assert [shown(lot.wallet, lot.quantity, lot.cost) for lot in result.lots] == [
        "external:main 1 50",
        "main 0.99 49.5",
        "main 0.999 ?",
    ]
    assert [task.note for task in result.worklist] == ["fill in cost and acquired"]


def test_an_oversold_asset_is_refused_from_there_on_and_the_rest_goes_on() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "1 BTC", refid="T1")
    ledger.trade("0.5 BTC", "80 USD", refid="T2", after=10)
    ledger.trade("2 BTC", "320 USD", refid="T3", after=20)
    ledger.trade("100 USD", "9 BTC", refid="T4", after=30)
    ledger.trade("100 USD", "1 ETH", refid="T5", after=40)
    ledger.trade("1 ETH", "110 USD", refid="T6", after=50)
    result = figures(ledger)
    assert [(row.asset, row.disposed_ids) for row in result.disposals] == [("BTC", ("L3",)), ("ETH", ("L11",))]
    assert [(f.code, f.source) for f in result.findings] == [("insufficient_holdings", ("L5",))]
    assert "1.5 BTC more" in result.findings[0].message
    assert not result.lots


def test_a_disposal_without_a_price_has_blank_proceeds_never_zero() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "1 BTC", refid="T1")
    ledger.add("withdrawal", "BTC", "-0.5", "0.01", refid="FT1", after=10)
    (row,) = figures(ledger).disposals
    assert (row.proceeds, row.gain) == (None, None)


def test_rewards_are_income_at_their_value_and_lots_of_that_cost() -> None:
    ledger = Ledger()
    ledger.add("staking", "DOT", "10", "2", refid="ST1")
    result = figures(ledger, prices=(dollars("DOT", "5"),))
    assert [shown(i.income_type, i.quantity, i.value, i.price_source) for i in result.income] == [
        "staking 8 40 test DOT/USD 2024-01-01T00:00:00Z"
    ]
    assert [shown(lot.quantity, lot.cost) for lot in result.lots] == ["8 40"]


def test_a_year_prints_its_own_rows_from_the_whole_history_and_lots_as_at_its_end() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "3 BTC", refid="T1")
    ledger.trade("1 BTC", "80 USD", refid="T2", after=10)
    ledger.trade("1 BTC", "90 USD", refid="T3", after=YEAR)
    first, second = figures(ledger, year=2024), figures(ledger, year=2025)
    assert [row.disposed_ids for row in first.disposals] == [("L3",)]
    assert [row.disposed_ids for row in second.disposals] == [("L5",)]
    assert [[shown(lot.quantity) for lot in result.lots] for result in (first, second)] == [["2"], ["1"]]


def test_what_goes_wrong_after_a_year_does_not_touch_it() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "3 BTC", refid="T1")
    ledger.trade("9 BTC", "90 USD", refid="T3", after=YEAR)
    assert not figures(ledger, year=2024).findings
    assert [shown(lot.quantity) for lot in figures(ledger, year=2024).lots] == ["3"]


def test_what_is_lost_leaves_without_gain_or_loss() -> None:
    history = [
        Transaction("t1", START, Kind.BUY, "BTC", Decimal(2), Decimal(100)),
        Transaction("t2", START, Kind.LOST, "BTC", Decimal(1)),
        Transaction("t3", START, Kind.GIFT_OUT, "BTC", Decimal(1), Decimal(500)),
    ]
    lookup = Lookup(PriceTable(), "USD")
    events = value_all([to_event(t, "main") for t in history], lookup).events
    assert [
        shown(r.kind, r.proceeds, r.cost, r.gain) for r in compute(events, GENERIC, Options(), lookup).disposals
    ] == ["lost 50 50 0", "gift_out 50 50 0"]
    at_value = with_settings(GENERIC, {"gift_out": "fmv"})
    assert [shown(r.kind, r.proceeds, r.gain) for r in compute(events, at_value, Options(), lookup).disposals] == [
        "lost 50 0",
        "gift_out 500 450",
    ]


def test_costs_of_a_sale_can_be_shown_as_cost() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "1 BTC", refid="T1")
    ledger.trade("100 USD", "1 BTC", refid="T2", after=1)
    ledger.add("trade", "BTC", "-2", refid="T3", after=20)
    ledger.add("trade", "USD", "300", "3", refid="T3", after=20)
    profile = with_settings(GENERIC, {"sell_fee": "cost"})
    assert [shown(row.proceeds, row.cost) for row in figures(ledger, profile).disposals] == ["150 101.5"] * 2


@pytest.mark.parametrize("profile", [GENERIC, UK, CA, FR], ids=lambda profile: profile.name)
def test_a_wallet_that_gives_what_never_came_to_it_is_named_where_one_pool_covers_all(profile: Profile) -> None:
    bought = Transaction("t1", START, Kind.BUY, "BTC", Decimal(2), Decimal(100))
    moved = Transaction("t2", START + timedelta(days=1), Kind.TRANSFER, "BTC", Decimal(1), wallet="cold")
    late = Transaction("t3", START + timedelta(days=2), Kind.BUY, "BTC", Decimal(1), Decimal(60), wallet="cold")

    def short(*history: Transaction) -> list[tuple[str, ...]]:
        events = value_all([to_event(one, "main") for one in history], Lookup(PriceTable(), profile.currency)).events
        found = compute(events, profile, Options(), Lookup(PriceTable(), profile.currency)).findings
        assert all("cold gave 1 BTC more" in finding.message for finding in found)
        return [finding.source for finding in found if finding.code == "wallet_short"]

    assert short(bought, moved) == [("t2",)]
    assert short(bought, moved, late) == []


def test_the_order_in_which_events_come_does_not_matter() -> None:
    ledger = random_ledger(3)
    lookup = Lookup(PriceTable(), "USD")
    events = list(value_all(normalize(ledger.rows).events, lookup).events)
    wanted = compute(events, US, Options(), lookup)
    random.Random(1).shuffle(events)
    assert compute(events, US, Options(), lookup) == wanted


def random_ledger(seed: int) -> Ledger:
    chosen, ledger = random.Random(seed), Ledger(start=datetime(2024, 6, 1, tzinfo=UTC))
    for place in range(200):
        sides = [f"{chosen.randrange(1, 999)} USD", f"{chosen.randrange(1, 99) / 8} {chosen.choice(('BTC', 'ETH'))}"]
        if chosen.random() < 0.4:
            sides.reverse()
        ledger.trade(sides[0], sides[1], refid=f"T{place}", after=place * timedelta(days=3).total_seconds())
    return ledger


def test_event_rows_speak_of_their_own_kind() -> None:
    ledger = Ledger()
    ledger.trade("1 BTC", "20 ETH", refid="T1")
    event: Event = normalize(ledger.rows).events[0]
    assert [str(leg.amount) for leg in (*event.given, *event.received)] == ["-1 BTC", "20 ETH"]


def test_a_rule_by_day_prints_days_and_a_pool_has_no_date() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "2 BTC", refid="T1")
    ledger.trade("0.5 BTC", "30 USD", refid="T2", after=40 * 86400)
    ledger.trade("0.5 BTC", "40 USD", refid="T3", after=40 * 86400 + 60)
    result = figures(ledger, with_settings(GENERIC, {"method": "uk_s104"}))
    files = {
        table.name: [dict(zip(table.header, line, strict=True)) for line in table.lines()]
        for table in tables(Report(result, GENERIC, Counts(), (), ()))
    }
    (row,), (lot,) = files["disposals.csv"], files["open_lots.csv"]
    assert [row[name] for name in ("disposed_at", "acquired_at", "quantity", "gain", "rule", "disposed_id")] == [
        "2024-02-10", "", "1", "20", "s104", "L3;L5",
    ]  # fmt: skip
    assert [lot[name] for name in ("asset", "quantity", "acquired_at", "cost", "wallet", "acquired_id")] == [
        "BTC", "1", "", "50", "main", "",
    ]  # fmt: skip
    assert [shown(h.wallet, h.quantity, h.cost) for h in result.holdings] == ["main 1 50"]


def test_a_year_end_before_a_later_purchase_shows_what_was_held_then() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "2 BTC", refid="T1")
    ledger.trade("1 BTC", "30 USD", refid="T2", after=YEAR - 5 * 86400)
    ledger.trade("60 USD", "1 BTC", refid="T3", after=YEAR + 5 * 86400)
    result = figures(ledger, with_settings(GENERIC, {"method": "uk_s104"}), 2024)
    assert [shown(row.rule, row.cost) for row in result.disposals] == ["30_day 60"]
    assert [shown(lot.quantity, lot.cost) for lot in result.lots] == ["1 50"]


def test_what_the_law_allows_a_year_stands_last_in_its_summary() -> None:
    last = [figures(Ledger(), UK, year).summary[-1] for year in (2022, 2023, 2024)]
    assert [shown(line.item, line.amount, line.currency) for line in last] == [
        "annual_exempt_amount 12300 GBP", "annual_exempt_amount 6000 GBP", "annual_exempt_amount 3000 GBP",
    ]  # fmt: skip
    assert "annual_exempt_amount" not in {line.item for line in figures(Ledger(), UK).summary}
