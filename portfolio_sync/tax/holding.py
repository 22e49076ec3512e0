"""Short or long: how long units were held, by local dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

from portfolio_sync.tax.profile import TermRule

DAY = timedelta(days=1)


def long_from(acquired: date) -> date:
    """The first day on which a sale is long term: the day after the anniversary of the acquisition.

    The period starts the day after acquisition and includes the day of sale (IRC 1222). Bought on the last day of a
    month: long from the first day of the thirteenth month after (Rev. Rul. 66-7), so 2023-02-28 -> 2024-03-01.
    """
    start = acquired + DAY
    return date(start.year + 1, start.month, 1) if start.day == 1 else anniversary(acquired) + DAY


def anniversary(day: date) -> date:
    """The day of the same number a year on; 28 February where there is none."""
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def after_anniversary(acquired: date) -> date:
    """The year ends with the day of the same number, or the last of its month where there is none (BGB 187, 188)."""
    return anniversary(acquired) + DAY


TERMS: dict[TermRule, Callable[[date], date]] = {
    TermRule.ANNIVERSARY: long_from,
    TermRule.CALENDAR: after_anniversary,
    TermRule.DAYS365: lambda acquired: acquired + timedelta(days=365),
}


@lru_cache(maxsize=20_000)  # the days of a lifetime: a long history asks for each of them many times
def first_long_day(rule: TermRule, acquired: date) -> date:
    return TERMS[rule](acquired)


def term(acquired: date, disposed: date, rule: TermRule) -> str:
    """``DAYS365`` takes instants as well as days."""
    return "long" if disposed >= first_long_day(rule, acquired) else "short"
