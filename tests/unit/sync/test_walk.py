"""The walk against a model exchange that books, drops and miscounts rows while it is being read."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portfolio_sync.core.instant import ceil_second
from portfolio_sync.core.period import Period
from portfolio_sync.errors import Refused
from portfolio_sync.sync.walk import Page, Position, Step, walk

T0 = datetime(2024, 1, 1, tzinfo=UTC)
WINDOW = Period(T0, T0 + timedelta(days=30))


@dataclass(frozen=True)
class Fill:
    id: str
    time: datetime


@dataclass
class Exchange:
    """Newest first, ``end`` inclusive, ``ofs`` rows left out, a fixed page size."""

    rows: list[Fill]
    size: int = 50
    miscount: Callable[[int], int | None] = lambda count: count
    before_call: Callable[[Exchange], None] = lambda _: None
    ignore_ofs: bool = False
    calls: list[tuple[datetime, int]] = field(default_factory=list)

    def fetch(self, end: datetime, ofs: int) -> Page[Fill]:
        self.before_call(self)
        self.calls.append((end, ofs))
        inside = sorted((r for r in self.rows if r.time <= end), key=lambda r: (r.time, r.id), reverse=True)
        start = 0 if self.ignore_ofs else ofs
        return Page(inside[start : start + self.size], self.miscount(len(inside)))


def fills(number: int, seed: int = 1, *, seconds: int = 2_000_000) -> list[Fill]:
    chance = random.Random(seed)
    return [Fill(f"L{n:06}", T0 + timedelta(seconds=chance.randrange(seconds))) for n in range(number)]


def read(exchange: Exchange, window: Period = WINDOW, resume: Position | None = None) -> list[Step[Fill]]:
    return list(walk(window, exchange.fetch, resume))


def ids(steps: list[Step[Fill]]) -> set[str]:
    return {row.id for step in steps for row in step.rows}


COUNTS: dict[str, Callable[[int], int | None]] = {
    "right": lambda n: n,
    "missing": lambda _: None,
    "half": lambda n: n // 2,
    "more": lambda n: n + 7,
    "zero": lambda _: 0,
}


@given(
    number=st.integers(0, 400), seconds=st.sampled_from([1, 3, 60, 2_000_000]), count=st.sampled_from(sorted(COUNTS))
)
@settings(max_examples=150, deadline=None)
def test_every_row_is_read_whatever_the_density_and_the_count(number: int, seconds: int, count: str) -> None:
    exchange = Exchange(fills(number, seconds=seconds), miscount=COUNTS[count])
    steps = read(exchange)
    assert ids(steps) == {r.id for r in exchange.rows}
    assert steps[-1].position is None
    assert steps[-1].covered == WINDOW


@example(number=296, size=7, count="missing")
@given(number=st.integers(0, 300), size=st.sampled_from([2, 7, 25, 100]), count=st.sampled_from(["right", "missing"]))
@settings(max_examples=60, deadline=None)
def test_the_page_size_is_never_assumed(number: int, size: int, count: str) -> None:
    exchange = Exchange(fills(number), size, COUNTS[count])
    assert ids(read(exchange)) == {r.id for r in exchange.rows}


@pytest.mark.parametrize("number", [0, 1, 49, 50, 51, 1000, 1001, 5_000])
def test_calls_stay_within_the_budget(number: int) -> None:
    exchange = Exchange(fills(number))
    read(exchange)
    assert len(exchange.calls) <= -(-number // 50) * 1.03 + 6


def test_rows_of_one_instant_beyond_a_page_are_all_read() -> None:
    exchange = Exchange([Fill(f"L{n:03}", T0 + timedelta(seconds=100)) for n in range(200)] + fills(300))
    assert len(ids(read(exchange))) == 500


def test_rows_booked_under_the_frozen_end_are_noticed_and_lose_nothing_older() -> None:
    late = iter(Fill(f"N{n}", WINDOW.end - timedelta(seconds=n)) for n in range(1000))
    exchange = Exchange(fills(500), before_call=lambda e: e.rows.append(next(late)))
    before = {r.id for r in exchange.rows}
    steps = read(exchange)
    assert before <= ids(steps)
    assert any(step.moved for step in steps)


def test_rows_that_vanish_during_the_walk_hide_no_other_row() -> None:
    def drop(exchange: Exchange) -> None:
        newest = max(exchange.rows, key=lambda r: (r.time, r.id))
        exchange.rows.remove(newest)

    exchange = Exchange(fills(500), before_call=drop)
    steps = read(exchange)
    assert {r.id for r in exchange.rows} <= ids(steps)


def test_an_exchange_that_ignores_ofs_is_read_by_moving_the_anchor() -> None:
    exchange = Exchange(fills(400), ignore_ofs=True)
    assert len(ids(read(exchange))) == 400


def test_an_exchange_that_never_gets_on_is_refused_not_looped() -> None:
    exchange = Exchange([Fill(f"L{n:03}", T0 + timedelta(seconds=100)) for n in range(200)], ignore_ofs=True)
    with pytest.raises(Refused, match="same page"):
        read(exchange)


@pytest.mark.parametrize("seconds", [2_000_000, 5])
@pytest.mark.parametrize("killed_after", [1, 2, 7, 11])
def test_a_killed_walk_goes_on_from_its_last_page_and_fetches_at_most_one_again(
    seconds: int, killed_after: int
) -> None:
    exchange = Exchange(fills(600, seconds=seconds))
    first = []
    for step in walk(WINDOW, exchange.fetch):
        first.append(step)
        if len(first) == killed_after:
            break
    calls = len(exchange.calls)
    position = first[-1].position
    assert position is not None
    assert first[-1].covered is not None or seconds == 5
    rest = Period(WINDOW.start, first[-1].covered.start if first[-1].covered else WINDOW.end)
    steps = read(exchange, rest, position)
    assert ids(first) | ids(steps) == {r.id for r in exchange.rows}
    again = len(ids(first) & ids(steps))
    assert again <= 50
    assert calls + len(steps) <= 13 + 2


def test_coverage_never_claims_the_second_that_is_half_read() -> None:
    exchange = Exchange(fills(500, seconds=2_000_000))
    for step in walk(WINDOW, exchange.fetch):
        if step.position and step.covered:
            oldest = min(r.time for r in step.rows)
            assert step.covered.start >= ceil_second(oldest)


def test_the_walk_stops_once_it_has_passed_the_start_of_the_window() -> None:
    exchange = Exchange(fills(5000))
    newest = Period(WINDOW.end - timedelta(days=8), WINDOW.end)
    steps = read(exchange, newest)
    assert {r.id for r in exchange.rows if r.time in newest} <= ids(steps)
    assert len(exchange.calls) < 20
