"""Late rows are found by halving where the counts differ, and a wrong count is not chased."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from portfolio_sync.core.period import Period
from portfolio_sync.sync.late import Counts, find_late
from portfolio_sync.sync.walk import Page

T0 = datetime(2024, 1, 1, tzinfo=UTC)
YEAR = Period(T0, T0 + timedelta(days=365))


@dataclass(frozen=True)
class Fill:
    id: str
    time: datetime


@dataclass
class Sides:
    theirs: list[Fill]
    ours: list[Fill]
    wrong: Callable[[int], int | None] = lambda count: count
    calls: list[Period] = field(default_factory=list)

    def ask(self, period: Period) -> Page[Fill]:
        self.calls.append(period)
        rows = sorted((r for r in self.theirs if r.time in period), key=lambda r: r.time, reverse=True)
        return Page(rows[:50], self.wrong(len(rows)))

    def have(self, period: Period) -> int:
        return sum(r.time in period for r in self.ours)

    def cut(self, period: Period) -> datetime | None:
        times = sorted(r.time for r in self.ours if r.time in period)
        middle = times[len(times) // 2] if times else None
        return middle if middle and period.start < middle < period.end else None

    def search(self) -> set[str]:
        counts = Counts(self.ask, self.have, self.cut)
        missing = (self.wrong(len(self.theirs)) or 0) - len(self.ours)
        return {row.id for page in find_late(YEAR, missing, counts) for row in page.rows}


def history(number: int) -> list[Fill]:
    chance = random.Random(7)
    seconds = sorted(chance.sample(range(365 * 86400), number))
    return [Fill(f"L{n:05}", T0 + timedelta(seconds=s)) for n, s in enumerate(seconds)]


@pytest.mark.parametrize("place", [3, 2_000, 9_990])
def test_one_missing_row_is_found_in_about_two_calls_for_each_halving(place: int) -> None:
    rows = history(10_000)
    sides = Sides(rows, rows[:place] + rows[place + 1 :])
    assert rows[place].id in sides.search()
    assert len(sides.calls) <= 2 * math.ceil(math.log2(10_000 / 50)) + 2


def test_rows_missing_at_several_places_are_all_found() -> None:
    rows = history(5_000)
    lost = {rows[n].id for n in (10, 11, 2_500, 4_999)}
    assert lost <= Sides(rows, [r for r in rows if r.id not in lost]).search()


@pytest.mark.parametrize("wrong", [lambda n: n + 3, lambda _: 50, lambda n: n * 2])
def test_a_count_that_does_not_add_up_is_not_chased(wrong: Callable[[int], int]) -> None:
    rows = history(5_000)
    sides = Sides(rows, rows, wrong)
    assert sides.search() == set()
    assert len(sides.calls) <= 2 * math.ceil(math.log2(5_000 / 25))


def test_nothing_missing_asks_nothing() -> None:
    rows = history(100)
    sides = Sides(rows, rows)
    assert sides.search() == set()
    assert sides.calls == []
