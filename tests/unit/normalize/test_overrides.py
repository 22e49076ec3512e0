"""Statements about ledger rows: they add what the ledger does not say, or say what a row really was. Units stay the ledger's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio_sync.core.event import Event, Kind
from portfolio_sync.core.finding import Severity
from portfolio_sync.core.price import Price
from portfolio_sync.core.transaction import Transaction
from portfolio_sync.normalize.events import Normalized, normalize
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import Valuation, value_all
from tests.ledgers import START, Ledger

YEAR = timedelta(days=365)


def says(row_id: str, kind: Kind, asset: str, amount: str | None = None, **more: Any) -> tuple[str, Transaction]:
    numbers = {name: Decimal(value) for name, value in more.items() if isinstance(value, str) and value[:1].isdigit()}
    units = None if amount is None else Decimal(amount)
    return "main", Transaction(row_id, START + YEAR, kind, asset, units, **{**more, **numbers})


def only(result: Normalized) -> Event:
    (event,) = result.events
    return event


def legs(event: Event) -> dict[str, str]:
    return {leg.asset: str(leg.number) for leg in event.legs}


def codes(result: Normalized) -> list[str]:
    return [finding.code for finding in result.findings]


def booked(type_: str, symbol: str, amount: str, fee: str = "0") -> Ledger:
    ledger = Ledger()
    ledger.add(type_, symbol, amount, fee)
    return ledger


def test_a_deposit_with_a_cost_gets_its_basis_and_stays_that_deposit() -> None:
    ledger = booked("deposit", "BTC", "1.5", "0.5")
    told = says("L1", Kind.DEPOSIT, "BTC", "1", cost="100", acquired=START - YEAR, note="bought at X")
    result = normalize(ledger.rows, [told])
    event = only(result)
    assert (event.kind, event.time, legs(event)) == (Kind.DEPOSIT, START, {"BTC": "1.0"})
    assert (event.facts.cost, event.facts.acquired) == (Decimal(100), START - YEAR)
    (finding,) = result.findings
    assert (finding.code, finding.severity) == ("supplemented", Severity.INFO)
    assert finding.message == "stated for this deposit: cost, acquired: bought at X"
    assert (result.counts.ledger_rows, result.counts.event) == (1, 1)


def test_an_unfilled_row_of_the_worklist_changes_nothing() -> None:
    ledger = booked("deposit", "BTC", "1")
    result = normalize(ledger.rows, [says("L1", Kind.DEPOSIT, "BTC", "1")])
    assert result == normalize(ledger.rows)


def test_a_value_for_a_trade_reaches_the_event_of_all_its_rows() -> None:
    ledger = Ledger()
    ledger.trade("2 ETH", "1 XYZ", refid="T1")
    told = says("L1", Kind.TRADE, "ETH", "2", counter_asset="XYZ", counter_amount="1", value="500")
    event = only(normalize(ledger.rows, [told]))
    assert (event.kind, event.source, event.facts.value) == (Kind.TRADE, ("L1", "L2"), Decimal(500))


ARRIVED = [
    (Kind.INCOME, Kind.INCOME, {"BTC": "0.9"}),
    (Kind.GIFT_IN, Kind.GIFT_IN, {"BTC": "0.9"}),
    (Kind.BUY, Kind.BUY, {"BTC": "0.9"}),
    (Kind.MARGIN, Kind.INTERNAL, {}),
]
LEFT: list[tuple[Kind, Kind, dict[str, str], dict[str, str]]] = [
    (Kind.SPEND, Kind.SPEND, {"BTC": "-1"}, {"BTC": "0.1"}),
    (Kind.SELL, Kind.SELL, {"BTC": "-1"}, {"BTC": "0.1"}),
    (Kind.GIFT_OUT, Kind.GIFT_OUT, {"BTC": "-1.1"}, {}),
    (Kind.LOST, Kind.LOST, {"BTC": "-1.1"}, {}),
    (Kind.FEE, Kind.FEE, {"BTC": "-1.1"}, {}),
    (Kind.TRANSFER, Kind.TRANSFER, {"BTC": "-1"}, {"BTC": "0.1"}),
    (Kind.MARGIN, Kind.INTERNAL, {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("stated", "kind", "units"), ARRIVED)
def test_what_arrived_counts_as_stated_with_all_its_units(stated: Kind, kind: Kind, units: dict[str, str]) -> None:
    result = normalize(booked("deposit", "BTC", "1", "0.1").rows, [says("L1", stated, "BTC", note="why")])
    event = only(result)
    assert (event.kind, legs(event), event.rule) == (kind, units, "stated")
    (finding,) = result.findings
    assert (finding.code, finding.severity) == ("overridden", Severity.INFO)
    assert finding.message == f"deposit of 1 BTC counts as {stated}, as was stated: why"


@pytest.mark.parametrize(("stated", "kind", "units", "fee"), LEFT)
def test_what_left_counts_as_stated_and_its_fee_is_never_lost(
    stated: Kind, kind: Kind, units: dict[str, str], fee: dict[str, str]
) -> None:
    event = only(normalize(booked("withdrawal", "BTC", "-1", "0.1").rows, [says("L1", stated, "BTC")]))
    assert (event.kind, legs(event)) == (kind, units)
    assert {leg.asset: str(leg.number) for leg in event.fees} == fee


def test_a_row_without_a_rule_is_what_a_person_says() -> None:
    result = normalize(booked("mystery", "BTC", "1").rows, [says("L1", Kind.INCOME, "BTC", value="5")])
    assert (only(result).kind, codes(result)) == (Kind.INCOME, ["overridden"])
    assert (result.counts.event, result.counts.finding) == (1, 0)


def test_rows_without_a_rule_that_nobody_spoke_of_stay_a_finding() -> None:
    ledger = Ledger()
    ledger.add("mystery", "BTC", "1")
    ledger.add("mystery", "BTC", "2", after=60)
    result = normalize(ledger.rows, [says("L1", Kind.INCOME, "BTC")])
    assert sorted(codes(result)) == ["overridden", "unclassified"]
    assert (result.counts.ledger_rows, result.counts.event, result.counts.finding) == (2, 1, 1)


def test_one_row_taken_out_of_a_fill_leaves_the_rest_to_be_judged() -> None:
    ledger = Ledger()
    ledger.trade("2 ETH", "1 XYZ", refid="T1")
    result = normalize(ledger.rows, [says("L2", Kind.INCOME, "XYZ")])
    assert [(event.kind, event.source) for event in result.events] == [(Kind.INCOME, ("L2",))]
    assert sorted(codes(result)) == ["incomplete_trade", "overridden"]


def test_coins_sent_to_an_own_wallet_move_there() -> None:
    event = only(
        normalize(booked("withdrawal", "BTC", "-1").rows, [says("L1", Kind.TRANSFER, "BTC", to_wallet="Ledger")])
    )
    assert (event.wallet, event.to_wallet) == ("", "Ledger")


@pytest.mark.parametrize(("wallet", "source"), [("", "external:main"), ("main", "external:main"), ("Ledger", "Ledger")])
def test_coins_coming_back_move_from_the_wallet_named_or_from_where_withdrawn_coins_lie(
    wallet: str, source: str
) -> None:
    event = only(normalize(booked("deposit", "BTC", "1").rows, [says("L1", Kind.TRANSFER, "BTC", wallet=wallet)]))
    assert (event.wallet, event.to_wallet, legs(event)) == (source, "", {"BTC": "-1"})


IMPOSSIBLE = [
    (says("L1", Kind.SPEND, "BTC"), "1 BTC came in, which no spend does"),
    (says("L1", Kind.INCOME, "ETH"), "row of BTC, not of ETH"),
    (says("L1", Kind.DEPOSIT, "ETH", cost="1"), "has no ETH"),
]


@pytest.mark.parametrize(("told", "why"), IMPOSSIBLE)
def test_a_statement_that_cannot_be_true_is_named_and_changes_nothing(told: tuple[str, Transaction], why: str) -> None:
    ledger = booked("deposit", "BTC", "1")
    result = normalize(ledger.rows, [told])
    (finding,) = result.findings
    assert (finding.code, finding.severity, finding.source) == ("override_refused", Severity.ERROR, ("L1",))
    assert why in finding.message
    assert (result.events, result.counts) == (normalize(ledger.rows).events, normalize(ledger.rows).counts)


@pytest.mark.parametrize("kind", [Kind.DEPOSIT, Kind.INCOME])
def test_other_units_than_the_ledgers_are_named_and_the_ledgers_count(kind: Kind) -> None:
    result = normalize(booked("deposit", "BTC", "1").rows, [says("L1", kind, "BTC", "2", cost="5")])
    assert legs(only(result)) == {"BTC": "1"}
    assert codes(result)[-1] == "override_differs"


def test_a_transaction_of_its_own_stands_beside_the_ledger_and_counts_as_no_row_of_it() -> None:
    result = normalize(booked("deposit", "BTC", "1").rows, [says("t1", Kind.SPEND, "BTC", "1", wallet="Ledger")])
    assert [event.source for event in result.events] == [("L1",), ("t1",)]
    assert result.counts.ledger_rows == 1


def test_the_same_id_in_another_account_is_another_row() -> None:
    _, told = says("L1", Kind.INCOME, "BTC", "1")
    result = normalize(booked("deposit", "BTC", "1").rows, [("other", told)])
    assert [(event.account, event.kind) for event in result.events] == [("main", Kind.DEPOSIT), ("other", Kind.INCOME)]


def test_an_id_of_a_ledger_row_that_is_not_there_is_named() -> None:
    result = normalize([], [says("LABCDE-12345-ABCDEF", Kind.DEPOSIT, "BTC", "1", cost="5")])
    assert codes(result) == ["override_without_row"]


@pytest.mark.parametrize(
    ("stated", "known", "more"), [("0.2", "-1", []), ("0.15", "-1", ["0.05"]), ("0.7", "-0.5", [])]
)
def test_a_part_of_what_came_back_is_what_is_stated_and_the_rest_as_booked(
    stated: str, known: str, more: list[str]
) -> None:
    """The worklist asks for the cost of the part that never went there."""
    ledger = Ledger()
    ledger.add("transfer", "ETH", "-1", subtype="spottofutures", refid="R1")
    back = ledger.add("transfer", "ETH", "1.2", subtype="spotfromfutures", refid="R2", after=9)
    result = normalize(ledger.rows, [says(back, Kind.DEPOSIT, "ETH", stated, cost="5")])
    _, part, rest, *beyond = result.events
    assert (part.kind, legs(part), part.facts.cost) == (Kind.DEPOSIT, {"ETH": stated}, Decimal(5))
    assert (rest.kind, rest.legs[0].number) == (Kind.TRANSFER, Decimal(known))
    assert [legs(event)["ETH"] for event in beyond] == more
    assert codes(result) == [*(["more_than_went"] if more else []), "overridden"]
    assert (result.counts.ledger_rows, result.counts.event) == (2, 2)


@pytest.mark.parametrize(
    ("amount", "kind", "left"), [("-1", Kind.WITHDRAWAL, []), ("1", Kind.DEPOSIT, ["unexplained"])]
)
def test_who_says_that_coins_are_still_his_has_explained_them(amount: str, kind: Kind, left: list[str]) -> None:
    """A line of the worklist that nobody filled in explains nothing."""
    ledger = booked("transfer", "BTC", amount)
    assert codes(normalize(ledger.rows)) == ["unexplained"]
    assert codes(normalize(ledger.rows, [says(ledger.rows[0].id, kind, "BTC", note="mine")])) == left


def test_who_says_what_one_half_of_a_move_was_is_asked_for_the_other() -> None:
    ledger = Ledger()
    out = ledger.add("earn", "ETH", "-1", subtype="allocation", refid="E1")
    back = ledger.add("earn", "ETH", "1", subtype="allocation", refid="E1")
    result = normalize(ledger.rows, [says(out, Kind.LOST, "ETH")])
    assert [(event.kind, event.source) for event in result.events] == [(Kind.INTERNAL, (back,)), (Kind.LOST, (out,))]
    assert codes(result) == ["overridden", "half_of_a_move"]


def test_a_deposit_without_a_cost_and_a_withdrawal_have_no_effect() -> None:
    stated = [says(name, kind, "BTC", "1") for name, kind in (("t1", Kind.DEPOSIT), ("t2", Kind.WITHDRAWAL))]
    assert [(event.kind, event.legs) for event in normalize([], stated).events] == [(Kind.INTERNAL, ())] * 2


def test_a_buy_at_a_stated_cost_opens_a_lot() -> None:
    event = only(normalize([], [says("t1", Kind.BUY, "BTC", "1", cost="50", acquired=START)]))
    assert (event.kind, event.facts.cost, legs(event)) == (Kind.DEPOSIT, Decimal(50), {"BTC": "1"})


def test_a_buy_for_another_currency_takes_that_money_as_its_value() -> None:
    told = says("t1", Kind.BUY, "BTC", "1", counter_asset="EUR", counter_amount="100")
    (found,) = value_all(normalize([], [told]).events, Lookup(PriceTable(), "EUR")).events
    assert [value.money for value in found.legs] == [Decimal(100)] * 2


@pytest.mark.parametrize("kind", [Kind.BUY, Kind.SELL, Kind.TRADE])
@pytest.mark.parametrize(
    ("asset", "counter", "counts_as"),
    [("BTC", "ETH", Kind.TRADE), ("BTC", "EUR", Kind.SELL), ("EUR", "BTC", Kind.BUY), ("EUR", "USD", None)],
)
def test_an_exchange_is_what_its_two_sides_are(kind: Kind, asset: str, counter: str, counts_as: Kind | None) -> None:
    """``asset`` is given (under a buy: got), so that no coin comes or goes unseen and no fee is lost."""
    given, got = (counter, asset) if kind is Kind.BUY else (asset, counter)
    told = says("t1", kind, asset, "1", counter_asset=counter, counter_amount="5")
    event = only(normalize([], [told]))
    if counts_as is not None and kind is Kind.BUY:
        counts_as = {Kind.SELL: Kind.BUY, Kind.BUY: Kind.SELL}.get(counts_as, counts_as)
    assert event.kind is (counts_as or kind)
    assert [leg.asset for leg in (*event.given, *event.received)] == [given, got]


def test_a_stated_value_is_a_size() -> None:
    ledger = booked("margin", "BTC", "-0.001")
    told = says("L1", Kind.MARGIN, "BTC", "0.001", value=Decimal("-50.123456789012345678901234567890"))
    assert only(normalize(ledger.rows, [told])).facts.value == Decimal("50.123456789012345678901234567890")


def test_coins_paid_as_the_fee_of_a_loss_are_used_up_beside_it_and_those_of_a_gift_are_its_own() -> None:
    told = says("t1", Kind.LOST, "BTC", "1", fee="0.1", fee_asset="BNB", fee_value="3")
    lost, fee = normalize([], [told]).events
    assert (lost.kind, legs(lost)) == (Kind.LOST, {"BTC": "-1"})
    assert (fee.kind, legs(fee), fee.facts.value) == (Kind.FEE, {"BNB": "-0.1"}, Decimal(3))
    gift = only(normalize([], [says("t1", Kind.GIFT_OUT, "BTC", "1", fee="0.1", fee_asset="BNB", fee_value="3")]))
    assert (legs(gift), [str(leg.number) for leg in gift.fees]) == ({"BTC": "-1"}, ["0.1"])


@given(st.lists(st.sampled_from(["deposit", "withdrawal", "mystery", "staking", "trade"]), max_size=6), st.data())
def test_whatever_is_stated_every_row_is_accounted_for_once(types: list[str], data: st.DataObject) -> None:
    ledger = Ledger()
    for n, type_ in enumerate(types):
        ledger.add(type_, "BTC", data.draw(st.sampled_from(["1", "-1", "0"])), "0.1", refid=f"R{n // 2}", after=n)
    kinds = st.sampled_from([kind for kind in Kind if kind is not Kind.INTERNAL])
    told = [says(row.id, data.draw(kinds), "BTC") for row in ledger.rows if data.draw(st.booleans())]
    result = normalize(ledger.rows, told)
    ends = [row for event in result.events for row in event.source]
    instead = [f for f in result.findings if f.severity is Severity.ERROR and f.code != "override_refused"]
    ends += [row for f in instead for row in f.source]
    assert sorted(ends) == sorted(row.id for row in ledger.rows)
    assert result.counts.ledger_rows == len(types)


# --- money of another currency -----------------------------------------------------------------------------------------


def opening_lot(*rates: Price) -> Valuation:
    told = says("t1", Kind.DEPOSIT, "BTC", "1", cost="100", acquired=START - YEAR, currency="EUR")
    return value_all(normalize([], [told]).events, Lookup(PriceTable.of(rates), "USD"))


def test_a_stated_cost_is_exchanged_at_the_day_of_acquisition() -> None:
    then, later = (
        Price("EUR", "USD", at, Decimal(rate), "ECB") for at, rate in ((START - YEAR, "1.1"), (START + YEAR, "2"))
    )
    found = opening_lot(then, later)
    assert not found.findings
    assert found.events[0].event.facts.cost == Decimal(110)


def test_a_stated_cost_without_a_rate_is_unknown_and_named() -> None:
    found = opening_lot()
    assert found.events[0].event.facts.cost is None
    assert [finding.code for finding in found.findings] == ["missing_price"]
    assert "EUR" in found.findings[0].message
