"""Import what people download: Kraken's ledgers and trades files, merged by id with what the API gave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from portfolio_sync.app import App
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.errors import InputFileError, UsageError
from portfolio_sync.files import kraken
from portfolio_sync.files.kraken import Skipped
from portfolio_sync.files.sheet import Sheet, open_sheets
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.report.frame import finding_id
from portfolio_sync.store.schema import finding_row, raw_ledger, raw_trade
from portfolio_sync.store.upsert import Conflict, Upserted
from portfolio_sync.store.write import replace_findings
from portfolio_sync.sync.reference import stored_assets
from portfolio_sync.tasks.import_run import ImportRun, run_import

AUTO, KRAKEN, TRANSACTIONS = "auto", "kraken", "transactions"
TABLES: Mapping[str, Table] = {kraken.LEDGERS: raw_ledger, kraken.TRADES: raw_trade}
SHOWN = 20
"""Conflicts printed one by one; all of them are in the view ``finding``."""


@dataclass(slots=True)
class ReadSheet:
    """What one sheet held. ``rows``: those with an id, new or not; ``skipped``: reason -> lines."""

    name: str
    kind: str
    rows: int = 0
    skipped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    done: Upserted = field(default_factory=Upserted)

    def document(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "rows": self.rows, "skipped": dict(self.skipped)} | _counts(
            self.done
        )

    def lines(self) -> Iterator[str]:
        done = self.done
        yield (
            f"  {self.name}: {self.rows:,} rows of {self.kind}: {done.new:,} new, {done.changed:,} changed, "
            f"{done.confirmed:,} completed, {done.unchanged:,} known"
        )
        for reason, lines in self.skipped.items():
            more = f" and {len(lines) - 5:,} more" if len(lines) > 5 else ""
            yield f"    {len(lines):,} skipped, {reason} (lines {', '.join(map(str, lines[:5]))}{more})"


@dataclass(slots=True)
class Imported:
    """One import of Kraken's files."""

    account: str
    sheets: list[ReadSheet] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    conflicts: list[Finding] = field(default_factory=list)
    proof: str = "unknown"

    @property
    def needs_person(self) -> bool:
        return bool(self.conflicts)

    @property
    def done(self) -> Upserted:
        return sum((sheet.done for sheet in self.sheets), Upserted())

    def document(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "rows": sum(sheet.rows for sheet in self.sheets),
            "skipped": sum(len(lines) for sheet in self.sheets for lines in sheet.skipped.values()),
            **_counts(self.done),
            "conflicts": [{"id": finding.source[0], "message": finding.message} for finding in self.conflicts],
            "notes": self.notes,
            "sheets": [sheet.document() for sheet in self.sheets],
            "proof": self.proof,
        }

    def lines(self) -> Iterator[str]:
        done = self.done
        yield f"{self.account}: {done.new:,} new rows, {done.changed:,} changed, proof: {self.proof}"
        for sheet in self.sheets:
            yield from sheet.lines()
        yield from (f"  {note}" for note in self.notes)
        yield from (f"  conflict: {finding.message}" for finding in self.conflicts[:SHOWN])
        if len(self.conflicts) > SHOWN:
            yield f"  ... and {len(self.conflicts) - SHOWN:,} more conflicts: see the view finding"


def _counts(done: Upserted) -> dict[str, int]:
    return {"new": done.new, "changed": done.changed, "confirmed": done.confirmed, "unchanged": done.unchanged}


def format_of(paths: Sequence[Path]) -> str:
    """``kraken`` or ``transactions``, by the headers. Raises InputFileError for a file that is neither, UsageError for both."""
    found = {}
    for path in paths:
        for sheet in _sheets(path):
            ours = {"time", "kind", "asset"} <= set(sheet.header)
            if not ours and kraken.kind_of(sheet.header) is None:
                raise InputFileError(f"{sheet.name}: {kraken.not_ours(sheet.header)}")
            found[TRANSACTIONS if ours else KRAKEN] = path
    if len(found) > 1:
        raise UsageError(
            f"{found[KRAKEN]} is an export of Kraken, {found[TRANSACTIONS]} a transactions CSV: import them one after the other"
        )
    return next(iter(found))


def import_kraken(app: App, account: str, taxpayer: str | None, paths: Sequence[Path]) -> Imported:
    """Import ledgers and trades files: all of them, or nothing. Raises InputFileError naming file and line."""
    for path in paths:
        for sheet in _sheets(path):  # a wrong file is named before anything is created
            if kraken.kind_of(sheet.header) is None:
                raise InputFileError(f"{sheet.name}: {kraken.not_ours(sheet.header)}")
    assets = stored_assets(app.writable_engine)
    imported = Imported(account)

    def write(run: ImportRun) -> None:
        book = _Conflicts(run.connection, run.account.name)
        for path in paths:
            for sheet in _sheets(path):
                _write(run, sheet, assets, imported, book)
        book.keep(imported.conflicts)

    imported.proof = run_import(app, taxpayer, {account: write})[account]
    return imported


def _sheets(path: Path) -> Iterator[Sheet]:
    with ExitStack() as closing:
        try:
            file = closing.enter_context(path.open("rb"))
        except OSError as error:
            raise InputFileError(f"{path}: cannot be read: {error.strerror}") from None
        yield from open_sheets(file, str(path))


def _write(run: ImportRun, sheet: Sheet, assets: Assets, imported: Imported, book: _Conflicts) -> None:
    kind = kraken.kind_of(sheet.header)
    assert kind is not None  # looked at before
    read = ReadSheet(sheet.name, kind)
    imported.sheets.append(read)
    found = kraken.rows(sheet, assets, "file", imported.notes.append)
    read.done = run.write(TABLES[kind], book.watched(_counted(found, read)), kind)
    imported.conflicts += [_finding(conflict, sheet.name, run.account.name) for conflict in read.done.conflicts]


def _counted(found: Iterable[kraken.Row | Skipped], read: ReadSheet) -> Iterator[kraken.Row]:
    for row in found:
        if isinstance(row, Skipped):
            read.skipped[row.reason].append(row.line)
        else:
            read.rows += 1
            yield row


def _finding(conflict: Conflict, name: str, account: str) -> Finding:
    return Finding(
        Severity.WARNING,
        "import_conflict",
        f"{conflict.row_id}, {conflict.field}: {name} says {conflict.incoming!r}, the API said {conflict.stored!r}; the API's was kept. "
        "Compare it at Kraken: was the file edited?",
        (conflict.row_id,),
        account=account,
    )


class _Conflicts:
    """The findings of an account's imports: one of an earlier import stands until a file speaks of its row again."""

    def __init__(self, connection: Connection, account: str) -> None:
        self.connection, self.scope = connection, f"import {account}"
        f = finding_row.c
        query = select(f.account, f.severity, f.code, f.message, f.source_id, f.time).where(f.scope == self.scope)
        self.earlier = [
            Finding(Severity(row.severity), row.code, row.message, (row.source_id,), row.time, row.account)
            for row in connection.execute(query)
        ]
        self.spoken: set[str] = set()

    def watched(self, rows: Iterable[kraken.Row]) -> Iterable[kraken.Row]:
        """The rows as they are; those that an earlier finding is about are remembered."""
        ids = {finding.source[0] for finding in self.earlier}
        return self._watched(rows, ids) if ids else rows

    def _watched(self, rows: Iterable[kraken.Row], ids: set[str]) -> Iterator[kraken.Row]:
        for row in rows:
            if row["id"] in ids:
                self.spoken.add(row["id"])
            yield row

    def keep(self, now: Iterable[Finding]) -> None:
        standing = (finding for finding in self.earlier if finding.source[0] not in self.spoken)
        replace_findings(self.connection, self.scope, {finding_id(f): f for f in (*standing, *now)})
