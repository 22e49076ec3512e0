"""The golden cases of ordered and named lots, for which no profile but the conventions is needed."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import golden

NAMES = golden.names("fifo", "lifo", "hifo", "lofo", "spec_id")


@pytest.mark.parametrize("name", NAMES)
def test_golden_case(name: str) -> None:
    found = golden.case(name)
    result, want, tolerance = golden.run(found), found["expected"], Decimal(found["tolerance"])
    for part in ("disposals", "remaining", "income"):
        if part in want:
            golden.compare(getattr(golden, part)(result), golden.expected(want[part]), tolerance)
