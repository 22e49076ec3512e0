"""The ticks go on whatever happens to the computer's clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

import apscheduler.schedulers.base
import pytest

from portfolio_sync.errors import DatabaseError
from portfolio_sync.service.clock import Ticking
from portfolio_sync.service.serve import surviving

YEAR = timedelta(days=365)
EVERY = timedelta(milliseconds=20)


class Shifted(datetime):
    """The computer's clock as APScheduler reads it, set by ``shift``."""

    shift = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Shifted:
        read = datetime.now(tz) + cls.shift
        return cls.fromtimestamp(read.timestamp(), tz)


class Ticks:
    def __init__(self) -> None:
        self.heard = threading.Semaphore(0)
        self.ticking = Ticking(self.heard.release, EVERY)

    def go(self) -> bool:
        """Whether there are three more within a second."""
        while self.heard.acquire(blocking=False):
            pass
        return all(self.heard.acquire(timeout=0.3) for _ in range(3))


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ticks]:
    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Shifted)
    monkeypatch.setattr(Shifted, "shift", timedelta(0))
    made = Ticks()
    yield made
    made.ticking.stop()


def test_ticks_go_on_after_the_clock_went_back_a_year(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ticks.go()
    monkeypatch.setattr(Shifted, "shift", -YEAR)
    assert not ticks.go()
    ticks.ticking.catch_up(Shifted.now(UTC))
    assert ticks.go()


def test_a_year_that_was_jumped_over_is_one_tick(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ticks.go()
    monkeypatch.setattr(Shifted, "shift", YEAR)
    assert ticks.go()


def test_a_clock_that_goes_right_is_left_alone(ticks: Ticks, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        ticks.ticking.catch_up(Shifted.now(UTC))
    assert caplog.messages == []


def test_an_outage_is_said_once_when_it_begins_and_once_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    problems = ["away", "away", "starting up", "", ""]

    def tick() -> None:
        if problem := problems.pop(0):
            raise DatabaseError(problem)

    caplog.set_level("INFO")
    safe = surviving(tick)
    for _ in range(5):
        safe()
    said = [(record.levelname, record.message) for record in caplog.records]
    assert said == [("WARNING", "away"), ("WARNING", "starting up"), ("INFO", "the database answers again")]
