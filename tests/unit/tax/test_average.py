"""Moving and total averages, superficial losses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portfolio_sync.core.lot import Act, Matching, Movement
from portfolio_sync.errors import SettingsError
from portfolio_sync.tax.methods import METHODS
from portfolio_sync.tax.profile import Profile, with_settings
from portfolio_sync.tax.profiles import CA, GENERIC
from tests.shown import shown
from tests.unit.tax.histories import START, buy, movement, sell

ACB = with_settings(GENERIC, {"method": "acb"})
TOTAL = with_settings(GENERIC, {"method": "total_average"})


def match(profile: Profile, *history: Movement) -> Matching:
    return METHODS[profile.method].match(history, profile, ())


def lines(matching: Matching) -> list[str]:
    return [shown(m.quantity, m.proceeds, m.cost, m.denied_loss) for m in matching.matches]


def left(matching: Matching) -> list[str]:
    return [shown(lot.wallet, lot.quantity, lot.cost) for lot in matching.left]


def test_the_moving_average_forgets_what_is_bought_later_and_the_total_does_not() -> None:
    history = (buy(0, 1, 10), sell(1, 1, 50), buy(2, 1, 30))
    assert lines(match(ACB, *history)) == ["1 50 10 ?"]
    assert lines(match(TOTAL, *history)) == ["1 50 20 ?"]


def test_a_total_average_ends_with_the_year() -> None:
    assert lines(match(TOTAL, buy(0, 1, 10), sell(300, 1, 50), buy(400, 1, 30))) == ["1 50 10 ?"]


def test_nobody_sells_what_he_buys_later_in_the_year() -> None:
    matching = match(TOTAL, sell(0, 1, 50), buy(2, 1, 30))
    assert matching.refused
    assert not matching.matches


@pytest.mark.parametrize("profile", [ACB, TOTAL])
def test_an_average_is_unknown_from_an_unknown_cost_on_until_nothing_is_left(profile: Profile) -> None:
    history = (
        buy(0, 2, 10),
        buy(1, 1, None),
        sell(2, 1, 9),
        buy(3, 1, 9),
        sell(4, 3, 9),
        buy(400, 1, 7),
        sell(401, 1, 9),
    )
    matching = match(profile, *history)
    assert lines(matching) == ["1 9 ? ?", "3 9 ? ?", "1 9 7 ?"]
    assert [m.spoiled_by and m.spoiled_by.ids for m in matching.matches] == [("t24",), ("t24",), None]


def test_what_is_left_of_a_pool_lies_by_wallet_at_its_average() -> None:
    there = movement(Act.MOVE, 24, 1, None, "w", "cold")
    assert left(match(ACB, buy(0, 3, 30), there, sell(2, 1, 9))) == ["cold 1 10", "w 1 10"]


def test_a_pool_per_wallet_moves_at_its_average() -> None:
    per_wallet = with_settings(GENERIC, {"method": "acb", "pool_scope": "wallet"})
    history = (
        buy(0, 2, 20),
        buy(1, 1, 40, wallet="v"),
        movement(Act.MOVE, 48, 1, None, "w", "v"),
        sell(3, 1, 9, wallet="v"),
    )
    matching = match(per_wallet, *history)
    assert lines(matching) == ["1 9 25 ?"]
    assert left(matching) == ["v 1 25", "w 1 10"]


# ITA 54 "superficial loss": 30 days before and after, and still held at the end of the 30th day after.
@pytest.mark.parametrize(("bought", "denied"), [(-31, "?"), (-30, "5"), (30, "5"), (31, "?")])
def test_a_loss_is_denied_where_as_many_were_bought_within_30_days(bought: int, denied: str) -> None:
    history = sorted((buy(-400, 10, 100), sell(0, 1, 5), buy(bought, 1, 10)), key=lambda m: m.time)
    assert lines(match(CA, *history)) == [f"1 5 10 {denied}"]


def test_a_loss_is_denied_in_proportion_to_what_was_bought_back() -> None:
    matching = match(CA, buy(-400, 10, 100), sell(0, 4, 20), buy(3, 1, 5))
    assert lines(matching) == ["4 20 40 5"]
    assert left(matching) == ["w 7 70"]  # 60 + 5 denied + 5


def test_a_loss_counts_where_nothing_is_held_on_the_30th_day() -> None:
    assert lines(match(CA, buy(-400, 1, 100), sell(0, 1, 20), buy(3, 1, 5), sell(29, 1, 5)))[0] == "1 20 100 ?"


def test_a_denied_loss_waits_for_the_purchase_where_all_was_sold() -> None:
    matching = match(CA, buy(-400, 1, 100), sell(0, 1, 20), buy(3, 1, 5))
    assert lines(matching) == ["1 20 100 80"]
    assert left(matching) == ["w 1 85"]


def test_a_gain_is_never_denied() -> None:
    assert lines(match(CA, buy(-400, 10, 100), sell(0, 1, 20), buy(3, 1, 5))) == ["1 20 10 ?"]


def test_costs_shown_as_cost_are_part_of_the_loss() -> None:
    sale = sell(0, 1, 10)._replace(extra_cost=sell(0, 1, 2).money)
    assert lines(match(CA, buy(-400, 1, 10), sale, buy(3, 1, 5))) == ["1 10 10 2"]


def test_superficial_losses_go_with_one_average_for_all_wallets() -> None:
    for clash in ({"method": "fifo"}, {"pool_scope": "wallet"}):
        with pytest.raises(SettingsError, match="superficial_loss"):
            with_settings(CA, clash)
    with pytest.raises(SettingsError, match="one pool for all wallets"):
        with_settings(GENERIC, {"method": "total_average", "pool_scope": "wallet"})


def test_a_deposit_joined_the_average_when_it_was_acquired() -> None:
    stated = buy(90, 1, 30)._replace(kind="deposit", acquired=START + timedelta(days=5))
    assert lines(match(ACB, buy(0, 1, 10), sell(60, 1, 9), stated)) == ["1 9 20 ?"]
