"""APScheduler as the clock of this process: one job that ticks, in memory. Who runs what is decided by the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from portfolio_sync.errors import SettingsError

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # cron's 0 to 6; 7 is Sunday again


def start_ticking(tick: Callable[[], None], every: timedelta) -> Callable[[], None]:
    """Call ``tick`` now and then every ``every``, never twice at once, late ticks together as one. Returns how to stop it."""
    logging.getLogger("apscheduler.scheduler").setLevel(
        logging.ERROR
    )  # a tick that waits for a slow database is no news
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        tick,
        "interval",
        seconds=every.total_seconds(),
        next_run_time=datetime.now(UTC),
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    scheduler.start()
    return lambda: scheduler.shutdown(wait=True)


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
