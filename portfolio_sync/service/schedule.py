"""When an account is due next: ``every 15m`` or a cron line, with jitter so that many accounts do not call at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

from portfolio_sync.core.duration import parse_duration


def next_run(schedule: str, jitter: timedelta, after: datetime, chance: Random) -> datetime:
    """The first due time later than ``after``."""
    return _due(schedule, after) + jitter * chance.random()


@lru_cache(maxsize=4096)
def missed_at(schedule: str, jitter: timedelta, since: datetime, runs: int) -> datetime:
    """When so many runs after ``since`` have been missed. Raises SettingsError for a schedule that is none."""
    due = since
    for _ in range(runs):
        due = _due(schedule, due)
    return due + jitter


def _due(schedule: str, after: datetime) -> datetime:
    words = schedule.split()
    if words[0] == "every":
        return after + parse_duration(words[1])
    from portfolio_sync.service.clock import next_cron

    return next_cron(schedule, after)
