"""Publish closed books: the report folder, the derived tables, the events as they value them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from portfolio_sync.core.cycles import without_cycle_search
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import iso, parse_iso
from portfolio_sync.report.frame import Report, finding_id, tables
from portfolio_sync.report.manifest import manifest
from portfolio_sync.report.rows import disposal_rows, event_rows, holding_rows, income_rows, lot_rows
from portfolio_sync.report.write import write
from portfolio_sync.store import runs, schema
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.derived import EVENTS
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import is_alone
from portfolio_sync.store.write import add_report, events_shown, replace_events, replace_findings
from portfolio_sync.tasks.books import Books, events_basis


@without_cycle_search()
def write_report(
    engine: Engine, books: Books, folder: Path, settings: Mapping[str, object], extra: Sequence[Finding], now: datetime
) -> dict[str, str]:
    """The folder first, then the derived tables; returns the digest of each file. ``extra``: findings of the accounts' proofs."""
    report = report_of(books, extra)
    digests, text = write_folder(report, books.digest, folder, settings)
    _store(engine, books, {"text": text, "extra": [plain_finding(finding) for finding in extra]}, now)
    _show_events(engine, books)
    return digests


def report_of(books: Books, extra: Sequence[Finding]) -> Report:
    return Report(books.computation, books.profile, books.counts, (*books.findings, *extra), books.lookup.prices())


def write_folder(
    report: Report, inputs: str, folder: Path, settings: Mapping[str, object]
) -> tuple[dict[str, str], str]:
    """The files alone, nothing stored; returns their digests and the manifest's text."""
    text: list[str] = []

    def closing(files: Mapping[str, str]) -> str:
        text.append(manifest(settings, report.profile, inputs, report.prices, files))
        return text[0]

    digests = write(folder, tables(report), closing)
    return digests, text[0]


def plain_finding(finding: Finding) -> dict[str, Any]:
    """For the record of a run: what the proof said then cannot be computed again from the frozen input."""
    time = finding.time and iso(finding.time)
    return {name: getattr(finding, name) for name in ("severity", "code", "message", "source", "account")} | {
        "time": time
    }


def finding_of(kept: Mapping[str, Any]) -> Finding:
    time, severity = kept["time"] and parse_iso(kept["time"]), Severity(kept["severity"])
    return Finding(severity, kept["code"], kept["message"], tuple(kept["source"]), time, kept["account"])


def _store(engine: Engine, books: Books, made: Mapping[str, Any], now: datetime) -> None:
    makers = {
        schema.lot_row: lot_rows,
        schema.disposal_row: disposal_rows,
        schema.income_row: income_rows,
        schema.holding_row: holding_rows,
    }
    found = {finding_id(finding): finding for finding in (*books.findings, *books.computation.findings)}
    with writing(engine) as connection:
        add_report(
            connection,
            taxpayer=books.subject.taxpayer,
            profile=books.profile.name,
            method=books.profile.method.value,
            year=books.year_label,
            input_seq=books.seq,
            input_digest=books.digest,
            created_at=now,
            manifest=made,
            tables={table: rows(books.computation, books.profile.currency) for table, rows in makers.items()},
        )
        replace_findings(connection, f"report {books.subject.taxpayer}", found)


def _show_events(engine: Engine, books: Books) -> None:
    """Show the events as the books value them, but for accounts where a sync or an import came between: it shows its own."""
    with writing(engine) as connection:
        basis = events_basis(connection, books.profile)
        for account in sorted(books.subject.accounts, key=lambda one: one.id):
            own = [valued for valued in books.valuation.events if valued.event.account == account.name]
            if _are_shown(connection, account, books, basis, len(own)):
                continue
            if is_alone(connection, account.id) and runs.newest(connection, account.id) <= books.seq:
                replace_events(connection, account.name, event_rows(own, books.profile.currency))
                # no basis of a sync's: one account's events may hang on another's here
                EVENTS.save(connection, account.id, {"books": [books.digest, basis]})


def _are_shown(connection: Connection, account: StoredAccount, books: Books, basis: str, number: int) -> bool:
    """Whether the same books showed their events last, or a sync or an import derived the same of an account that stands alone."""
    kept = EVENTS.load(connection, account.id)
    if kept is None or kept.touched_from is not None or events_shown(connection, account.name) != number:
        return False
    by_sync = len(books.subject.accounts) == 1 and kept.state.get("basis") == basis
    return by_sync or kept.state.get("books") == [books.digest, basis]
