"""Coverage is a set of instants, whatever the order in which its stretches are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from portfolio_sync.core.period import Period
from portfolio_sync.store import accounts, coverage
from portfolio_sync.store.engine import writing
from tests.store.rows import NOON

HOURS = st.tuples(st.integers(0, 20), st.integers(0, 20))


def hours(start: int, end: int) -> Period:
    return Period(NOON + timedelta(hours=start), NOON + timedelta(hours=end))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(added=st.lists(HOURS, max_size=8))
def test_coverage_is_the_union_of_what_was_added(database: Engine, added: list[tuple[int, int]]) -> None:
    with writing(database) as connection:
        account = accounts.get_or_create(connection, "main", "me").id
        coverage.replace(connection, account, "ledgers", [])
        coverage.add(connection, account, "trades", hours(0, 1))
        for start, end in added:
            coverage.add(connection, account, "ledgers", hours(start, end))
        found = coverage.periods(connection, account, "ledgers")
        assert coverage.periods(connection, account, "trades") == [hours(0, 1)]
    covered = {hour for hour in range(21) for period in found if NOON + timedelta(hours=hour) in period}
    assert covered == {hour for start, end in added for hour in range(start, end)}
    assert found == sorted(found)
    assert all(before.end < after.start for before, after in pairwise(found))


@dataclass(frozen=True)
class Position:
    anchor: datetime
    ofs: int = 0
    last_id: str | None = None
    covered_from: datetime | None = None


def test_a_walk_is_kept_moved_and_forgotten(database: Engine) -> None:
    with writing(database) as connection:
        account = accounts.get_or_create(connection, "main", "me").id
        assert coverage.position(connection, account, "ledgers") is None
        for position in (Position(NOON), Position(NOON, 50, "L1", NOON - timedelta(days=1))):
            coverage.set_position(connection, account, "ledgers", position)
            assert Position(**coverage.position(connection, account, "ledgers") or {}) == position
        coverage.set_position(connection, account, "ledgers", None)
        assert coverage.position(connection, account, "ledgers") is None
