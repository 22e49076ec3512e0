"""Every published case, by its own conventions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.law import published


@pytest.mark.parametrize("name", published.NAMES)
def test_published_case(name: str) -> None:
    published.holds(name)


def test_a_wrong_expectation_is_noticed() -> None:
    """The comparison itself: one unit count off, a row too many, a total off."""
    found = published.case("us-reg1012-j-ex2")
    result, cent = published.run(found), Decimal("0.01")
    got, want = published.disposals(result), published.expected(found["expected"]["disposals"])
    published.compare(got, want, cent)
    with pytest.raises(AssertionError):
        published.compare(got, [want[0] | {"amount": want[0]["amount"] + 1}], cent)
    with pytest.raises(AssertionError):
        published.compare([*got, got[0] | {"tx": "t9"}], want, cent)
    with pytest.raises(AssertionError):
        published.compare_totals(result, {"net_gain": "1e9"}, cent)
