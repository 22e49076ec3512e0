from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portfolio_sync.cli.status import at_a_glance, document, in_full, span
from portfolio_sync.service.health import judge
from portfolio_sync.service.judged import Judged
from portfolio_sync.settings.model import Account
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.vitals import STREAMS, StreamVitals, Vitals
from portfolio_sync.tasks.status import Standing

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_a_length_of_time_is_said_in_the_largest_unit_that_makes_two(seconds: int, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


RUN = {
    "started_at": NOW - timedelta(minutes=13),
    "ended_at": NOW - timedelta(minutes=12),
    "outcome": "ok",
    "error": None,
}
FRESH = dict.fromkeys(STREAMS, StreamVitals(5, NOW, None))
SERVED = Account.model_validate({"name": "main", "key_file": "main.key"})


def judged(last_run: dict[str, Any] | None, key_state: str | None = "read-only", **facts: Any) -> Judged:
    account = StoredAccount(1, "main", "me", valid_until=facts.pop("valid_until", None), key_state=key_state)
    given: dict[str, Any] = {"streams": FRESH, "proof": "proven", "next_run_at": NOW + timedelta(minutes=3)}
    vitals = Vitals(account, **given | {"findings": {("error", "x"): 2, ("warning", "y"): 9}} | facts)
    return Judged(Standing(vitals, (), last_run, 0), judge(vitals, SERVED, 3, NOW))


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (judged(RUN), ("main", "ready", "proven", "read-only", "ok 12 min ago", "in 3 min", 2)),
        (judged(RUN, next_run_at=NOW - timedelta(seconds=1)), ("main", "ready", "proven", "read-only", "ok 12 min ago", "due", 2)),
        (judged(RUN, next_run_at=None), ("main", "ready", "proven", "read-only", "ok 12 min ago", "not planned", 2)),
        (
            judged(None, None, streams={}, running="host:1", proof="unknown"),
            ("main", "never-synced, proof", "unknown", "never used", "never", "now", 2),
        ),
        (
            judged(RUN, "refused by Kraken", proof="broken", streams=dict.fromkeys(STREAMS, StreamVitals(5, NOW - timedelta(hours=2), None))),
            ("main", "stale, key-refused, proof", "broken", "refused by Kraken", "ok 12 min ago", "in 3 min", 2),
        ),
        (
            judged(RUN, valid_until=NOW + timedelta(days=3)),
            ("main", "ready, key-expires", "proven", "read-only", "ok 12 min ago", "in 3 min", 2),
        ),
        (
            replace(judged(RUN), health=None),
            ("main", "not served", "proven", "read-only", "ok 12 min ago", "in 3 min", 2),
        ),
    ],
)  # fmt: skip
def test_one_line_says_how_an_account_stands(one: Judged, shown: tuple[str | int, ...]) -> None:
    assert at_a_glance(one, NOW) == shown


def test_in_full_each_trouble_is_said_in_words() -> None:
    one = judged(RUN, "refused by Kraken", proof="broken", error="Invalid key", outcome="error")
    said = list(in_full(one))
    assert said[0] == "account main (taxpayer me): key-refused, proof, key: refused by Kraken, proof: broken"
    assert said[1:3] == ["  Invalid key", "  the proof is broken: run portfolio-sync verify --account main"]
    assert document(one)["troubles"].keys() == {"key-refused", "proof"}
    assert (document(one)["ready"], document(judged(RUN))["ready"]) == (False, True)
    assert document(replace(one, health=None))["ready"] is None
