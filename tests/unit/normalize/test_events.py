from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio_sync.core.asset import holding
from portfolio_sync.core.event import Event, Kind
from portfolio_sync.core.finding import Severity
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.events import Normalized, normalize
from portfolio_sync.normalize.rules import RULES, Treatment
from tests.ledgers import Ledger


def only(result: Normalized) -> Event:
    assert not result.findings
    (event,) = result.events
    return event


def legs(event: Event) -> dict[str, str]:
    return {leg.asset: str(leg.number) for leg in event.legs}


def fees(event: Event) -> dict[str, str]:
    return {leg.asset: str(leg.number) for leg in event.fees}


def test_fees_on_both_legs_and_in_credits_belong_to_one_buy() -> None:
    ledger = Ledger()
    ledger.add("trade", "EUR", "-693.0000", "0.2337", refid="T1", subtype="tradespot")
    ledger.add("trade", "DOT", "54.00387298", "0.12220006", refid="T1", subtype="tradespot", after=0.0006)
    ledger.add("trade", "KFEE", "0", "12.5", refid="T1", subtype="tradespot", after=0.0011)
    event = only(normalize(ledger.rows))
    assert (event.kind, event.source) == (Kind.BUY, ("L1", "L2", "L3"))
    assert legs(event) == {"EUR": "-693.0000", "DOT": "54.00387298"}
    assert fees(event) == {"EUR": "0.2337", "DOT": "0.12220006", "KFEE": "12.5"}


def test_a_fill_out_of_two_wallets_is_one_sale() -> None:
    ledger = Ledger()
    ledger.add("trade", "ETH", "-29.86", refid="T1")
    ledger.add("trade", "ETH", "-1.55", refid="T1")
    ledger.add("trade", "EUR", "60000", refid="T1")
    event = only(normalize(ledger.rows))
    assert event.kind is Kind.SELL
    assert event.legs[0].amount.number == Decimal("-31.41")
    assert event.legs[0].ids == ("L1", "L2")


def test_legs_that_cancel_leave_the_other_two() -> None:
    """A tokenised stock is sold in four legs, two of them dollars that come and go."""
    ledger = Ledger()
    for symbol, amount in (("TSLAx", "-1"), ("USD", "250"), ("USD", "-250"), ("BTC", "0.004")):
        ledger.add("trade", symbol, amount, refid="T1")
    event = only(normalize(ledger.rows))
    assert (event.kind, legs(event)) == (Kind.TRADE, {"TSLAx": "-1", "BTC": "0.004"})


@pytest.mark.parametrize(
    ("gives", "gets", "kind"),
    [
        ("EUR", "BTC", Kind.BUY),
        ("BTC", "EUR", Kind.SELL),
        ("BTC", "ETH", Kind.TRADE),
        ("EUR", "USD", Kind.INTERNAL),
        ("USDT", "BTC", Kind.TRADE),
    ],
)
def test_a_conversion_is_named_by_what_goes_and_what_comes(gives: str, gets: str, kind: Kind) -> None:
    ledger = Ledger()
    ledger.add("spend", gives, "-1", refid="TS1")
    ledger.add("receive", gets, "2", refid="TS1", after=0.01)
    assert only(normalize(ledger.rows)).kind is kind


def test_a_dust_sweep_is_one_event_with_many_things_given() -> None:
    ledger = Ledger()
    for symbol in ("ADA", "DOT", "XRP"):
        ledger.add("spend", symbol, "-0.0000000001", refid="TS1", subtype="dustsweeping")
    ledger.add("receive", "BTC", "0.0001", "0.000003", refid="TS1", subtype="dustsweeping", after=2)
    event = only(normalize(ledger.rows))
    assert (event.kind, [leg.asset for leg in event.given]) == (Kind.TRADE, ["ADA", "DOT", "XRP"])


def test_one_refid_at_two_times_is_two_trades() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "1 BTC", refid="T1")
    ledger.trade("200 USD", "1 BTC", refid="T1", after=3600)
    assert len(normalize(ledger.rows).events) == 2


@pytest.mark.parametrize("refid", ["", "Unknown"])
def test_a_meaningless_refid_groups_nothing(refid: str) -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "1 BTC", refid=refid)
    result = normalize(ledger.rows)
    assert [finding.code for finding in result.findings] == ["incomplete_trade", "incomplete_trade"]
    assert result.counts.finding == 2


def test_the_api_and_the_export_name_one_reward_differently_with_one_result() -> None:
    api, export = Ledger(), Ledger()
    api.add("staking", "DOT", "1.0", "0.2", refid="ST1")
    export.add("earn", "DOT", "1.0", "0.2", refid="ST1", subtype="reward")
    assert normalize(api.rows) == normalize(export.rows)
    event = only(normalize(api.rows))
    assert (event.kind, legs(event), event.facts.income_type) == (Kind.INCOME, {"DOT": "0.8"}, "staking")
    assert event.facts.note == "gross 1, commission 0.2"


def test_a_reward_in_money_is_interest() -> None:
    ledger = Ledger()
    ledger.add("earn", "EUR", "0.05", refid="E1", subtype="reward")
    assert only(normalize(ledger.rows)).facts.income_type == "interest"


def test_early_earn_rows_are_moves_where_they_pair_and_rewards_where_they_do_not() -> None:
    ledger = Ledger()
    ledger.add("earn", "BTC", "-0.5", refid="Unknown")
    ledger.add("earn", "BTC", "0.5", refid="Unknown")
    ledger.add("earn", "BTC", "0.0000001", refid="Unknown")
    moved, reward = normalize(ledger.rows).events
    assert (moved.kind, moved.source) == (Kind.INTERNAL, ("L1", "L2"))
    assert (reward.kind, reward.source) == (Kind.INCOME, ("L3",))


def test_staked_ether_becoming_ether_is_no_income() -> None:
    ledger = Ledger()
    ledger.add("staking", "ETH2", "-3.2", refid="ST1")
    ledger.add("staking", "ETH", "3.2", refid="ST2")
    assert only(normalize(ledger.rows)).kind is Kind.INTERNAL


def test_a_reward_taken_back_alone_is_a_finding() -> None:
    ledger = Ledger()
    ledger.add("staking", "ETH2", "-3.2", refid="ST1")
    assert [finding.code for finding in normalize(ledger.rows).findings] == ["negative_reward"]


def test_a_reversed_withdrawal_and_its_fee_cancel() -> None:
    ledger = Ledger()
    ledger.add("withdrawal", "AKT", "-385.155", "0.5", refid="FT1")
    ledger.add("withdrawal", "AKT", "385.155", "-0.5", refid="FT1", after=28)
    event = only(normalize(ledger.rows))
    assert (event.kind, event.rule, event.source) == (Kind.INTERNAL, "reversed", ("L1", "L2"))


def test_a_deposit_reversed_days_later_cancels_and_the_second_try_stands() -> None:
    ledger = Ledger()
    ledger.add("deposit", "BTC", "1", refid="Q1")
    ledger.add("deposit", "BTC", "-1", refid="Q1", after=300_000)
    ledger.add("deposit", "BTC", "1", refid="Q1", after=400_000)
    assert [event.kind for event in normalize(ledger.rows).events] == [Kind.INTERNAL, Kind.DEPOSIT]


def test_a_fee_that_a_reversal_keeps_is_spent() -> None:
    ledger = Ledger()
    ledger.add("withdrawal", "BTC", "-1", "0.0005", refid="FT1")
    ledger.add("withdrawal", "BTC", "1", "0", refid="FT1", after=28)
    event = only(normalize(ledger.rows))
    assert (event.kind, legs(event)) == (Kind.FEE, {"BTC": "-0.0005"})


def test_a_reversal_without_its_original_is_a_finding() -> None:
    ledger = Ledger()
    ledger.add("withdrawal", "BTC", "1", refid="FT1")
    assert [finding.code for finding in normalize(ledger.rows).findings] == ["reversal_without_original"]


def test_a_withdrawal_keeps_its_fee_apart_and_a_deposit_arrives_net() -> None:
    ledger = Ledger()
    ledger.add("withdrawal", "BTC", "-1", "0.0005", refid="FT1")
    ledger.add("deposit", "BTC", "2", "0.001", refid="FT2")
    out, back = normalize(ledger.rows).events
    assert (legs(out), fees(out)) == ({"BTC": "-1"}, {"BTC": "0.0005"})
    assert (legs(back), fees(back)) == ({"BTC": "1.999"}, {})


def test_fee_credits_are_no_asset() -> None:
    ledger = Ledger()
    ledger.add("deposit", "KFEE", "500", refid="FT1")
    assert only(normalize(ledger.rows)).kind is Kind.INTERNAL


def test_moves_into_staking_and_earn_have_no_effect_one_by_one() -> None:
    ledger = Ledger()
    ledger.add("transfer", "ETH", "-1", refid="BUHH", subtype="spottostaking")
    ledger.add("transfer", "ETH2", "1", refid="RUI4", subtype="stakingfromspot", after=240)
    ledger.add("earn", "DOT", "-5", refid="E1", subtype="allocation")
    result = normalize(ledger.rows)
    assert {event.kind for event in result.events} == {Kind.INTERNAL}
    assert (result.counts.no_effect, result.counts.event) == (3, 0)


def test_unknown_types_become_one_finding_each_with_their_number_and_rows() -> None:
    ledger = Ledger()
    ledger.add("lottery", "USD", "0", "0.5", refid="T1")
    ledger.add("lottery", "USD", "0", "0.5", refid="T2", after=9)
    ledger.add("transfer", "FLR", "9", subtype="neversaid", refid="X")
    result = normalize(ledger.rows)
    assert [(f.code, f.source, f.message[:28]) for f in result.findings] == [
        ("unclassified", ("L1", "L2"), "2 ledger row(s) of type lott"),
        ("unclassified", ("L3",), "1 ledger row(s) of type tran"),
    ]
    assert not result.events


def test_no_rule_of_the_table_stands_twice() -> None:
    pairs = [(rule.type, subtype) for rule in RULES for subtype in rule.subtypes]
    assert len(pairs) == len(set(pairs))
    assert all(rule.treatment is not Treatment.REVIEW for rule in RULES)


def test_event_ids_depend_on_content_alone() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "1 BTC", refid="T1")
    assert only(normalize(ledger.rows)).id == only(normalize(ledger.rows)).id
    other = Ledger("other")
    other.trade("100 USD", "1 BTC", refid="T1")
    assert only(normalize(ledger.rows)).id != only(normalize(other.rows)).id


KINDS_OF_ROWS = [
    *((rule.type, subtype) for rule in RULES for subtype in rule.subtypes),
    ("newtype", ""),
    ("earn", "new"),
]
rows_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(KINDS_OF_ROWS), st.sampled_from(("BTC", "ETH2", "ETH", "EUR", "USD", "KFEE")),
        st.decimals(-10, 10, places=1), st.sampled_from(("0", "0", "0.5", "-0.5")), st.sampled_from(("", "Unknown", "T1", "T2")),
        st.integers(0, 20),
    ),
    max_size=30,
)  # fmt: skip
AnyRow = tuple[tuple[str, str], str, Decimal, str, str, int]


@settings(deadline=None)
@given(rows_of_any_kind, st.randoms(use_true_random=False))
def test_every_row_ends_exactly_once_in_any_order(rows: list[AnyRow], shuffled: random.Random) -> None:
    """As an event, as one without effect, or in a finding; a row may be in two events only where part of it came back."""
    ledger = Ledger()
    for place, ((type_, subtype), symbol, amount, fee, refid, after) in enumerate(rows):
        ledger.add(type_, symbol, str(amount), fee, refid=refid, subtype=subtype, after=after + place / 100)
    result = normalize(ledger.rows)
    ended = [
        {row for event in result.events if event.kind is not Kind.INTERNAL for row in event.source},
        {row for event in result.events if event.kind is Kind.INTERNAL for row in event.source},
        {row for found in result.findings if found.severity is Severity.ERROR for row in found.source},
    ]
    assert sorted(row for rows_ in ended for row in rows_) == sorted(row.id for row in ledger.rows)
    counts = result.counts
    assert (counts.event, counts.no_effect, counts.finding) == tuple(map(len, ended))
    assert counts.ledger_rows == len(rows)
    other: list[LedgerRow] = list(ledger.rows)
    shuffled.shuffle(other)
    assert normalize(other) == result


@settings(deadline=None)
@given(rows_of_any_kind)
def test_no_unit_of_a_coin_is_lost_or_made(rows: list[AnyRow]) -> None:
    """What the events of a row add up to is what its balance changed by; moves inside and findings apart."""
    ledger = Ledger()
    for place, ((type_, subtype), symbol, amount, fee, refid, after) in enumerate(rows):
        ledger.add(type_, symbol, str(amount), fee, refid=refid, subtype=subtype, after=after + place / 100)
    result = normalize(ledger.rows)
    counted: dict[str, Decimal] = defaultdict(Decimal)
    booked: dict[str, Decimal] = defaultdict(Decimal)
    effective = {row for event in result.events if event.kind is not Kind.INTERNAL for row in event.source}
    for event in result.events:
        if event.kind is Kind.INTERNAL or event.rule.startswith("fee of a"):
            effective -= set(event.source)  # the fee alone has an effect
            continue
        back = event.kind is Kind.TRANSFER and event.wallet
        for leg in event.legs:
            counted[leg.asset] += -leg.number if back else leg.number
        for leg in event.fees:
            counted[leg.asset] -= leg.number
    for row in ledger.rows:
        if row.id in effective:
            booked[holding(row.symbol)] += row.amount - row.fee
    for asset in ("BTC", "ETH"):
        assert counted[asset] == booked[asset]
