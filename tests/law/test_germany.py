"""Germany: EStG 23 and the BMF letter of 2025-03-06, under the German profile."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from portfolio_sync.tax.holding import term
from portfolio_sync.tax.profile import Profile, TermRule, with_settings
from portfolio_sync.tax.profiles import DE, GENERIC
from tests.law import published
from tests.law.published import figures, transaction
from tests.shown import shown


def trade(id_: str, kind: str, time: str, value: str, wallet: str = "A", amount: str = "1") -> dict[str, str]:
    return {"id": id_, "kind": kind, "time": time, "asset": "BTC", "amount": amount, "value": value, "wallet": wallet}


@pytest.mark.parametrize("name", ["de-fifo-one-year-exact", "de-fifo-one-year-plus-day"])
def test_bmf_rz_53_the_year_ends_with_the_anniversary(name: str) -> None:
    published.holds(name, DE)


def test_bmf_rz_61_62_the_first_unit_of_the_wallet_counts_as_sold_first() -> None:
    published.holds("de-fifo-bmf-order", DE)


def test_bmf_rz_61_each_wallet_has_its_own_order() -> None:
    rows = (
        trade("t1", "buy", "2024-01-01T12:00:00Z", "100", "A"),
        trade("t2", "buy", "2024-02-01T12:00:00Z", "200", "B"),
        trade("t3", "sell", "2024-06-01T12:00:00Z", "300", "B"),
    )
    assert [row.acquired_ids for row in figures(map(transaction, rows), DE).disposals] == [("t2",)]


# BGB 187 (1), 188 (2), (3): by the calendar alone; the American rule for ends of months is not Germany's.
@pytest.mark.parametrize(
    ("bought", "first_free_day"),
    [
        (date(2024, 5, 10), date(2025, 5, 11)),
        (date(2023, 2, 28), date(2024, 2, 29)),
        (date(2024, 2, 29), date(2025, 3, 1)),
        (date(2023, 12, 31), date(2025, 1, 1)),
    ],
)
def test_bgb_188_the_year_ends_with_the_day_of_the_same_number(bought: date, first_free_day: date) -> None:
    assert DE.holding_rule is TermRule.CALENDAR
    assert term(bought, first_free_day, DE.holding_rule) == "long"
    assert term(bought, date.fromordinal(first_free_day.toordinal() - 1), DE.holding_rule) == "short"


# EStG 23 (1) no. 2: days are those of Berlin. Bought on 10 May there, at 22:30 UTC of 9 May.
def test_days_are_those_of_berlin() -> None:
    rows = (trade("t1", "buy", "2024-05-09T22:30:00Z", "100"), trade("t2", "sell", "2025-05-10T21:00:00Z", "150"))
    assert [row.term for row in figures(map(transaction, rows), DE).disposals] == ["short"]


# EStG 23 (3): what was held more than a year counts neither as gain nor as loss.
def test_the_summary_parts_taxed_and_free_gains() -> None:
    rows = (
        trade("t1", "buy", "2023-01-01T12:00:00Z", "100"), trade("t2", "sell", "2024-06-01T12:00:00Z", "150"),
        trade("t3", "buy", "2024-07-01T12:00:00Z", "100"), trade("t4", "sell", "2024-08-01T12:00:00Z", "90"),
    )  # fmt: skip
    sums = {line.item: line.amount for line in figures(map(transaction, rows), DE).summary if not line.asset}
    assert (sums["taxable_gain"], sums["tax_free_gain"], sums["net_gain"]) == (Decimal(-10), Decimal(50), Decimal(40))


# EStG 23 (1) sentence 3: a gift keeps the giver's cost and date, for a loss too; so does the German method by itself.
@pytest.mark.parametrize("profile", [DE, with_settings(GENERIC, {"method": "de_fifo"})])
def test_a_gift_keeps_the_givers_cost_and_date(profile: Profile) -> None:
    gift = trade("t1", "gift_in", "2024-01-01T12:00:00Z", "80") | {"cost": "100", "acquired": "2022-01-01T12:00:00Z"}
    (row,) = figures(map(transaction, (gift, trade("t2", "sell", "2024-02-01T12:00:00Z", "90"))), profile).disposals
    assert shown(row.cost, row.gain, row.term) == "100 -10 long"
