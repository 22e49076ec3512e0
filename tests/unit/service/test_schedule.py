"""When an account is due next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from portfolio_sync.errors import SettingsError
from portfolio_sync.service.schedule import next_run

FRIDAY = datetime(2026, 11, 20, 10, 7, tzinfo=UTC)
NONE = timedelta(0)


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("every 15m", datetime(2026, 11, 20, 10, 22, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 11, 20, 10, 15, tzinfo=UTC)),
        ("30 6 * * *", datetime(2026, 11, 21, 6, 30, tzinfo=UTC)),
        ("0 6 * * 0", datetime(2026, 11, 22, 6, 0, tzinfo=UTC)),
        ("0 6 * * 7", datetime(2026, 11, 22, 6, 0, tzinfo=UTC)),
        ("0 6 * * 1-5", datetime(2026, 11, 23, 6, 0, tzinfo=UTC)),
        ("0 6 * * 0-6", datetime(2026, 11, 21, 6, 0, tzinfo=UTC)),
        ("0 6 * * mon", datetime(2026, 11, 23, 6, 0, tzinfo=UTC)),
    ],
)
def test_due_times_are_those_of_cron(schedule: str, due: datetime) -> None:
    assert next_run(schedule, NONE, FRIDAY, Random(1)) == due


def test_jitter_spreads_but_never_beyond_its_length() -> None:
    dues = {next_run("every 1h", timedelta(seconds=30), FRIDAY, Random(seed)) for seed in range(50)}
    assert len(dues) > 40
    assert all(timedelta(hours=1) <= due - FRIDAY < timedelta(hours=1, seconds=30) for due in dues)


@pytest.mark.parametrize("line", ["61 * * * *", "* * * * caturday", "0 0 31 2 *"])
def test_a_line_that_names_no_time_is_refused(line: str) -> None:
    with pytest.raises(SettingsError, match="schedule"):
        next_run(line, NONE, FRIDAY, Random(1))
