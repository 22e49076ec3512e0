"""Import transactions that a person wrote: history from elsewhere, and what ledger rows really were."""

from __future__ import annotations

import io
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portfolio_sync.app import App
from portfolio_sync.core.event import Kind
from portfolio_sync.errors import InputFileError
from portfolio_sync.files import transactions as file
from portfolio_sync.files.sheet import open_sheets
from portfolio_sync.files.transactions import Line
from portfolio_sync.store.schema import raw_transaction
from portfolio_sync.store.transactions import booked, booked_elsewhere, row_of
from portfolio_sync.store.upsert import Upserted
from portfolio_sync.tasks.import_run import ImportRun, run_import


@dataclass(slots=True)
class ReadFile:
    """What one file held. ``about_rows``: so many of its lines speak about a ledger row of the account."""

    name: str
    lines: list[Line]
    about_rows: int = 0
    done: Upserted = field(default_factory=Upserted)

    def document(self) -> dict[str, Any]:
        return {"name": self.name, "rows": len(self.lines), "about_ledger_rows": self.about_rows} | _counts(self.done)


@dataclass(slots=True)
class ImportedTransactions:
    """One import of transactions."""

    account: str
    files: list[ReadFile]
    proof: str = "unknown"

    @property
    def done(self) -> Upserted:
        return sum((each.done for each in self.files), Upserted())

    def document(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "rows": sum(len(each.lines) for each in self.files),
            **_counts(self.done),
            "files": [each.document() for each in self.files],
            "proof": self.proof,
        }

    def lines(self) -> Iterator[str]:
        yield f"{self.account}: {self.done.new:,} new transactions, {self.done.changed:,} changed"
        for each in self.files:
            about = f", {each.about_rows:,} about ledger rows" if each.about_rows else ""
            yield (
                f"  {each.name}: {len(each.lines):,} transactions{about}: {each.done.new:,} new, "
                f"{each.done.changed:,} changed, {each.done.unchanged:,} known"
            )


def _counts(done: Upserted) -> dict[str, int]:
    return {"new": done.new, "changed": done.changed, "unchanged": done.unchanged}


def import_transactions(app: App, account: str, taxpayer: str | None, paths: Sequence[Path]) -> ImportedTransactions:
    """Import transactions CSVs: all of them, or nothing. A changed line replaces what was imported under its id before.

    Raises InputFileError naming file, line and column.
    """
    imported = ImportedTransactions(account, [read for path in paths for read in _read(path)])
    _refuse_twice(imported.files)

    def write(run: ImportRun) -> None:
        for each in imported.files:
            ids = [line.transaction.id for line in each.lines]
            _refuse_foreign(run, each, ids)
            about = booked(run.connection, run.account.id, ids)
            _refuse_circular(run.account.name, each, about)
            each.about_rows = len(about)
            each.done = run.write(raw_transaction, (row_of(line.transaction, line.place) for line in each.lines))

    imported.proof = run_import(app, account, taxpayer, write)
    return imported


def _read(path: Path) -> list[ReadFile]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read: {error.strerror}") from None
    ended = content if content.startswith(b"PK") else content + b"\n"  # people seldom end the last line
    return [ReadFile(sheet.name, file.read(sheet)) for sheet in open_sheets(io.BytesIO(ended), str(path))]


def _refuse_twice(files: Sequence[ReadFile]) -> None:
    """One id in two files of one import: which of them holds?"""
    seen: dict[str, tuple[str, int]] = {}
    for each in files:
        for line in each.lines:
            name, number = seen.setdefault(line.transaction.id, (each.name, line.line))
            if (name, number) != (each.name, line.line):
                raise InputFileError(
                    f"{each.name}, line {line.line}, column id: {line.transaction.id!r} is that of {name}, line {number}, too: "
                    "give each transaction its own"
                )


def _refuse_circular(account: str, each: ReadFile, about: Container[str]) -> None:
    """Kraken is what the account's name and an empty cell both mean, but for a ledger row: it left Kraken."""
    wrong = [
        f"line {line.line}, column to_wallet: Kraken is where it starts, too: name the other wallet, in wallet or in to_wallet"
        for line in each.lines
        if (one := line.transaction).kind is Kind.TRANSFER and one.id not in about
        and {one.wallet, one.to_wallet} <= {"", account}
    ]  # fmt: skip
    if wrong:
        raise file.refusal(each.name, wrong)


def _refuse_foreign(run: ImportRun, each: ReadFile, ids: Sequence[str]) -> None:
    """A statement about another account's ledger row would count beside it, not for it."""
    elsewhere = dict(booked_elsewhere(run.connection, run.account.id, ids))
    wrong = [
        f"line {line.line}, column id: {line.transaction.id!r} is a ledger row of account {owner}: import this line with --account {owner}"
        for line in each.lines
        if (owner := elsewhere.get(line.transaction.id))
    ]
    if wrong:
        raise file.refusal(each.name, wrong)
