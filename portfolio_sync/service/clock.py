"""APScheduler as the clock of this process: one job that ticks, in memory. Who runs what is decided by the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from portfolio_sync.core.log import log
from portfolio_sync.errors import SettingsError

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # cron's 0 to 6; 7 is Sunday again


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """So long after now: APScheduler's own interval would count each tick that a clock jumped over, millions for a year."""

    def __init__(self, length: timedelta) -> None:
        self.length = length

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002 - APScheduler's
        return now + self.length


class Ticking:
    """Calls ``tick`` now and then every ``every``, never twice at once, late ticks together as one, until it is stopped."""

    def __init__(self, tick: Callable[[], None], every: timedelta) -> None:
        # a tick that waits for a slow database is no news
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        self.every = every
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self._job = self._scheduler.add_job(
            tick,
            Every(every),
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._scheduler.start()

    def catch_up(self, now: datetime) -> None:
        """After the computer's clock went back the next tick would be due when it has come as far again: tick at once."""
        due = self._job.next_run_time
        if due - now > 2 * self.every:
            log.warning("the computer's clock went back by about %s", due - now - self.every)
            self._job.modify(next_run_time=now)

    def stop(self) -> None:
        """Tick no more; waits for a tick under way."""
        self._scheduler.shutdown(wait=True)


def next_cron(line: str, after: datetime) -> datetime:
    """The next instant that a cron line of five fields names, in UTC. Raises SettingsError where it names none."""
    fields = line.split()
    try:
        fields[4:] = [_weekdays(field) for field in fields[4:]]
        due: datetime | None = CronTrigger.from_crontab(" ".join(fields), timezone=UTC).get_next_fire_time(
            None, after + timedelta(seconds=1)
        )
    except ValueError as error:
        raise SettingsError(f"[sync] schedule: {line!r} is not a cron line: {error}") from None
    if due is None:
        raise SettingsError(f"[sync] schedule: {line!r} never comes due")
    return due.astimezone(UTC)


def _weekdays(field: str) -> str:
    """Cron counts weekdays from Sunday, APScheduler from Monday: numbers become names, ranges become lists."""
    return ",".join(_named(part) for part in field.split(","))


def _named(part: str) -> str:
    days, _, step = part.partition("/")
    first, _, last = days.partition("-")
    if not first.isdigit():
        return part
    chosen = range(int(first), int(last or first) + 1, int(step or 1))
    return ",".join(DAYS[day % 7] for day in chosen)
