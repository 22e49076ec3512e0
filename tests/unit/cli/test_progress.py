"""What is said of a stream while it is read."""

from __future__ import annotations

from portfolio_sync.cli.progress import figures


def test_rows_of_several_parts_are_not_measured_by_the_count_of_the_last() -> None:
    assert figures(1000, 1, 31, None) == "1,000 rows, 31 calls"
    assert figures(1000, 12431, 31, None) == "1,000 of 12,431 rows, 31 calls"
