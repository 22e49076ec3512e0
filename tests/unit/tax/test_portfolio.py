"""France: V by price lookup, coins for coins, and what cannot be known."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from portfolio_sync.core.event import Kind
from portfolio_sync.core.price import Price
from portfolio_sync.normalize.transactions import Transaction, to_event
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profiles import FR
from portfolio_sync.tax.result import Computation
from tests.shown import shown
from tests.unit.tax.histories import START


def on(day: int) -> datetime:
    return START + timedelta(days=day)


def did(day: int, kind: Kind, amount: object, asset: str, value: object, **more: object) -> Transaction:
    worth = None if value is None else Decimal(str(value))
    return Transaction(f"t{day}", on(day), kind, asset, Decimal(str(amount)), worth, **more)  # type: ignore[arg-type]  # the names of Transaction


def euros(symbol: str, rate: int, day: int) -> Price:
    return Price(symbol, "EUR", on(day), Decimal(rate), "test")


def figures(*rows: Transaction, prices: tuple[Price, ...] = (), year: int | None = None) -> Computation:
    lookup = Lookup(PriceTable.of(prices), "EUR")
    return compute(value_all([to_event(t, "main") for t in rows], lookup).events, FR, Options(year), lookup)


def lines(result: Computation) -> list[str]:
    return [shown(d.kind, d.asset, d.quantity, d.proceeds, d.cost, d.gain) for d in result.disposals]


def price_left(result: Computation) -> list[str]:
    return [shown(lot.origin.asset, lot.cost) for lot in result.lots]


BOUGHT = (did(0, Kind.BUY, 2, "BTC", 1000), did(1, Kind.BUY, 10, "ETH", 600))


# CGI art. 150 VH bis III A: the prices paid in legal tender. What was held back of the coins was paid for with them.
def test_coins_held_back_from_a_purchase_do_not_raise_the_acquisition_price_and_money_does() -> None:
    in_coins = did(0, Kind.BUY, 1, "BTC", 1000, fee=Decimal("0.01"), fee_asset="BTC")
    in_money = did(1, Kind.BUY, 1, "BTC", 1000, fee=Decimal(5), fee_asset="EUR")
    assert price_left(figures(in_coins)) == ["* 1000"]
    assert price_left(figures(in_coins, in_money)) == ["* 2005"]


def test_the_portfolio_is_valued_at_prices_just_before_the_sale_and_what_is_sold_at_its_own() -> None:
    """V = 2 x 1500 (the sale's own price) + 10 x 100; A = 1600; cost = 1600 x 1500 / 4000."""
    result = figures(*BOUGHT, did(9, Kind.SELL, 1, "BTC", 1500), prices=(euros("ETH", 100, 9),))
    assert lines(result) == ["sell BTC 1 1500 600 900"]
    assert price_left(result) == ["* 1000"]
    assert [shown(h.asset, h.wallet, h.quantity, h.cost, h.value) for h in result.holdings] == [
        "BTC main 1 ? ?",
        "ETH main 10 ? 1000",
    ]


def test_fees_come_off_the_price_but_not_out_of_the_fraction() -> None:
    sale = did(9, Kind.SELL, 2, "BTC", 500, fee=Decimal(10), fee_asset="EUR", portfolio_value=Decimal(1000))
    assert lines(figures(did(0, Kind.BUY, 2, "BTC", 400), sale)) == ["sell BTC 2 490 200 290"]


def test_coins_for_coins_and_rewards_leave_the_acquisition_price_alone() -> None:
    swap = did(5, Kind.TRADE, 1, "BTC", 900, counter_asset="ETH", counter_amount=Decimal(9))
    reward = did(6, Kind.INCOME, 1, "ETH", 90)
    result = figures(*BOUGHT, swap, reward)
    assert lines(result) == []
    assert price_left(result) == ["* 1600"]
    assert [shown(i.value) for i in result.income] == ["90"]
    assert [shown(h.asset, h.quantity) for h in result.holdings] == ["BTC 1", "ETH 20"]


def test_without_a_price_of_every_coin_the_gain_is_blank_and_the_price_is_asked_for() -> None:
    later = did(20, Kind.SELL, 1, "BTC", 100, portfolio_value=Decimal(1000))
    result = figures(*BOUGHT, did(9, Kind.SELL, 1, "BTC", 1500), later)
    assert lines(result) == ["sell BTC 1 1500 ? ?", "sell BTC 1 100 ? ?"]
    assert price_left(result) == ["* ?"]
    found = [(f.code, f.source) for f in result.findings]
    assert found == [("missing_price", ("t9",)), ("unknown_cost", ("t9",)), ("unknown_cost", ("t20",))]
    assert "prices of ETH" in result.findings[0].message
    assert "not known since t9" in result.findings[2].message


def test_a_sale_without_the_portfolios_value_is_a_line_of_the_worklist_until_it_is_stated() -> None:
    history = (did(0, Kind.BUY, 1, "A", 100), did(0, Kind.BUY, 1, "B", 100))
    (task,) = figures(*history, did(1, Kind.SELL, 1, "A", 150)).worklist
    assert (task.valued.event.kind, task.note[:23]) == (Kind.SELL, "fill in portfolio_value")
    assert not figures(*history, did(1, Kind.SELL, 1, "A", 150, portfolio_value=Decimal(400))).worklist


# CGI art. 150 VH bis III: the acquisition price and the value are those of all coins of the taxpayer, wherever they lie.
def test_coins_deposited_from_outside_belonged_to_the_portfolio_since_they_were_acquired() -> None:
    came = did(9, Kind.DEPOSIT, 1, "ETH", None, cost=Decimal(300), acquired=on(1))
    sold = did(5, Kind.SELL, 1, "BTC", 100)
    bought = did(0, Kind.BUY, 1, "BTC", 500)
    result = figures(bought, sold, came, prices=(euros("ETH", 300, 5),))
    assert lines(result) == ["sell BTC 1 100 200 -100"]  # 800 x 100 / 400
    assert price_left(result) == ["* 600"]


def test_a_portfolio_worth_less_than_what_was_sold_of_it_is_named() -> None:
    bought = did(0, Kind.BUY, 2, "BTC", 1000)
    (found,) = figures(bought, did(1, Kind.SELL, 1, "BTC", 600, portfolio_value=Decimal(120))).findings
    assert (found.code, found.source) == ("portfolio_below_sale", ("t1",))
    assert not figures(bought, did(1, Kind.SELL, 1, "BTC", 600, portfolio_value=Decimal(600))).findings


def test_who_sells_all_has_used_all_of_the_acquisition_price() -> None:
    result = figures(did(0, Kind.BUY, 7, "BTC", 1000), did(1, Kind.SELL, 7, "BTC", 100))
    assert (lines(result), price_left(result)) == (["sell BTC 7 100 1000 -900"], ["* 0"])


def test_coins_of_unknown_cost_make_the_acquisition_price_unknown() -> None:
    gift = did(5, Kind.GIFT_IN, 1, "BTC", None)
    result = figures(*BOUGHT, gift, did(9, Kind.SELL, 1, "BTC", 100, portfolio_value=Decimal(1000)))
    assert lines(result) == ["sell BTC 1 100 ? ?"]
    assert ["not known since t5" in f.message for f in result.findings] == [True]


def test_more_sold_than_known_has_no_gain_unless_the_portfolio_is_stated() -> None:
    bought, sale = did(0, Kind.BUY, 1, "BTC", 1000), did(9, Kind.SELL, 2, "BTC", 100)
    result = figures(bought, sale)
    assert lines(result) == ["sell BTC 2 100 ? ?"]
    assert {f.code for f in result.findings} == {"insufficient_holdings", "unknown_cost"}
    stated = did(9, Kind.SELL, 2, "BTC", 100, portfolio_value=Decimal(200))
    assert lines(figures(bought, stated)) == ["sell BTC 2 100 500 -400"]


def test_units_that_are_not_known_are_named_only_where_a_value_is_left_to_be_reckoned() -> None:
    bought, swap = did(0, Kind.BUY, 1, "BTC", 1000), did(5, Kind.GIFT_OUT, 2, "BTC", None)
    stated = did(9, Kind.SELL, 1, "BTC", 450, portfolio_value=Decimal(1200))
    assert [f.code for f in figures(bought, swap).findings] == ["insufficient_holdings"]
    answered = figures(bought, swap, stated)
    assert (lines(answered), [*answered.findings]) == (["sell BTC 1 450 375 75"], [])
    codes = {f.code for f in figures(bought, swap, stated, did(12, Kind.SELL, 1, "BTC", 100)).findings}
    assert "insufficient_holdings" in codes


def test_a_year_shows_the_acquisition_price_left_at_its_end() -> None:
    sales = [did(day, Kind.SELL, 1, "BTC", 100, portfolio_value=Decimal(400)) for day in (9, 400)]
    result = figures(did(0, Kind.BUY, 2, "BTC", 400), *sales, year=2024)
    assert lines(result) == ["sell BTC 1 100 100 0"]
    assert price_left(result) == ["* 300"]
    assert {s.item: shown(s.amount, s.currency) for s in result.summary}["exempt_up_to_sales"] == "305 EUR"
