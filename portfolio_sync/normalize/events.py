"""Groups of ledger rows become events, or findings; the counts of both add up to the rows that came in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import localcontext
from operator import attrgetter

from portfolio_sync.core.amount import EXACT
from portfolio_sync.core.event import Event, Kind
from portfolio_sync.core.finding import Finding
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.group import Group, group
from portfolio_sync.normalize.treatments import TREATMENTS, Outcome, problem


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
    """``events`` in order of time, those without effect included; one finding for all rows of an unknown (type, subtype)."""

    events: tuple[Event, ...]
    findings: tuple[Finding, ...]
    counts: Counts


def normalize(rows: Iterable[LedgerRow]) -> Normalized:
    """Classifies every row, of any number of accounts. Rows of one instant are taken in the order in which they come."""
    outcomes: list[Outcome] = []
    unknown: dict[tuple[str, str, str], list[LedgerRow]] = defaultdict(list)
    with localcontext(EXACT):
        for found in group(rows):
            if found.rule.treatment in TREATMENTS:
                outcomes += read(found)
            else:
                unknown[found.rows[0].account, found.rule.type, found.rule.subtypes[0]] += found.rows
    outcomes += [unclassified(rows_) for _, rows_ in sorted(unknown.items())]
    events = sorted((o for o in outcomes if isinstance(o, Event)), key=attrgetter("time"))
    findings = tuple(o for o in outcomes if isinstance(o, Finding))
    return Normalized(tuple(events), findings, counts(events, findings))


def read(found: Group) -> Iterable[Outcome]:
    """One group that cannot be read must not cost the others: it is named, and the rest goes on."""
    try:
        return TREATMENTS[found.rule.treatment](found)
    except ArithmeticError as error:
        return [problem(found.rows, "unreadable_rows", f"the amounts of these rows cannot be computed with: {error!r}")]


def counts(events: Sequence[Event], findings: Iterable[Finding]) -> Counts:
    no_effect = sum(len(event.source) for event in events if event.kind is Kind.INTERNAL)
    effect = sum(len(event.source) for event in events) - no_effect
    named = sum(len(finding.source) for finding in findings)
    return Counts(effect + no_effect + named, effect, no_effect, named)


def unclassified(rows: Sequence[LedgerRow]) -> Finding:
    label = "/".join(filter(None, (rows[0].type, rows[0].subtype))) or "no type"
    return problem(
        rows, "unclassified",
        f"{len(rows)} ledger row(s) of type {label} have no rule and no effect on any figure: state what they are in a transactions file",
    )  # fmt: skip
