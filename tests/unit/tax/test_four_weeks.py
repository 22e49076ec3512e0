"""Ireland: four weeks before a sale, four weeks after a loss."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings

from portfolio_sync.core.lot import Act, Matching, Movement
from portfolio_sync.tax.methods import METHODS
from portfolio_sync.tax.profile import Method
from portfolio_sync.tax.profiles import IE
from tests.shown import shown
from tests.unit.tax.histories import Step, buy, possible, sell, steps


def match(*history: Movement) -> Matching:
    return METHODS[Method.IE_FIFO].match(history, IE, ())


def lines(matching: Matching) -> list[str]:
    return [
        shown(m.disposal.ids[0], m.lot and m.lot.ids[0], m.rule, m.quantity, m.denied_loss) for m in matching.matches
    ]


@pytest.mark.parametrize(("bought", "line"), [(72, "t2400 t1728 four_weeks 1 ?"), (71, "t2400 t0 ie_fifo 1 ?")])
def test_units_bought_28_days_before_go_first_and_those_of_29_days_do_not(bought: int, line: str) -> None:
    assert lines(match(buy(0, 1, 1), buy(bought, 1, 1), sell(100, 1, 9))) == [line]


def test_units_once_fresh_are_oldest_first_again_later() -> None:
    assert lines(
        match(buy(0, 1, 1), buy(90, 1, 1), sell(100, 1, 9), buy(300, 1, 1), buy(310, 1, 1), sell(400, 1, 9))
    ) == [
        "t2400 t2160 four_weeks 1 ?",
        "t9600 t0 ie_fifo 1 ?",
    ]


@settings(deadline=None)
@given(steps())
def test_it_agrees_with_a_plain_search_for_the_lot_that_goes_first(found: list[Step]) -> None:
    history = [m._replace(wallet="w") for m in possible([s for s in found if s.act is not Act.MOVE])]
    lots: list[tuple[Movement, int]] = []
    wanted: list[tuple[str, str, int]] = []
    for m in history:
        rest = int(m.quantity)
        if m.act is Act.ACQUIRE:
            lots.append((m, rest))
            continue
        while rest:
            recent = [
                i for i, (lot, _) in enumerate(lots) if (IE.local_day(m.time) - IE.local_day(lot.time)).days <= 28
            ]
            place = recent[0] if recent else 0
            lot, there = lots.pop(place)
            part = min(rest, there)
            wanted.append((m.ids[0], lot.ids[0], part))
            rest -= part
            if there > part:
                lots.insert(place, (lot, there - part))
    assert [(m.disposal.ids[0], m.lot and m.lot.ids[0], int(m.quantity)) for m in match(*history).matches] == wanted


# TCA 1997 s. 581 (3): the loss waits for a gain on the units bought back within four weeks.
@pytest.mark.parametrize(("day", "denied"), [(128, "50"), (129, "?")])
def test_a_loss_is_denied_where_the_units_are_bought_back_within_four_weeks(day: int, denied: str) -> None:
    assert lines(match(buy(0, 1, 100), sell(100, 1, 50), buy(day, 1, 60))) == [f"t2400 t0 ie_fifo 1 {denied}"]


def test_only_the_part_bought_back_is_denied_and_only_its_own_gain_takes_it() -> None:
    matching = match(
        buy(0, 4, 400), sell(100, 4, 200), buy(110, 1, 60), sell(200, 1, 80), buy(300, 1, 10), sell(400, 1, 90)
    )
    assert [shown(m.quantity, m.denied_loss) for m in matching.matches] == ["4 50", "1 -20", "1 ?"]


def test_a_purchase_meets_no_more_units_of_losses_than_it_has() -> None:
    matching = match(buy(0, 2, 200), sell(100, 1, 50), sell(101, 1, 60), buy(110, 1, 60), buy(111, 1, 60))
    assert [shown(m.denied_loss) for m in matching.matches] == ["50", "40"]


# Coins deposited from a wallet of one's own were never sold: they are not bought back, whenever they arrive.
@pytest.mark.parametrize(("acquired", "denied"), [(20, "?"), (99, "?"), (110, "50"), (129, "?")])
def test_coins_deposited_from_outside_were_bought_when_they_were_acquired(acquired: int, denied: str) -> None:
    deposit = buy(130, 1, 60, kind="deposit", acquired=buy(acquired, 1, 1).time)
    assert lines(match(buy(0, 1, 100), sell(100, 1, 50), deposit)) == [f"t2400 t0 ie_fifo 1 {denied}"]


@settings(deadline=None)
@given(steps())
def test_losses_and_purchases_meet_as_in_a_plain_search(found: list[Step]) -> None:
    """Each loss takes the purchases of the four weeks after it, earliest first; each gain what is left on its own purchase."""
    history = [m._replace(wallet="w") for m in possible([s for s in found if s.act is not Act.MOVE])]
    matches = match(*history).matches
    free = {m.ids[0]: Fraction(m.quantity) for m in history if m.act is Act.ACQUIRE}
    fenced = dict.fromkeys(free, Fraction(0))
    wanted = []
    for sale in matches:
        assert sale.lot
        assert sale.cost is not None
        gain = Fraction(sale.proceeds or 0) - Fraction(sale.cost) if sale.disposal.act is Act.DISPOSE else Fraction(0)
        left, denied = Fraction(sale.quantity), Fraction(0)
        for bought in history[history.index(sale.disposal) :] if gain < 0 else ():
            days = (IE.local_day(bought.time) - IE.local_day(sale.disposal.time)).days
            if bought.act is Act.ACQUIRE and days <= 28:
                met = min(left, free[bought.ids[0]])
                left, free[bought.ids[0]] = left - met, free[bought.ids[0]] - met
                denied -= gain * met / Fraction(sale.quantity)
                fenced[bought.ids[0]] -= gain * met / Fraction(sale.quantity)
        if gain > 0:
            denied = -min(gain, fenced[sale.lot.ids[0]])
            fenced[sale.lot.ids[0]] += denied
        wanted.append(denied)
    got = [Fraction(m.denied_loss or 0) for m in matches]
    assert [round(one, 12) for one in got] == [round(one, 12) for one in wanted]
