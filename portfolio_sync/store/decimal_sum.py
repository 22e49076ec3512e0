"""``decimal_sum(x_exact)``: the exact sum that SQLite's shell has built in and PostgreSQL gets from a migration, for Python's SQLite."""

from __future__ import annotations

import sqlite3
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation
from typing import Any

from portfolio_sync.core.amount import plain

# Inexact raises: a sum that needed more digits would be an error, never a rounded figure.
WIDE = Context(prec=10_000, traps=[InvalidOperation, DivisionByZero, Inexact])


class DecimalSum:
    """NULLs are passed over; the sum of nothing is NULL, as ``sum`` has it. Works as a window function too."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.terms = 0

    def step(self, value: str | float | None) -> None:
        self._add(value, 1)

    def inverse(self, value: str | float | None) -> None:
        self._add(value, -1)

    def value(self) -> str | None:
        return plain(self.total) if self.terms else None

    finalize = value

    def _add(self, value: str | float | None, sign: int) -> None:
        if value is not None:
            self.total = WIDE.fma(Decimal(str(value)), sign, self.total)
            self.terms += sign


def register(connection: sqlite3.Connection) -> None:
    window_function: Any = DecimalSum
    connection.create_window_function("decimal_sum", 1, window_function)
