"""Positions on margin: gains of their own, beside the coins that change hands with them."""

from __future__ import annotations

from decimal import Decimal

from portfolio_sync.core.price import Price
from portfolio_sync.normalize.events import normalize
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.profiles import DE, GENERIC
from portfolio_sync.tax.result import Computation
from tests.ledgers import START, Ledger

BTC_400 = Price("BTC", "USD", START, Decimal(400), "test")


def figures(ledger: Ledger, *prices: Price, profile: Profile = GENERIC) -> Computation:
    lookup = Lookup(PriceTable.of(prices), profile.currency)
    valuation = value_all(normalize(ledger.rows).events, lookup)
    computation = compute(valuation.events, profile, Options(), lookup)
    assert not computation.findings
    return computation


def test_a_profit_less_its_fees_is_a_short_term_gain() -> None:
    ledger = Ledger()
    ledger.add("margin", "USD", "0", "0.26", refid="T1")
    ledger.add("margin", "USD", "84", "0.3", refid="T2", after=20)
    opened, closed = figures(ledger).disposals
    assert (opened.kind, opened.proceeds, opened.cost, opened.gain) == (
        "margin",
        Decimal(0),
        Decimal("0.26"),
        Decimal("-0.26"),
    )
    assert (closed.asset, closed.quantity, closed.proceeds, closed.cost) == (
        "USD",
        Decimal(84),
        Decimal(84),
        Decimal("0.3"),
    )
    assert (closed.gain, closed.term, closed.acquired_at, closed.disposed_ids) == (
        Decimal("83.7"),
        "short",
        None,
        ("L2",),
    )


# EStG 20, not 23: the limit of 1,000 euros for private sales knows nothing of it.
def test_germany_counts_positions_apart_from_private_sales() -> None:
    ledger = Ledger()
    ledger.add("margin", "EUR", "84", "4", refid="T2")
    totals = {line.item: line.amount for line in figures(ledger, profile=DE).summary if not line.asset}
    assert (totals["net_gain"], totals["net_gain_margin"]) == (Decimal(80), Decimal(80))
    assert (totals["taxable_gain"], totals["tax_free_gain"]) == (Decimal(0), Decimal(0))


def test_a_loss_is_a_loss() -> None:
    ledger = Ledger()
    ledger.add("margin", "USD", "-84", "0.3", refid="T1")
    (row,) = figures(ledger).disposals
    assert (row.proceeds, row.cost, row.gain) == (Decimal(0), Decimal("84.3"), Decimal("-84.3"))


def test_coins_lost_cost_what_they_had_cost() -> None:
    """Sold at 400 each with a gain of 300, and lost at 400 each: together the cost of 100."""
    ledger = Ledger()
    ledger.trade("100 USD", "1 BTC", refid="T1")
    ledger.add("margin", "BTC", "-1", refid="T2", after=60)
    computation = figures(ledger, BTC_400)
    assert sorted(row.gain for row in computation.disposals if row.gain is not None) == [-400, 300]
    assert {row.kind for row in computation.disposals} == {"margin"}
    assert not computation.lots
    assert len({row.id for row in computation.disposals}) == 2


def test_coins_won_are_a_gain_and_have_that_as_their_cost() -> None:
    ledger = Ledger()
    ledger.add("margin", "BTC", "2", refid="T1")
    computation = figures(ledger, BTC_400)
    assert [row.gain for row in computation.disposals] == [800]
    assert [(lot.quantity, lot.cost) for lot in computation.lots] == [(Decimal(2), Decimal(800))]


def test_a_fee_in_credits_costs_their_nominal_value() -> None:
    ledger = Ledger()
    ledger.add("margin", "KFEE", "0", "150", refid="T1")
    assert [row.gain for row in figures(ledger).disposals] == [Decimal("-1.5")]


def test_a_position_without_a_price_has_no_gain_and_is_named() -> None:
    ledger = Ledger()
    ledger.add("margin", "BTC", "-1", "0.1", refid="T1")
    lookup = Lookup(PriceTable.of(()), "USD")
    valuation = value_all(normalize(ledger.rows).events, lookup)
    assert [finding.code for finding in valuation.findings] == ["missing_price"]
    rows = [row for row in compute(valuation.events, GENERIC, Options(), lookup).disposals if row.rule == "margin"]
    assert [(row.proceeds, row.cost, row.gain) for row in rows] == [(Decimal(0), None, None)]


def test_a_rollover_in_money_needs_no_price() -> None:
    ledger = Ledger()
    ledger.add("rollover", "EUR", "0", "0.5", refid="T1")
    lookup = Lookup(PriceTable.of(()), "USD")
    valuation = value_all(normalize(ledger.rows).events, lookup)
    assert not valuation.findings
    assert not compute(valuation.events, GENERIC, Options(), lookup).disposals
