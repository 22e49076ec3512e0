"""The canonical files of a report, in the columns of the contract. Pure: figures in, tables out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from portfolio_sync.core.event import Event, Kind, content_id
from portfolio_sync.core.finding import Finding
from portfolio_sync.core.price import Price
from portfolio_sync.normalize.events import Counts
from portfolio_sync.report.forms import FORMS
from portfolio_sync.report.table import Cell, Column, Table
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.result import Computation, SummaryLine, Task, lot_id

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report folder is made of. ``findings``: those of normalisation, valuation and verification."""

    computation: Computation
    profile: Profile
    counts: Counts
    findings: Sequence[Finding]
    prices: Sequence[Price]


def named(names: str, **others: Cell) -> tuple[Column, ...]:
    """Columns in order; each reads the attribute of its name, unless ``others`` says how it reads."""
    return tuple((name, others.get(name) or attrgetter(name)) for name in names.split())


def constant(value: object) -> Cell:
    return lambda _row: value


def tables(report: Report) -> list[Table]:
    """Every CSV of the folder, the profile's forms included."""
    computed, currency = report.computation, constant(report.profile.currency)
    lot = attrgetter("origin")
    return [
        Table("disposals.csv", named(
            "id tax_year kind asset quantity acquired_at disposed_at proceeds cost gain currency term rule matched_date denied_loss "
            "account wallet acquired_id disposed_id price_source",
            currency=currency, acquired_id=attrgetter("acquired_ids"), disposed_id=attrgetter("disposed_ids"),
            acquired_at=lambda r: r.acquired_on if r.by_day else r.acquired_at, disposed_at=lambda r: r.disposed_on if r.by_day else r.disposed_at,
        ), computed.disposals),
        Table("income.csv", named(
            "id tax_year time income_type asset quantity value currency account source_id price_source",
            currency=currency, source_id=attrgetter("ids"),
        ), computed.income),
        Table("open_lots.csv", named(
            "id asset quantity acquired_at cost currency account wallet acquired_id",
            id=lot_id, asset=lambda r: lot(r).asset, currency=currency,
            account=lambda r: lot(r).account, acquired_id=lambda r: lot(r).ids,
        ), computed.lots),
        Table("holdings.csv", named("asset wallet quantity cost price value unrealised currency", currency=currency), computed.holdings),
        Table("summary.csv", named("item asset amount currency"), [*row_counts(report.counts), *computed.summary]),
        Table("findings.csv", named(
            "id severity code message source_id time", id=finding_id, source_id=attrgetter("source"), severity=lambda f: f.severity.value,
        ), in_order(report)),
        Table("worklist.csv", WORKLIST, computed.worklist),
        Table("prices.csv", named("symbol currency time rate source"), report.prices),
        *(table for name in report.profile.forms for table in FORMS[name](computed.disposals, report.profile)),
    ]  # fmt: skip


def in_order(report: Report) -> list[Finding]:
    found = {finding_id(finding): finding for finding in (*report.findings, *report.computation.findings)}
    return sorted(found.values(), key=lambda f: (f.time or LONG_AGO, f.code, f.source, f.message))


def finding_id(finding: Finding) -> str:
    return content_id("F", finding.account or "", finding.code, *finding.source, finding.message)


def row_counts(counts: Counts) -> Iterator[SummaryLine]:
    for item, number in (
        ("ledger_rows", counts.ledger_rows), ("ledger_rows_event", counts.event),
        ("ledger_rows_no_effect", counts.no_effect), ("ledger_rows_finding", counts.finding),
    ):  # fmt: skip
        yield SummaryLine(item, "", Decimal(number), "")


# --- the worklist: in the words of the transactions CSV ----------------------------------------------------------------


def event_of(task: Task) -> Event:
    return task.valued.event


def side(task: Task, place: int) -> Any:
    """The leg that ``asset`` (0) or ``counter_asset`` (1) speaks of: coins bought, else what was given, come first.

    A position on margin has no other side, and where only its fee was booked that is what the line is about.
    """
    event = event_of(task)
    legs = sorted(event.legs, key=lambda leg: leg.number, reverse=event.kind is Kind.BUY) or list(event.fees[:1])
    if event.kind is Kind.MARGIN:
        legs = legs[:1]
    return legs[place] if place < len(legs) else None


def units(task: Task, place: int) -> Decimal | None:
    leg = side(task, place)
    return None if leg is None else abs(leg.number)


def fee(task: Task) -> Any:
    return next(iter(event_of(task).fees), None)


def row_id(task: Task) -> str:
    leg = side(task, 0)
    return str(leg.ids[0] if leg else event_of(task).source[0])


KNOWN: dict[str, Cell] = {
    "id": row_id,
    "time": lambda task: event_of(task).time,
    "kind": lambda task: event_of(task).kind.value,
    "asset": lambda task: side(task, 0) and side(task, 0).asset,
    "amount": lambda task: units(task, 0),
    "counter_asset": lambda task: side(task, 1) and side(task, 1).asset,
    "counter_amount": lambda task: units(task, 1),
    "fee": lambda task: fee(task) and fee(task).number,
    "fee_asset": lambda task: fee(task) and fee(task).asset,
    "wallet": lambda task: event_of(task).wallet,
    "income_type": lambda task: event_of(task).facts.income_type,
    "note": attrgetter("note"),
}
TRANSACTION_COLUMNS = (
    "id time kind asset amount value counter_asset counter_amount counter_value fee fee_asset fee_value wallet to_wallet income_type "
    "cost acquired lots portfolio_value currency note"
)
WORKLIST = tuple((name, KNOWN.get(name, constant(None))) for name in TRANSACTION_COLUMNS.split())


def frame_of(name: str, found: Iterable[Table]) -> Table:
    """The table of a file name, for example to call ``to_frame`` on."""
    return next(table for table in found if table.name == name)
