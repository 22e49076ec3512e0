"""Rows that one cause booked together: same refid at (nearly) one time.

A refid is neither unique nor always meaningful: Earn rows of 2024 all say ``Unknown``, some exports leave it empty.
Such rows are never grouped by it; opposite Earn rows of one holding, amount and moment are paired instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter

from portfolio_sync.core.asset import holding
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.rules import Rule, Treatment, rule_for

MEANINGLESS = frozenset({"", "Unknown"})
# Legs of a fill lie under a millisecond apart, those of a conversion 10 ms; files have whole seconds, sweeps have many rows.
NEAR = timedelta(seconds=5)
BY_TIME = attrgetter("time")


@dataclass(slots=True)
class Group:
    """Rows of one cause in order of time, and the rule of its first row."""

    rule: Rule
    rows: list[LedgerRow] = field(default_factory=list)
    paired: bool = False


def group(rows: Iterable[LedgerRow]) -> list[Group]:
    """Groups in order of their first row. Rows of one time keep the order in which they come."""
    groups: list[Group] = []
    open_: dict[tuple[str, ...], Group] = {}
    rules: dict[tuple[str, str], Rule] = {}
    for row in sorted(rows, key=BY_TIME):
        kind = row.type, row.subtype
        rule = rules.get(kind) or rules.setdefault(kind, rule_for(*kind))
        key = key_of(row, rule)
        found = open_.get(key) if key else None
        if found is None or not fits(found, row):
            found = Group(rule)
            groups.append(found)
            if key:
                open_[key] = found
        found.rows.append(row)
        found.paired = rule.treatment is Treatment.REWARD and len(found.rows) > 1
    return groups


def key_of(row: LedgerRow, rule: Rule) -> tuple[str, ...] | None:
    """Rows with equal keys may belong together; None stands alone."""
    if rule.treatment is Treatment.REWARD:
        return (
            (row.account, "pair", holding(row.symbol), str(abs(row.amount).normalize()))
            if not row.fee and not row.subtype
            else None
        )
    if rule.treatment not in (Treatment.EXCHANGE, Treatment.FUNDING) or row.refid in MEANINGLESS:
        return None
    return row.account, rule.name, row.refid


def fits(found: Group, row: LedgerRow) -> bool:
    if found.rule.treatment is Treatment.FUNDING:
        return True  # a reversal may come days later
    last = found.rows[-1]
    if row.time - last.time > NEAR:
        return False
    return found.rule.treatment is Treatment.EXCHANGE or (len(found.rows) == 1 and last.amount == -row.amount)
