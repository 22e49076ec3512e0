"""Share matching against the rule written down naively, and its edges."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings

from portfolio_sync.core.lot import Act, Matching, Movement
from portfolio_sync.tax.methods import METHODS
from portfolio_sync.tax.profile import Method, with_settings
from portfolio_sync.tax.profiles import GENERIC, UK
from tests.shown import shown
from tests.unit.tax.histories import START, Step, buy, possible, sell, steps

LONDON = with_settings(GENERIC, {"method": "uk_s104", "timezone": "Europe/London"})


def match(*history: Movement) -> Matching:
    return METHODS[Method.UK_S104].match(history, LONDON, ())


def lines(matching: Matching) -> list[str]:
    return [shown(m.rule, m.matched_date or "never", m.quantity, m.proceeds, m.cost) for m in matching.matches]


Row = tuple[date, str, date | None, Fraction, Fraction]  # day of sale, rule, day of purchase, units, cost


def naive(history: list[Movement]) -> list[Row]:  # noqa: C901  # one rule, told in one piece, as the law does
    """Every pair of days, three times over: the same day, the next 30, the pool."""
    bought: dict[date, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    sold: dict[date, Fraction] = defaultdict(Fraction)
    for m in history:
        day = LONDON.local_day(m.time)
        if m.act is Act.ACQUIRE:
            bought[day][0] += Fraction(m.quantity)
            bought[day][1] += Fraction(m.money or 0)
        elif m.act is Act.DISPOSE:
            sold[day] += Fraction(m.quantity)
    price = {day: cost / units for day, (units, cost) in bought.items()}
    rows: list[Row] = []

    def pair(sale: date, purchase: date, rule: str) -> None:
        units = min(sold[sale], bought[purchase][0])
        if units:
            sold[sale] -= units
            bought[purchase][0] -= units
            rows.append((sale, rule, purchase, units, units * price[purchase]))

    for day in sorted(sold):
        if day in bought:
            pair(day, day, "same_day")
    for sale in sorted(sold):
        for ahead in range(1, 31):
            if sale + timedelta(days=ahead) in bought:
                pair(sale, sale + timedelta(days=ahead), "30_day")
    units, cost = Fraction(0), Fraction(0)
    for day in sorted({*bought, *sold}):
        if day in bought:
            units, cost = units + bought[day][0], cost + bought[day][0] * price[day]
        if sold[day]:
            share = cost * sold[day] / units
            rows.append((day, "s104", None, sold[day], share))
            units, cost = units - sold[day], cost - share
    return sorted(rows, key=str)


@settings(deadline=None, max_examples=200)
@given(steps().map(lambda found: [step for step in found if step.act in (Act.ACQUIRE, Act.DISPOSE)]))
def test_it_agrees_with_the_rule_written_down_naively(found: list[Step]) -> None:
    history = possible(found)
    wanted = naive(history)
    got = sorted(
        (
            (LONDON.local_day(m.disposal.time), m.rule, date.fromisoformat(m.matched_date) if m.matched_date else None,
             Fraction(m.quantity), Fraction(m.cost or 0))
            for m in match(*history).matches
        ),
        key=str,
    )  # fmt: skip
    assert [row[:3] for row in sorted(got, key=lambda r: str(r[:3]))] == [
        row[:3] for row in sorted(wanted, key=lambda r: str(r[:3]))
    ]
    for ours, theirs in zip(
        sorted(got, key=lambda r: str(r[:3])), sorted(wanted, key=lambda r: str(r[:3])), strict=True
    ):
        assert ours[3] == theirs[3]
        assert abs(ours[4] - theirs[4]) < Fraction(1, 10**12)


@pytest.mark.parametrize(("day", "rule"), [(30, "30_day 2024-03-01 1 50 70"), (31, "s104 never 1 50 100")])
def test_day_30_is_in_and_day_31_is_out(day: int, rule: str) -> None:
    assert lines(match(buy(0, 1, 100), sell(30, 1, 50), buy(30 + day, 1, 70)))[:1] == [rule]


def test_days_are_those_of_london() -> None:
    """23:30 UTC in summer is the next day there."""
    late = sell(0, 1, 50)._replace(time=START.replace(month=7, day=1, hour=23, minute=30))
    early = buy(0, 1, 60)._replace(time=START.replace(month=7, day=2, hour=9))
    assert lines(match(buy(0, 1, 100), late, early)) == ["same_day 2024-07-02 1 50 60"]


def test_a_purchase_after_a_sale_serves_even_where_there_is_no_pool() -> None:
    matching = match(sell(0, 2, 50), buy(5, 2, 30))
    assert lines(matching) == ["30_day 2024-01-06 2 50 30"]
    assert not matching.left


def test_a_day_that_sells_more_than_matched_and_pooled_is_refused_and_earlier_days_stay() -> None:
    matching = match(buy(0, 2, 20), sell(1, 1, 50), sell(60, 3, 50), buy(61, 1, 5), sell(200, 1, 9))
    assert lines(matching) == ["s104 never 1 50 10"]
    assert matching.refused
    assert (matching.refused.ids, matching.missing) == (("t1440",), Decimal(1))


def test_all_sales_of_a_day_are_one_row_a_rule_with_all_their_ids() -> None:
    first, second = sell(3, 1, 30), sell(3, 3, 50, wallet="v")._replace(ids=("x",), kind="spend")
    (found,) = match(buy(0, 9, 90), first, second).matches
    assert shown(found.quantity, found.proceeds, found.cost) == "4 80 40"
    assert (found.disposal.ids, found.disposal.kind, found.disposal.wallet) == (("t72", "x"), "sell;spend", "w;v")


def test_a_sale_without_a_price_leaves_its_day_without_proceeds() -> None:
    assert lines(match(buy(0, 9, 90), sell(3, 1, 30), sell(3, 1, None))) == ["s104 never 2 ? 20"]


def test_a_pool_of_unknown_cost_is_unknown_until_it_is_empty() -> None:
    history = (
        buy(0, 1, 10),
        buy(40, 1, None),
        sell(80, 1, 9),
        buy(120, 1, 10),
        sell(160, 2, 9),
        buy(200, 1, 7),
        sell(240, 1, 9),
    )
    matching = match(*history)
    assert lines(matching) == ["s104 never 1 9 ?", "s104 never 2 9 ?", "s104 never 1 9 7"]
    assert [m.spoiled_by and m.spoiled_by.ids for m in matching.matches] == [("t960",), ("t960",), None]


def test_units_matched_with_a_known_purchase_have_a_cost_though_the_pool_has_none() -> None:
    assert lines(match(buy(0, 1, None), sell(10, 1, 9), buy(11, 1, 8))) == ["30_day 2024-01-12 1 9 8"]


def test_coins_deposited_from_outside_joined_the_pool_when_they_were_acquired() -> None:
    stated = buy(90, 1, 30)._replace(kind="deposit", acquired=START + timedelta(days=5))
    assert lines(match(buy(0, 1, 10), sell(60, 1, 9), stated)) == ["s104 never 1 9 20"]


def test_what_is_lost_leaves_the_pool_at_its_average() -> None:
    lost = sell(9, 1, 0)._replace(act=Act.GIVE, kind="lost", money=None)
    matching = match(buy(0, 2, 20), lost, buy(10, 1, 99))
    assert lines(matching) == ["s104 never 1 ? 10"]
    assert [shown(lot.quantity, lot.cost) for lot in matching.left] == ["2 109"]


def test_the_profile_has_one_method_and_london_time() -> None:
    assert (UK.method, UK.methods, UK.timezone, UK.label(2024)) == (
        Method.UK_S104,
        (Method.UK_S104,),
        "Europe/London",
        "2024-25",
    )
