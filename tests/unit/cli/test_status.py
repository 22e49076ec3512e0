from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portfolio_sync.cli.status import at_a_glance, span
from portfolio_sync.tasks.status import Standing

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_a_length_of_time_is_said_in_the_largest_unit_that_makes_two(seconds: int, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def standing(**facts: Any) -> Standing:
    run = {"started_at": NOW - timedelta(minutes=13), "ended_at": NOW - timedelta(minutes=12), "outcome": "ok"}
    given = {
        "name": "main", "taxpayer": "me", "key_state": "read-only", "proof": "proven", "streams": (), "last_run": run,
        "running": None, "next_run_at": NOW + timedelta(minutes=3), "changed": 0, "findings": 2,
    }  # fmt: skip
    return Standing(**given | facts)


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({}, ("main", "proven", "read-only", "ok 12 min ago", "in 3 min", 2)),
        (
            {"running": "host:1", "last_run": None, "key_state": None},
            ("main", "proven", "never used", "never", "now", 2),
        ),
        ({"next_run_at": NOW - timedelta(seconds=1)}, ("main", "proven", "read-only", "ok 12 min ago", "due", 2)),
        ({"next_run_at": None}, ("main", "proven", "read-only", "ok 12 min ago", "not planned", 2)),
    ],
)
def test_one_line_says_how_an_account_stands(facts: dict[str, Any], shown: tuple[str | int, ...]) -> None:
    assert at_a_glance(standing(**facts), NOW) == shown
