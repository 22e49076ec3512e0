"""Import transactions that a person wrote: history from elsewhere, and what ledger rows really were."""

from __future__ import annotations

import io
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from portfolio_sync.app import App
from portfolio_sync.core.event import Kind
from portfolio_sync.errors import InputFileError
from portfolio_sync.files import transactions as file
from portfolio_sync.files.sheet import open_sheets
from portfolio_sync.files.transactions import Line
from portfolio_sync.store.accounts import get
from portfolio_sync.store.engine import reading
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
    """One import of transactions. ``others``: lines about ledger rows of the taxpayer's other accounts."""

    account: str
    files: list[ReadFile]
    proof: str = "unknown"
    others: list[ImportedTransactions] = field(default_factory=list)

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
            "others": [other.document() for other in self.others],
        }

    def lines(self) -> Iterator[str]:
        yield f"{self.account}: {self.done.new:,} new transactions, {self.done.changed:,} changed"
        for each in self.files:
            about = f", {each.about_rows:,} about ledger rows" if each.about_rows else ""
            yield (
                f"  {each.name}: {len(each.lines):,} transactions{about}: {each.done.new:,} new, "
                f"{each.done.changed:,} changed, {each.done.unchanged:,} known"
            )
        for other in self.others:
            yield from other.lines()


def _counts(done: Upserted) -> dict[str, int]:
    return {"new": done.new, "changed": done.changed, "unchanged": done.unchanged}


def import_transactions(app: App, account: str, taxpayer: str | None, paths: Sequence[Path]) -> ImportedTransactions:
    """Import transactions CSVs: all of them, or nothing. A changed line replaces what was imported under its id before.

    A line about a ledger row of another account of the taxpayer goes there: one worklist speaks of all accounts.
    Raises InputFileError naming file, line and column.
    """
    files = [read for path in paths for read in _read(path)]
    _refuse_twice(files)
    imported, *others = parts = list(_by_account(app, account, files))
    proofs = run_import(app, taxpayer, {part.account: _writer(part.files) for part in parts})
    for part in parts:
        part.proof = proofs[part.account]
    imported.others = others
    return imported


def _by_account(app: App, account: str, files: Sequence[ReadFile]) -> Iterator[ImportedTransactions]:
    """The account that was named first, with all lines that are no other's."""
    ids = [line.transaction.id for each in files for line in each.lines]
    with reading(app.writable_engine) as connection:
        stored = get(connection, account)
        owners = dict(booked_elsewhere(connection, stored.id, ids)) if stored else {}
        here = booked(connection, stored.id, owners) if stored else {}
    owner = {name: whose for name, whose in owners.items() if name not in here}
    for name in (account, *sorted(set(owner.values()))):
        parts = [
            replace(each, lines=[one for one in each.lines if owner.get(one.transaction.id, account) == name])
            for each in files
        ]
        yield ImportedTransactions(name, [part for part in parts if part.lines or name == account])


def _writer(files: Sequence[ReadFile]) -> Callable[[ImportRun], None]:
    def write(run: ImportRun) -> None:
        for each in files:
            ids = [line.transaction.id for line in each.lines]
            about = booked(run.connection, run.account.id, ids)
            _refuse_foreign(run, each, [name for name in ids if name not in about])
            _refuse_circular(run.account.name, each, about)
            each.about_rows = len(about)
            each.done = run.write(raw_transaction, (row_of(line.transaction, line.place) for line in each.lines))

    return write


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
