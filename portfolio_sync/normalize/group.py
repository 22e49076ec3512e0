"""Rows that one cause booked together.

A refid is neither unique nor always meaningful: Earn rows of 2024 all say ``Unknown``, some exports leave it empty.
Such rows are never grouped by it. What has to be paired is paired by a rule instead: opposite units of one holding at
one moment; for a conversion the one thing that went and the one that came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter

from portfolio_sync.core.asset import holding
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.rules import STANDARD, Rule, Rules, Treatment

MEANINGLESS = frozenset({"", "Unknown"})
# Legs of a fill lie under a millisecond apart, those of a conversion 10 ms; files have whole seconds, sweeps have many rows.
NEAR = timedelta(seconds=5)
# The two rows of a conversion may have nothing but the time in common; what else happens so near makes it doubtful.
SAME_CONVERSION = timedelta(minutes=1)
BY_TIME = attrgetter("time")
Key = tuple[str, ...]


@dataclass(slots=True)
class Group:
    """Rows of one cause in order of time, and the rule of its first row.

    ``paired``: opposite rows that a rule found, not a refid. ``by_time``: a conversion whose rows only the time joins.
    """

    rule: Rule
    rows: list[LedgerRow] = field(default_factory=list)
    paired: bool = False
    by_time: bool = False


def group(rows: Iterable[LedgerRow], rules: Rules = STANDARD) -> list[Group]:
    """Groups in order of their first row. Rows of one time keep the order in which they come."""
    groups: list[Group] = []
    causes: dict[Key, Group] = {}
    halves: dict[Key, list[Group]] = defaultdict(list)
    known: dict[tuple[str, str], Rule] = {}
    for row in sorted(rows, key=BY_TIME):
        kind = row.type, row.subtype
        rule = known.get(kind) or known.setdefault(kind, rules.rule_for(*kind))
        treatment = rule.treatment
        if treatment in BY_REFID and row.refid not in MEANINGLESS:
            cause = row.account, rule.name, row.refid
            found = causes.get(cause)
            if found is None or not (treatment is Treatment.FUNDING or row.time - found.rows[-1].time <= NEAR):
                found = causes[cause] = Group(rule)
                groups.append(found)
            found.rows.append(row)
        elif treatment in BY_FIGURES and (half := half_of(row, rule)):
            if not joined(halves[half], row):
                groups.append(Group(rule, [row]))
                halves[half].append(groups[-1])
        else:
            groups.append(Group(rule, [row]))
    return with_conversions(groups)


BY_REFID = frozenset({
    Treatment.EXCHANGE, Treatment.CONVERSION, Treatment.MARGIN, Treatment.INTERNAL,
    Treatment.FUNDING,  # at any distance: a reversal may come days later
})  # fmt: skip
BY_FIGURES = frozenset({Treatment.REWARD, Treatment.UNEXPLAINED, Treatment.FUNDING})


def half_of(row: LedgerRow, rule: Rule) -> Key | None:
    """What a row may be one half of. What says that it is a reward, or is charged for as one, is no half of a move."""
    alone = not row.amount or (rule.treatment is not Treatment.FUNDING and (row.fee or row.subtype))
    return None if alone else (row.account, rule.name, holding(row.symbol), str(abs(row.amount).normalize()))


def joined(waiting: list[Group], row: LedgerRow) -> bool:
    """Whether the row was put to an opposite one that waits; forgets those that waited too long."""
    waiting[:] = [each for each in waiting if row.time - each.rows[0].time <= NEAR]
    for place, each in enumerate(waiting):
        first = each.rows[0]
        if first.amount == -row.amount and first.fee == -row.fee:
            each.rows.append(row)
            each.paired = True
            del waiting[place]
            return True
    return False


def with_conversions(groups: list[Group]) -> list[Group]:
    """Halves of conversions that lie near each other in time become one group: a doubtful one where they are not just two."""
    halves: dict[tuple[str, str, str], list[Group]] = defaultdict(list)
    for each in groups:
        if each.rule.treatment is Treatment.CONVERSION and is_half(each):
            halves[each.rows[0].account, each.rule.type, each.rule.name].append(each)
    merged: set[int] = set()
    for waiting in halves.values():
        first = waiting[0]
        for each in waiting[1:]:
            if each.rows[0].time - first.rows[-1].time > SAME_CONVERSION:
                first = each
                continue
            first.rows += each.rows
            first.by_time = True
            merged.add(id(each))
    return [each for each in groups if id(each) not in merged] if merged else groups


def is_half(found: Group) -> bool:
    return len({row.amount > 0 for row in found.rows if row.amount}) < 2
