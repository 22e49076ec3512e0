"""The table of types and subtypes: what each row of Kraken's becomes, in the words of the events."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portfolio_sync.cli.rules import cells, page_table
from portfolio_sync.core.event import Event, Kind
from portfolio_sync.core.finding import Severity
from portfolio_sync.normalize.events import Normalized, normalize
from portfolio_sync.normalize.rules import RULES, STANDARD, VERSION
from tests.ledgers import Ledger

DOCS = Path(__file__).parents[3] / "docs"


def one_row(type_: str, symbol: str, amount: str, fee: str = "0", subtype: str = "") -> Normalized:
    ledger = Ledger()
    ledger.add(type_, symbol, amount, fee, refid="R1", subtype=subtype)
    return normalize(ledger.rows)


def only(result: Normalized) -> Event:
    (event,) = result.events
    return event


def codes(result: Normalized) -> list[tuple[str, Severity]]:
    return [(finding.code, finding.severity) for finding in result.findings]


def legs(event: Event) -> dict[str, str]:
    return {leg.asset: str(leg.number) for leg in event.legs}


# --- the table as a document ---------------------------------------------------------------------------------------------


def test_the_page_shows_the_table_as_it_is() -> None:
    page = (DOCS / "classification.md").read_text(encoding="utf-8")
    assert "\n".join(page_table(cells(STANDARD))) in page
    assert f"Version {VERSION}." in page


def test_each_rule_names_a_decision_that_the_page_explains() -> None:
    page = (DOCS / "classification.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| (N\d+) \|", page, re.MULTILINE))
    assert {rule.decision for rule in RULES} <= explained
    assert all(rule.why for rule in RULES)


# Every type that Kraken documents (Ledgers, ledger info) or that has been recorded beside it, and its known subtypes.
KNOWN = {
    "trade": ("", "tradespot", "autoallocation"), "spend": ("", "dustsweeping"), "receive": ("", "dustsweeping"),
    "deposit": ("", "airdrop"), "withdrawal": ("",),
    "transfer": (
        "", "spottostaking", "stakingfromspot", "stakingtospot", "spotfromstaking", "spottofutures", "spotfromfutures",
        "airdrop", "delistingconversion",
    ),
    "staking": ("",),
    "earn": (
        "", "reward", "allocation", "deallocation", "autoallocation", "autoallocate", "migration", "airdrop", "delistingconversion",
    ),
    "hybridearnwithdrawal": ("",), "hybridearndeposit": ("",), "margin": ("",), "rollover": ("",), "settled": ("",),
    "adjustment": ("",), "credit": ("",), "dividend": ("",), "sale": ("",), "conversion": ("",),
    "reward": ("", "invitebonus"), "invite bonus": ("",), "airdrop": ("",), "nfttrade": ("",), "nftcreatorfee": ("",),
    "nftrebate": ("",), "custodytransfer": ("",),
}  # fmt: skip


def test_every_known_type_and_subtype_has_a_rule() -> None:
    assert set(STANDARD.known) == {(type_, subtype) for type_, known in KNOWN.items() for subtype in known}


def test_a_type_that_says_nothing_has_none() -> None:
    assert codes(one_row("none", "BTC", "1")) == [("unclassified", Severity.ERROR)]


# --- income --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "subtype", "income_type"),
    [
        ("staking", "", "staking"), ("earn", "reward", "staking"), ("earn", "airdrop", "airdrop"), ("airdrop", "", "airdrop"),
        ("transfer", "airdrop", "airdrop"), ("deposit", "airdrop", "airdrop"), ("reward", "invitebonus", "bonus"),
        ("reward", "", "bonus"), ("invite bonus", "", "bonus"), ("dividend", "", "dividend"),
    ],
)  # fmt: skip
def test_what_is_paid_for_holding_or_joining_is_income_of_what_arrived(
    type_: str, subtype: str, income_type: str
) -> None:
    result = one_row(type_, "DOT", "1", "0.2", subtype)
    event = only(result)
    assert (event.kind, event.facts.income_type, legs(event), codes(result)) == (
        Kind.INCOME, income_type, {"DOT": "0.8"}, [],
    )  # fmt: skip


@pytest.mark.parametrize(("type_", "income_type"), [("dividend", "dividend"), ("invite bonus", "bonus")])
def test_money_paid_keeps_the_name_of_its_reason(type_: str, income_type: str) -> None:
    event = only(one_row(type_, "USD", "3"))
    assert (event.kind, event.facts.income_type) == (Kind.INCOME, income_type)


@pytest.mark.parametrize("type_", ["dividend", "airdrop", "reward"])
def test_income_taken_back_is_a_finding(type_: str) -> None:
    assert codes(one_row(type_, "DOT", "-1")) == [("negative_reward", Severity.ERROR)]


def test_two_moves_of_one_size_in_one_second_pair_both() -> None:
    """Neither half is left over to be taken for a reward."""
    ledger = Ledger()
    for amount in ("-0.5", "-0.5", "0.5", "0.5"):
        ledger.add("earn", "BTC", amount, refid="Unknown")
    result = normalize(ledger.rows)
    assert [(event.kind, event.source) for event in result.events] == [
        (Kind.INTERNAL, ("L1", "L3")), (Kind.INTERNAL, ("L2", "L4")),
    ]  # fmt: skip


# --- conversions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "subtype"),
    [("adjustment", ""), ("transfer", "delistingconversion"), ("earn", "delistingconversion"), ("conversion", ""), ("sale", "")],
)  # fmt: skip
@pytest.mark.parametrize("refids", [("R1", "R1"), ("R1", "R2"), ("", "Unknown")])
def test_a_conversion_is_a_trade_whether_its_rows_share_a_refid_or_the_time_alone(
    type_: str, subtype: str, refids: tuple[str, str]
) -> None:
    ledger = Ledger()
    ledger.add(type_, "REP", "-3", refid=refids[0], subtype=subtype)
    ledger.add(type_, "REPV2", "3", refid=refids[1], subtype=subtype, after=0.5)
    result = normalize(ledger.rows)
    event = only(result)
    assert (event.kind, legs(event), event.source) == (Kind.TRADE, {"REP": "-3", "REPV2": "3"}, ("L1", "L2"))
    assert not result.findings


def test_a_delisting_paid_in_money_is_a_sale() -> None:
    ledger = Ledger()
    ledger.add("transfer", "LUNA", "-5", refid="R1", subtype="delistingconversion")
    ledger.add("transfer", "USD", "0.0021", refid="R1", subtype="delistingconversion")
    assert only(normalize(ledger.rows)).kind is Kind.SELL


def test_two_conversions_that_only_the_time_joins_are_left_to_a_person() -> None:
    ledger = Ledger()
    for symbol, amount in (("REP", "-3"), ("XVN", "-2"), ("REPV2", "3"), ("USD", "1")):
        ledger.add("adjustment", symbol, amount, refid=f"R{symbol}")
    result = normalize(ledger.rows)
    assert codes(result) == [("doubtful_conversion", Severity.ERROR)]
    assert result.counts.finding == 4
    assert not result.events


def test_two_conversions_with_refids_at_one_time_are_two() -> None:
    ledger = Ledger()
    for refid, given, got in (("R1", "REP", "REPV2"), ("R2", "MATIC", "POL")):
        ledger.add("adjustment", given, "-3", refid=refid)
        ledger.add("adjustment", got, "3", refid=refid)
    assert [event.source for event in normalize(ledger.rows).events] == [("L1", "L2"), ("L3", "L4")]


def test_half_a_conversion_is_a_finding() -> None:
    ledger = Ledger()
    ledger.add("adjustment", "REP", "-3", refid="R1")
    ledger.add("adjustment", "REPV2", "3", refid="R2", after=3600)
    assert codes(normalize(ledger.rows)) == [("incomplete_trade", Severity.ERROR)] * 2


# --- places without a ledger ---------------------------------------------------------------------------------------------

OUT_AND_BACK = [
    (("transfer", "spottofutures"), ("transfer", "spotfromfutures"), "external:main:futures"),
    (("hybridearnwithdrawal", ""), ("hybridearndeposit", ""), "external:main:hybrid earn"),
    (("custodytransfer", ""), ("custodytransfer", ""), "external:main:custody"),
]


@pytest.mark.parametrize(("out", "back", "place"), OUT_AND_BACK)
def test_coins_stay_the_owners_where_the_ledger_does_not_reach(
    out: tuple[str, str], back: tuple[str, str], place: str
) -> None:
    ledger = Ledger()
    ledger.add(out[0], "ETH", "-1", subtype=out[1], refid="R1")
    ledger.add(back[0], "ETH", "0.4", subtype=back[1], refid="R2", after=9)
    result = normalize(ledger.rows)
    assert [(event.kind, event.wallet, event.to_wallet, legs(event)) for event in result.events] == [
        (Kind.TRANSFER, "", place, {"ETH": "-1"}), (Kind.TRANSFER, place, "", {"ETH": "-0.4"}),
    ]  # fmt: skip
    assert not result.findings


@pytest.mark.parametrize(("out", "back", "place"), OUT_AND_BACK)
def test_what_comes_back_beyond_what_went_has_no_known_cost(
    out: tuple[str, str], back: tuple[str, str], place: str
) -> None:
    ledger = Ledger()
    ledger.add(out[0], "ETH", "-1", subtype=out[1], refid="R1")
    ledger.add(back[0], "ETH", "1.2", subtype=back[1], refid="R2", after=9)
    result = normalize(ledger.rows)
    _, known, more = result.events
    assert (known.kind, legs(known), known.wallet) == (Kind.TRANSFER, {"ETH": "-1"}, place)
    assert (more.kind, legs(more), more.wallet) == (Kind.DEPOSIT, {"ETH": "0.2"}, "")
    assert known.id != more.id
    assert codes(result) == [("more_than_went", Severity.WARNING)]
    assert (result.counts.ledger_rows, result.counts.event) == (2, 2)


def test_an_airdrop_that_came_as_from_futures_is_neither_income_nor_dropped() -> None:
    event = only(one_row("transfer", "ETHW", "15", subtype="spotfromfutures"))
    assert (event.kind, legs(event)) == (Kind.DEPOSIT, {"ETHW": "15"})


def test_money_has_no_lots_that_could_go_anywhere() -> None:
    result = one_row("transfer", "USD", "-100", subtype="spottofutures")
    assert (only(result).kind, result.findings) == (Kind.INTERNAL, ())


# --- what gives no reason ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["transfer", "credit"])
@pytest.mark.parametrize(
    ("symbol", "amount", "kind"),
    [("SGB", "20", Kind.DEPOSIT), ("LUNA", "-5", Kind.WITHDRAWAL), ("USD", "25", Kind.INTERNAL)],
)
def test_a_row_without_a_reason_counts_and_is_named(type_: str, symbol: str, amount: str, kind: Kind) -> None:
    """Never income, never a sale, and never without a word."""
    result = one_row(type_, symbol, amount)
    assert only(result).kind is kind
    assert codes(result) == [("unexplained", Severity.WARNING)]
    assert result.counts.finding == 0


def test_opposite_transfers_at_one_moment_cancel() -> None:
    ledger = Ledger()
    ledger.add("transfer", "BTC", "-5", refid="R1")
    ledger.add("transfer", "BTC", "5", refid="R2", after=1)
    result = normalize(ledger.rows)
    assert (only(result).kind, result.findings) == (Kind.INTERNAL, ())


def test_a_fill_whose_money_was_too_small_to_be_booked_leaves_coins_of_unknown_cost() -> None:
    result = one_row("trade", "DOGE", "0.0001")
    assert only(result).kind is Kind.DEPOSIT
    assert codes(result) == [("one_sided_fill", Severity.WARNING)]


@pytest.mark.parametrize(("amount", "kind"), [("-0.0001", Kind.SELL), ("0.0001", Kind.BUY)])
def test_a_fill_whose_money_was_booked_as_zero_is_for_nothing(amount: str, kind: Kind) -> None:
    ledger = Ledger()
    ledger.add("trade", "DOGE", amount, "0", refid="T1")
    ledger.add("trade", "EUR", "0", "0.0001", refid="T1")
    result = normalize(ledger.rows)
    assert (only(result).kind, legs(only(result))) == (kind, {"DOGE": amount, "EUR": "0"})
    assert (str(only(result).fees[0].amount), result.findings) == ("0.0001 EUR", ())


@pytest.mark.parametrize(("symbol", "amount"), [("DOGE", "-0.0001"), ("EUR", "100"), ("EUR", "-100")])
def test_any_other_fill_with_one_side_is_a_finding(symbol: str, amount: str) -> None:
    assert codes(one_row("trade", symbol, amount)) == [("incomplete_trade", Severity.ERROR)]


# --- margin --------------------------------------------------------------------------------------------------------------


def test_a_position_is_opened_for_a_fee_and_closed_with_a_profit() -> None:
    ledger = Ledger()
    ledger.add("margin", "EUR", "0", "0.26", refid="T1")
    ledger.add("rollover", "EUR", "0", "0.05", refid="T1", after=14400)
    ledger.add("margin", "EUR", "84", "0.3", refid="T2", after=20000)
    opened, rolled, closed = normalize(ledger.rows).events
    assert (opened.kind, opened.legs, str(opened.fees[0].amount)) == (Kind.MARGIN, (), "0.26 EUR")
    assert (rolled.kind, legs(rolled)) == (Kind.FEE, {"EUR": "-0.05"})
    assert (closed.kind, legs(closed), str(closed.fees[0].amount)) == (Kind.MARGIN, {"EUR": "84"}, "0.3 EUR")


def test_a_liquidation_takes_many_assets_under_one_refid() -> None:
    ledger = Ledger()
    for symbol, amount in (("EUR", "-100"), ("BTC", "-0.01"), ("ETH", "-0.2")):
        ledger.add("margin", symbol, amount, "0.001", refid="T1")
    event = only(normalize(ledger.rows))
    assert (event.kind, legs(event)) == (Kind.MARGIN, {"EUR": "-100", "BTC": "-0.01", "ETH": "-0.2"})


def test_a_rollover_paid_in_fee_credits_is_a_fee() -> None:
    event = only(one_row("rollover", "KFEE", "0", "150"))
    assert (event.kind, legs(event)) == (Kind.FEE, {"KFEE": "-150"})


def test_a_position_settled_in_kind_is_a_purchase() -> None:
    ledger = Ledger()
    ledger.add("settled", "EUR", "-500", refid="T1")
    ledger.add("settled", "BTC", "0.01", refid="T1")
    event = only(normalize(ledger.rows))
    assert (event.kind, legs(event)) == (Kind.BUY, {"EUR": "-500", "BTC": "0.01"})


# --- NFTs, moves, fees ---------------------------------------------------------------------------------------------------


def test_coins_for_an_nft_are_spent() -> None:
    result = one_row("nfttrade", "ETH", "-0.5", "0.01")
    assert (only(result).kind, legs(only(result)), codes(result)) == (Kind.SPEND, {"ETH": "-0.51"}, [])


def test_coins_got_for_an_nft_have_a_cost_but_the_nft_had_none_that_is_known() -> None:
    result = one_row("nfttrade", "ETH", "0.5")
    assert only(result).kind is Kind.BUY
    assert codes(result) == [("nft_without_cost", Severity.WARNING)]


def test_a_move_that_does_not_cancel_is_a_finding() -> None:
    ledger = Ledger()
    ledger.add("earn", "ADA", "-10", refid="E1", subtype="migration")
    ledger.add("earn", "ADA", "9", refid="E1", subtype="migration")
    assert codes(normalize(ledger.rows)) == [("move_does_not_cancel", Severity.ERROR)]


def test_a_fee_of_a_move_is_used_up() -> None:
    event = only(one_row("earn", "ADA", "-10", "0.1", "allocation"))
    assert (event.kind, legs(event)) == (Kind.FEE, {"ADA": "-0.1"})


def test_a_reversal_without_a_refid_is_told_by_its_figures() -> None:
    ledger = Ledger()
    ledger.add("withdrawal", "AKT", "-385.155", "0.5")
    ledger.add("withdrawal", "AKT", "385.155", "-0.5", after=2)
    assert only(normalize(ledger.rows)).rule == "reversed"


# --- rules of one's own --------------------------------------------------------------------------------------------------


def test_a_rule_of_the_settings_takes_the_place_of_the_tables() -> None:
    rules = STANDARD.with_([("transfer/", "income", "the SGB distribution", "airdrop")])
    ledger = Ledger()
    ledger.add("transfer", "SGB", "20", refid="R1")
    ledger.add("transfer", "FLR", "30", refid="R2", subtype="airdrop", after=9)
    sgb, flr = normalize(ledger.rows, rules=rules).events
    assert (sgb.kind, sgb.facts.income_type, sgb.rule) == (Kind.INCOME, "airdrop", "stated income")
    assert (flr.kind, flr.rule) == (Kind.INCOME, "airdrop")
    assert ("transfer", "", "settings", "the SGB distribution") in {
        (rule.type, *rule.subtypes, rule.decision, rule.why) for rule in rules.every if len(rule.subtypes) == 1
    }


def test_rules_of_the_settings_for_two_types_find_each_others_rows() -> None:
    stated = [("newspend", "exchange", "seen in 2027", ""), ("newreceive/", "exchange", "seen in 2027", "")]
    ledger = Ledger()
    ledger.add("newspend", "EUR", "-5", refid="R1")
    ledger.add("newreceive", "BTC", "1", refid="R1")
    assert only(normalize(ledger.rows, rules=STANDARD.with_(stated))).kind is Kind.BUY


@pytest.mark.parametrize(
    ("stated", "word"),
    [
        (("transfer/", "gift", "why", ""), "no treatment 'gift'; one of exchange, "),
        (("transfer/", "internal", "why", "airdrop"), "income_type belongs to"),
    ],
)
def test_a_rule_with_an_unknown_word_is_refused(stated: tuple[str, ...], word: str) -> None:
    with pytest.raises(ValueError, match=r'\[rules\] "transfer/".*' + word):
        STANDARD.with_([stated])
