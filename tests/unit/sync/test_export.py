"""What a report is worth asking for, which one of an earlier run still serves, and what it holds completely."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portfolio_sync.core.instant import EPOCH, to_unix
from portfolio_sync.core.period import Period
from portfolio_sync.sync.coverage import Bounds
from portfolio_sync.sync.export import _at_least, _covered, _fits
from portfolio_sync.sync.export_job import Listed, ReportFailed


def day(number: int) -> datetime:
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number)


WINDOW = Period(EPOCH, day(30))


@pytest.mark.parametrize(
    ("asked", "gaps", "fits"),
    [
        (Period(EPOCH, day(20)), [Period(EPOCH, day(30))], True),
        (Period(EPOCH, day(20)), [Period(EPOCH, day(5)), Period(day(20), day(30))], True),
        (Period(EPOCH, day(20)), [Period(day(20), day(30))], False),
        (Period(EPOCH, day(31)), [Period(EPOCH, day(30))], False),
        (Period(day(3), day(20)), [Period(day(1), day(30))], False),
        (Period(EPOCH, day(20)), [], False),
    ],
    ids=["until yesterday", "half of it read", "all of it read", "beyond the window", "lacks the beginning", "no gap"],
)
def test_a_report_serves_where_it_begins_no_later_than_a_gap_and_lies_in_the_window(
    asked: Period, gaps: list[Period], fits: bool
) -> None:
    assert _fits(asked, WINDOW, gaps) is fits


def listed(start: object = "0", end: object = "0") -> Listed:
    return Listed.parse({"id": "TCJA", "status": "Processed", "datastarttm": start, "dataendtm": end})


@pytest.mark.parametrize(
    ("said", "window", "complete"),
    [
        (listed(), Bounds(), Period(EPOCH, day(20))),
        (listed("1", to_unix(day(20))), Bounds(), Period(EPOCH, day(20))),
        (listed(to_unix(day(4)), to_unix(day(9))), Bounds(), Period(day(4), day(9))),
        (listed(), Bounds(day(4), day(9)), Period(day(4), day(9))),
        (listed(), Bounds(day(4) + timedelta(milliseconds=500)), Period(day(4) + timedelta(seconds=1), day(20))),
        (listed("soon", None), Bounds(), Period(EPOCH, day(20))),
    ],
    ids=["nothing said", "as asked", "cut by the exchange", "cut by the key", "a second cut in two", "no times"],
)
def test_only_what_nobody_cut_off_is_complete(said: Listed, window: Bounds, complete: Period) -> None:
    assert _covered(Period(EPOCH, day(20)), said, window) == complete


def test_fewer_rows_than_the_exchange_counts_are_an_error_after_the_last_row() -> None:
    rows = [{"id": "L1"}, {"id": "L2"}]
    assert list(_at_least(2, iter(rows))) == rows
    passed: list[object] = []
    with pytest.raises(ReportFailed, match="2 rows where the exchange counts 3"):
        passed.extend(_at_least(3, iter(rows)))


def test_an_empty_history_has_an_empty_report() -> None:
    assert list(_at_least(0, iter([]))) == []
