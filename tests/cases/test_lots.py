"""The golden cases of ordered and named lots, for which no profile but the conventions is needed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.cases import golden

NAMES = golden.names("fifo", "lifo", "hifo", "lofo", "spec_id")


@pytest.mark.parametrize("name", NAMES)
def test_golden_case(name: str) -> None:
    found = golden.case(name)
    result, want, tolerance = golden.run(found), found["expected"], Decimal(found["tolerance"])
    for part in ("disposals", "remaining", "income"):
        if part in want:
            golden.compare(getattr(golden, part)(result), golden.expected(want[part]), tolerance)


def test_a_wrong_expectation_is_noticed() -> None:
    """The comparison itself: one unit count off, a row too many."""
    found = golden.case("us-reg1012-j-ex2")
    got, want = golden.disposals(golden.run(found)), golden.expected(found["expected"]["disposals"])
    with pytest.raises(AssertionError):
        golden.compare(got, [want[0] | {"amount": want[0]["amount"] + 1}], Decimal("0.01"))
    with pytest.raises(AssertionError):
        golden.compare([*got, got[0] | {"tx": "t9"}], want, Decimal("0.01"))
