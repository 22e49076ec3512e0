"""Told to stop while what was read is worked up: it ends at once, and the next run makes up for it."""

from __future__ import annotations

import pytest

from portfolio_sync.core.clock import Stopped, until_stopped
from portfolio_sync.sandbox.faults import Fault
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.tasks import sync as tasks
from portfolio_sync.tasks.verify import verify_account
from tests.fakes import FakeClock
from tests.wire.conftest import Set, Stage
from tests.wire.truth import rows_of

FAST = {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}


@pytest.fixture
def on(stage: Set) -> Stage:
    return stage(generate(3, 200, end=FakeClock().unix() - 7200), FAST, limited=False)


def count(on: Stage, table: str) -> int:
    return int(rows_of(on.database_url, f"SELECT count(*) FROM {table}")[0][0])


def assert_made_up_for(on: Stage) -> None:
    assert rows_of(on.database_url, "SELECT owner FROM lease")[0][0] is None
    on.clock.stopped = False
    outcome = on.sync()
    assert (outcome.error, outcome.rows_new, outcome.proof) == (None, 0, "proven")
    assert count(on, "event") > 100


def test_a_stop_after_the_last_page_leaves_events_and_proof_to_the_next_run(on: Stage) -> None:
    on.exchange.faults.append(Fault(method="WithdrawStatus", act=on.clock.stop))
    with pytest.raises(Stopped):
        on.sync()
    assert (count(on, "ledger"), count(on, "event"), count(on, "proof")) == (200, 0, 0)
    assert_made_up_for(on)


def test_a_stop_in_the_middle_of_the_proof_is_made_up_for_by_the_next_run(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*given: object, **named: object) -> object:
        on.clock.stop()
        return verify_account(*given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(tasks, "verify_account", stopped)
        with pytest.raises(Stopped):
            on.sync()
    assert count(on, "proof") == count(on, "event") == 0
    assert_made_up_for(on)


def test_a_stop_is_noticed_within_a_thousand_rows() -> None:
    clock = FakeClock()
    source = iter(range(10_000))
    rows = until_stopped(source, clock.check)
    assert [next(rows) for _ in range(1500)][-1] == 1499
    clock.stop()
    with pytest.raises(Stopped):
        list(rows)
    assert next(source) <= 2001
