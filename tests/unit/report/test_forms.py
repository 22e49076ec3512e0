from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from portfolio_sync.report.forms import us_forms
from portfolio_sync.tax.profile import Profile, with_settings
from portfolio_sync.tax.profiles import US
from portfolio_sync.tax.result import Disposal


def disposal(proceeds: str | None, cost: str | None, sold: date, term: str = "short", acquired: date = date(2024, 2, 3), kind: str = "sell", wallet: str = "main", *, here: bool = True) -> Disposal:  # fmt: skip
    money = [None if text is None else Decimal(text) for text in (proceeds, cost)]
    gain = None if money[0] is None or money[1] is None else money[0] - money[1]
    instants = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in (acquired, sold)]
    return Disposal(
        "D1", str(sold.year), kind, "BTC", Decimal("0.50"), instants[0], instants[1], money[0], money[1], gain, term, "fifo", "", None,
        "main", wallet, ("L1",), ("L2",), "own leg", acquired, sold, here,
    )  # fmt: skip


def lines(*rows: Disposal, profile: Profile = US) -> list[list[str]]:
    return list(us_forms(rows, profile)[0].lines())


def test_each_line_is_rounded_and_totals_are_sums_of_printed_lines() -> None:
    rows = [disposal("10.005", "3.3333", date(2024, 5, 6)), disposal("10.005", "13.3333", date(2024, 5, 6))]
    form, schedule = us_forms(rows, US)
    assert list(form.lines()) == [
        ["C", "0.5 BTC", "02/03/2024", "05/06/2024", "10.01", "3.33", "", "", "6.68"],
        ["C", "0.5 BTC", "02/03/2024", "05/06/2024", "10.01", "13.33", "", "", "-3.32"],
    ]
    assert list(schedule.lines()) == [["3", "C", "20.02", "16.66", "0.00", "3.36"]]


@pytest.mark.parametrize(
    ("row", "settings", "box", "line"),
    [
        (disposal("1", "1", date(2024, 12, 31)), {}, "C", "3"),
        (disposal("1", "1", date(2024, 12, 31), "long"), {}, "F", "10"),
        (disposal("1", "1", date(2025, 1, 1)), {}, "H", "2"),
        (disposal("1", "1", date(2025, 1, 1), "long"), {}, "K", "9"),
        (disposal("1", "1", date(2025, 1, 1)), {"form_1099_da": "false"}, "I", "3"),
        (disposal("1", "1", date(2025, 1, 1), "long"), {"form_1099_da": "false"}, "L", "10"),
        (disposal("1", "1", date(2025, 1, 1), wallet="ledger-nano"), {}, "I", "3"),
        (disposal("1", "1", date(2026, 3, 1), acquired=date(2026, 1, 1)), {}, "G", "1b"),
        (disposal("1", "1", date(2027, 3, 1), "long", acquired=date(2026, 1, 1)), {}, "J", "8b"),
        (disposal("1", "1", date(2026, 3, 1), acquired=date(2026, 1, 1), here=False), {}, "H", "2"),
        (disposal("1", "1", date(2026, 3, 1), acquired=date(2025, 12, 31)), {}, "H", "2"),
    ],
)
def test_boxes_and_their_lines_of_schedule_d(row: Disposal, settings: dict[str, str], box: str, line: str) -> None:
    form, schedule = us_forms([row], with_settings(US, settings))
    assert [cells[0] for cells in form.lines()] == [box]
    assert [cells[:2] for cells in schedule.lines()] == [[line, box]]


def test_an_unknown_cost_stays_blank() -> None:
    (cells,) = lines(disposal("10", None, date(2025, 5, 6)))
    assert cells[4:] == ["10.00", "", "", "", ""]


def test_gifts_and_losses_without_gain_are_not_on_the_form() -> None:
    assert not lines(
        disposal("10", "10", date(2025, 5, 6), kind="gift_out"), disposal("10", "10", date(2025, 5, 6), kind="lost")
    )
    assert len(lines(disposal("10", "10", date(2025, 5, 6)))) == 1
