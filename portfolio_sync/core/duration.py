"""Lengths of time as people write them: ``90s``, ``15m``, ``1h``, ``14d``."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """Raises ValueError for anything that is not a whole number and one of s, m, h, d."""
    match = re.fullmatch(r"\s*(\d+)\s*([smhd])\s*", text)
    if not match:
        raise ValueError(f"{text!r} is not a duration such as 90s, 15m, 1h or 14d")
    number, unit = match.groups()
    return timedelta(**{UNITS[unit]: int(number)})


def spelled(length: timedelta) -> str:
    """``1 day``, ``12 hours``: in the longest unit that it is a whole number of."""
    for unit in reversed(UNITS.values()):
        number, rest = divmod(length, timedelta(**{unit: 1}))
        if number and not rest:
            return f"{number} {unit if number > 1 else unit.removesuffix('s')}"
    return str(length)
