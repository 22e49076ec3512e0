from __future__ import annotations

from decimal import Decimal

import pytest

from portfolio_sync.core.event import Event, Kind
from portfolio_sync.core.finding import Severity
from portfolio_sync.normalize.events import normalize
from portfolio_sync.normalize.own_transfers import Marks, joined, own_transfers
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profiles import GENERIC, US
from tests.ledgers import Ledger

DAY = 86400
HASH = {("main", "L3"): ["0xabc"], ("second", "L1"): ["0xabc"]}


def two_accounts(sent: str = "-1", back: str = "1", after: float = DAY) -> list[Event]:
    """One bitcoin bought for 100 in ``main``, sent out, and a deposit in ``second``."""
    main, second = Ledger("main"), Ledger("second")
    main.trade("100 USD", "1 BTC", refid="T1")
    main.add("withdrawal", "BTC", sent, refid="FT1", after=60)
    second.add("deposit", "BTC", back, refid="FT2", after=after)
    return list(normalize([*main.rows, *second.rows]).events)


def test_one_hash_on_both_sides_makes_one_movement_of_the_same_coins() -> None:
    events = two_accounts()
    found = own_transfers(events, HASH)
    assert [(m.withdrawal.source, m.deposit.source, m.mark) for m in found.matches] == [(("L3",), ("L1",), "0xabc")]
    assert not found.suggestions
    returned = joined(events, found.matches)[-1]
    assert (returned.kind, returned.wallet, returned.to_wallet) == (Kind.TRANSFER, "external:main", "second")
    assert returned.id != events[-1].id


@pytest.mark.parametrize("profile", [GENERIC, US])
def test_the_lot_comes_back_with_its_cost_and_date(profile: object) -> None:
    assert profile in (GENERIC, US)
    events = two_accounts()
    known = joined(events, own_transfers(events, HASH).matches)
    lookup = Lookup(PriceTable.of(()), "USD")
    (lot,) = compute(value_all(known, lookup).events, GENERIC if profile is GENERIC else US, Options(), lookup).lots
    assert (lot.wallet, lot.cost, lot.acquired_at) == ("second", Decimal(100), events[0].time)


def test_equal_amounts_are_suggested_and_never_assumed() -> None:
    events = two_accounts()
    found = own_transfers(events, {})
    assert not found.matches
    (suggestion,) = found.suggestions
    assert suggestion.hint == (
        "may be withdrawal L3 of 2024-01-01T00:01:00Z from main coming back (the same amount within 14 days)"
    )
    finding = suggestion.finding
    assert (finding.code, finding.severity, finding.source) == ("possible_own_transfer", Severity.WARNING, ("L1",))
    assert joined(events, found.matches) == events


@pytest.mark.parametrize(
    ("back", "after", "suggested"),
    [("0.99", DAY, True), ("0.97", DAY, False), ("1.01", DAY, False), ("1", 15 * DAY, False), ("1", 30, False)],
)
def test_what_is_likely_is_a_little_less_within_two_weeks_after(back: str, after: float, suggested: bool) -> None:
    assert bool(own_transfers(two_accounts(back=back, after=after), {}).suggestions) is suggested


@pytest.mark.parametrize(
    ("back", "after"),
    [("1.5", DAY), ("1", 30)],
    ids=["more than was sent", "before it was sent"],
)
def test_a_hash_does_not_join_what_cannot_be(back: str, after: float) -> None:
    assert not own_transfers(two_accounts(back=back, after=after), HASH).matches


def test_two_hashes_that_differ_are_two_movements_however_alike() -> None:
    marks: Marks = {("main", "L3"): ["0xabc"], ("second", "L1"): ["0xdef"]}
    found = own_transfers(two_accounts(), marks)
    assert (found.matches, found.suggestions) == ((), ())


def batch(*sent: str) -> list[Event]:
    ledger = Ledger()
    ledger.trade("100 USD", "10 BTC", refid="T1")
    for place, amount in enumerate(sent):
        ledger.add("withdrawal", "BTC", amount, refid=f"FT{place}", after=60 + place)
    ledger.add("deposit", "BTC", "1", refid="FT9", after=DAY)
    return list(normalize(ledger.rows).events)


def test_of_a_batch_under_one_hash_the_one_of_equal_amount_is_meant() -> None:
    events = batch("-2", "-1")
    marks = {("main", row): ["0xabc"] for row in ("L3", "L4", "L5")}
    (match,) = own_transfers(events, marks).matches
    assert match.withdrawal.source == ("L4",)


def test_two_of_a_batch_that_are_alike_are_left_to_a_person() -> None:
    events = batch("-1", "-1")
    marks = {("main", row): ["0xabc"] for row in ("L3", "L4", "L5")}
    found = own_transfers(events, marks)
    assert not found.matches
    assert len(found.suggestions) == 1


def test_a_withdrawal_pays_for_one_deposit_only() -> None:
    ledger = Ledger()
    ledger.add("withdrawal", "BTC", "-2", refid="FT1")
    for place in (1, 2):
        ledger.add("deposit", "BTC", "2", refid=f"FT{place + 1}", after=place * DAY)
    marks = {("main", row): ["0xabc"] for row in ("L1", "L2", "L3")}
    assert not own_transfers(normalize(ledger.rows).events, marks).matches
