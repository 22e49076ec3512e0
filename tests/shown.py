"""Figures as one line of text, as a report prints them: ``sell 1 80 50.5 29.5 short``; ``?`` for what is not known."""

from __future__ import annotations

from portfolio_sync.report.table import cell


def shown(*values: object) -> str:
    return " ".join("?" if value is None else cell(value) for value in values)
