"""When an account is due next: ``every 15m`` or a cron line, with jitter so that many accounts do not call at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from portfolio_sync.core.duration import parse_duration
from portfolio_sync.service.clock import next_cron


def next_run(schedule: str, jitter: timedelta, after: datetime, chance: Random) -> datetime:
    """The first due time later than ``after``."""
    words = schedule.split()
    due = after + parse_duration(words[1]) if words[0] == "every" else next_cron(schedule, after)
    return due + jitter * chance.random()
