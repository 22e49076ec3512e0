"""The call counter: never above the exchange's, and not much slower than it must be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.throttle import TIERS, CallCounter, Pacing

START = datetime(2026, 1, 1, tzinfo=UTC)


class SteppedServer:
    """The exchange at its most awkward: the counter falls by whole units, at the end of each interval."""

    def __init__(self, most: Decimal, decay: Decimal, phase: Decimal) -> None:
        self.most, self.interval, self.level, self.last = most, 1 / decay, Decimal(0), -phase

    def call(self, cost: int, at: Decimal) -> bool:
        steps = (at - self.last) // self.interval
        self.level, self.last = max(Decimal(0), self.level - steps), self.last + steps * self.interval
        self.level += cost
        return self.level <= self.most


@given(
    tier=st.sampled_from(sorted(TIERS)),
    costs=st.lists(st.sampled_from([1, 2, 4]), max_size=120),
    phase=st.decimals(0, 3, places=2),
    pauses=st.lists(st.integers(0, 20), max_size=120),
)
def test_a_stepping_exchange_never_refuses(tier: str, costs: list[int], phase: Decimal, pauses: list[int]) -> None:
    server, counter, now = SteppedServer(TIERS[tier].most, TIERS[tier].decay, phase), CallCounter(TIERS[tier]), START
    for number, cost in enumerate(costs):
        now += timedelta(seconds=pauses[number] if number < len(pauses) else 0)
        now += timedelta(seconds=float(counter.wait_for(cost, now)))
        counter = counter.charged(cost, now)
        assert server.call(cost, Decimal(str((now - START).total_seconds())))


@pytest.mark.parametrize("tier", sorted(TIERS))
@pytest.mark.parametrize("cost", [2, 4])
def test_a_long_walk_takes_at_most_three_per_cent_more_than_it_must(tier: str, cost: int) -> None:
    counter, now, pages = CallCounter(TIERS[tier]), START, 2000
    for _ in range(pages):
        now += timedelta(seconds=float(counter.wait_for(cost, now)))
        counter = counter.charged(cost, now)
    floor = (pages * cost - TIERS[tier].most) / TIERS[tier].decay
    assert Decimal(str((now - START).total_seconds())) <= floor * Decimal("1.03")


def test_a_clock_that_goes_back_takes_nothing_down() -> None:
    counter = CallCounter(TIERS["pro"]).charged(10, START)
    assert counter.after(START - timedelta(hours=1)).level == 10


def test_a_refusal_fills_the_counter() -> None:
    counter = CallCounter(TIERS["starter"]).full(START)
    assert counter.wait_for(4, START) > 12


def test_costs_are_cautious_and_configurable() -> None:
    careful, bold = Pacing(TIERS["pro"]), Pacing(TIERS["pro"], history_cost=2)
    assert (careful.cost(Endpoint.LEDGERS), bold.cost(Endpoint.LEDGERS)) == (4, 2)
    assert (careful.cost(Endpoint.BALANCE), careful.cost(Endpoint.QUERY_TRADES), careful.cost(Endpoint.TIME)) == (
        1,
        2,
        0,
    )


def test_an_idle_sync_fits_into_one_burst_of_every_tier() -> None:
    calls = (
        "GET_API_KEY_INFO",
        "LEDGERS",
        "TRADES_HISTORY",
        "BALANCE_EX",
        "EARN_ALLOCATIONS",
        "DEPOSIT_STATUS",
        "WITHDRAW_STATUS",
    )
    for tier in TIERS.values():
        counter = CallCounter(tier)
        for name in calls:
            cost = Pacing(tier).cost(Endpoint[name])
            assert counter.wait_for(cost, START) == 0
            counter = counter.charged(cost, START)
