"""Groups of ledger rows become events, or findings; the counts of both add up to the rows that came in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import localcontext
from operator import attrgetter

from portfolio_sync.core.amount import EXACT
from portfolio_sync.core.event import Event, Kind
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.group import Group, group
from portfolio_sync.normalize.outcome import problem
from portfolio_sync.normalize.overrides import Outcome, Stated, Statements, overridden
from portfolio_sync.normalize.places import came_back
from portfolio_sync.normalize.rules import STANDARD, Rules
from portfolio_sync.normalize.treatments import TREATMENTS


@dataclass(frozen=True, slots=True)
class Counts:
    """How the ledger rows ended; the last three add up to the first."""

    ledger_rows: int = 0
    event: int = 0
    no_effect: int = 0
    finding: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.ledger_rows + other.ledger_rows, self.event + other.event,
            self.no_effect + other.no_effect, self.finding + other.finding,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Normalized:
    """``events`` in order of time, those without effect included; one finding for all rows of an unknown (type, subtype).

    ``hints``: event id -> what a person should know who states its cost.
    """

    events: tuple[Event, ...]
    findings: tuple[Finding, ...]
    counts: Counts
    hints: Mapping[str, str] = field(default_factory=dict)


def normalize(rows: Iterable[LedgerRow], transactions: Iterable[Stated] = (), rules: Rules = STANDARD) -> Normalized:
    """Classifies every row, of any number of accounts; imported ``transactions`` speak about a row, or stand for themselves.

    What comes at one instant is taken in the order in which it is given, ledger rows first.
    """
    statements, outcomes = Statements(transactions), list[Outcome]()
    with localcontext(EXACT):
        for found in used_up(group(rows, rules)):
            told = statements.of(found)
            outcomes += overridden(found, told, read, statements.notes) if told else read(found)
        events = [outcome for outcome in outcomes if isinstance(outcome, Event)]
        findings = [outcome for outcome in outcomes if isinstance(outcome, Finding)]
        findings += unclassified(outcome for outcome in outcomes if isinstance(outcome, Group))
        counted = counts(events, findings)
        free = statements.free()
        everything, notes = came_back(sorted([*events, *free], key=attrgetter("time")), statements.parts)
    return Normalized(tuple(everything), (*findings, *notes, *statements.notes), counted)


def used_up(groups: list[Group]) -> Iterator[Group]:
    """Each group in order, and gone from the list: a long history does not fit in memory as rows and as events."""
    groups.reverse()
    while groups:
        yield groups.pop()


def read(found: Group) -> Sequence[Outcome]:
    """One group that cannot be read must not cost the others: it is named, and the rest goes on. Without a rule: the group."""
    if found.rule.treatment not in TREATMENTS:
        return [found]
    try:
        return list(TREATMENTS[found.rule.treatment](found))
    except ArithmeticError as error:
        return [problem(found.rows, "unreadable_rows", f"the amounts of these rows cannot be computed with: {error!r}")]


def counts(events: Sequence[Event], findings: Iterable[Finding]) -> Counts:
    """A finding that is no error is said beside an event and stands for no row."""
    no_effect = sum(len(event.source) for event in events if event.kind is Kind.INTERNAL)
    effect = sum(len(event.source) for event in events) - no_effect
    named = sum(len(finding.source) for finding in findings if finding.severity is Severity.ERROR)
    return Counts(effect + no_effect + named, effect, no_effect, named)


def unclassified(groups: Iterable[Group]) -> Iterator[Finding]:
    """One finding for all rows of an account that have one type and subtype."""
    unknown: dict[tuple[str, str, str], list[LedgerRow]] = defaultdict(list)
    for found in groups:
        unknown[found.rows[0].account, found.rule.type, found.rule.subtypes[0]] += found.rows
    for _, rows in sorted(unknown.items()):
        label = "/".join(filter(None, (rows[0].type, rows[0].subtype))) or "no type"
        yield problem(
            rows, "unclassified",
            f"{len(rows)} ledger row(s) of type {label} have no rule and no effect on any figure: state what they are in a transactions file",
        )  # fmt: skip
