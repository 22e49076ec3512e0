"""Official forms. Every printed line is rounded to cents, and totals are sums of printed lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from operator import attrgetter, itemgetter

from portfolio_sync.core.amount import minus, plain, shortest
from portfolio_sync.report.table import Column, Table
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.result import Disposal
from portfolio_sync.tax.summary import AT_COST

CENT = Decimal("0.01")

# Form 8949 box by (digital-asset boxes exist, basis reported on a 1099, 1099 received) for short and long term, and the
# line of Schedule D that its total goes to. Boxes G-L exist from tax year 2025 on.
BOXES = {
    "C": "3", "F": "10",  # before 2025: no 1099-B
    "G": "1b", "H": "2", "I": "3",  # short: 1099-DA with basis, without basis, none
    "J": "8b", "K": "9", "L": "10",  # long, likewise
}  # fmt: skip
NO_FORM, WITH_BASIS, WITHOUT_BASIS = (
    {"short": "I", "long": "L"},
    {"short": "G", "long": "J"},
    {"short": "H", "long": "K"},
)
BEFORE_2025 = {"short": "C", "long": "F"}
BASIS_REPORTED_FROM = date(2026, 1, 1)


@dataclass(slots=True)  # not frozen: as core.event
class Line8949:
    """One printed line; money is rounded, None where a cost is not known."""

    box: str
    description: str
    date_acquired: str
    date_sold: str
    proceeds: Decimal | None
    cost_basis: Decimal | None
    code: str
    adjustment: Decimal | None
    gain: Decimal | None


def cents(number: Decimal | None) -> Decimal | None:
    return None if number is None else number.quantize(CENT, ROUND_HALF_UP)


@lru_cache(maxsize=8192)
def us_date(day: date | None) -> str:
    """``VARIOUS``: the instructions' word for units of several dates."""
    return f"{day.month:02}/{day.day:02}/{day.year}" if day else "VARIOUS"


def box(row: Disposal, profile: Profile) -> str:
    """Which box: from 2025 on Kraken reports sales on Form 1099-DA, and from 2026 on the basis of what was bought there then."""
    if row.disposed_on.year < 2025:
        return BEFORE_2025[row.term]
    if not profile.form_1099_da or row.wallet != row.account:
        return NO_FORM[row.term]
    return (
        WITH_BASIS
        if row.bought_in_place and row.acquired_on and row.acquired_on >= BASIS_REPORTED_FROM
        else WITHOUT_BASIS
    )[row.term]


def on_form(rows: Iterable[Disposal], profile: Profile) -> dict[str, list[Disposal]]:
    """By box, each box in order of sale. What left without gain or loss by rule is not on the form."""
    found: dict[str, list[Disposal]] = defaultdict(list)
    for row in rows:
        if row.kind not in AT_COST or row.gain:
            found[box(row, profile)].append(row)
    return dict(sorted(found.items()))


def lines_8949(shown: Mapping[str, Iterable[Disposal]]) -> Iterator[Line8949]:
    """A line each, as it is asked for: those of a long history are not held beside its disposals."""
    return (line_8949(name, row) for name, rows in shown.items() for row in rows)


def line_8949(its_box: str, row: Disposal) -> Line8949:
    proceeds, cost, gain = money_8949(row)
    return Line8949(
        its_box, f"{shortest(row.quantity)} {row.asset}", us_date(row.acquired_on), us_date(row.disposed_on),
        proceeds, cost, "", None, gain,
    )  # fmt: skip


def money_8949(row: Disposal) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Proceeds, cost and gain as a line prints them."""
    proceeds, cost = cents(row.proceeds), cents(row.cost)
    return proceeds, cost, minus(proceeds, cost)


def column(name: str) -> Column:
    """Money with both decimals, unlike the canonical files: as text, so that nothing shortens it."""
    if name in MONEY:
        money = attrgetter(name)
        return name, lambda line: None if (number := money(line)) is None else plain(number)
    return name, attrgetter(name)


MONEY = ("proceeds", "cost_basis", "adjustment", "gain")
SCHEDULE_D = ("line", "box", *MONEY)
FORM_8949 = ("box", "description", "date_acquired", "date_sold", "proceeds", "cost_basis", "code", "adjustment", "gain")


def us_forms(rows: Iterable[Disposal], profile: Profile) -> list[Table]:
    shown = on_form(rows, profile)
    return [
        Table("form_8949.csv", tuple(map(column, FORM_8949)), lines_8949(shown)),
        Table(
            "schedule_d.csv",
            tuple((name, itemgetter(place)) for place, name in enumerate(SCHEDULE_D)),
            [totals(name, found) for name, found in shown.items()],
        ),
    ]


def totals(its_box: str, rows: Iterable[Disposal]) -> tuple[str, ...]:
    """Sums of the printed lines, of those whose cost is known for the gain. No line has an adjustment."""
    columns = zip(*map(money_8949, rows), strict=True)
    proceeds, cost, gain = (plain(sum(filter(None, column), CENT - CENT)) for column in columns)
    return BOXES[its_box], its_box, proceeds, cost, plain(CENT - CENT), gain


FORMS: dict[str, Callable[[Iterable[Disposal], Profile], list[Table]]] = {"us": us_forms}
