"""One ZIP of a report and of the rows that it was made from: what an accountant or an office is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from portfolio_sync.core.amount import shortest
from portfolio_sync.report.bundle import README, raw_tables, write_bundle
from portfolio_sync.report.toml import profile_toml
from portfolio_sync.store import read, transactions
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import reading
from portfolio_sync.tasks.books import Books, ledger


def bundled(engine: Engine, books: Books, folder: Path, files: Iterable[str], path: Path) -> None:
    """One ZIP of the report in ``folder`` and the rows it was made from."""
    texts = {
        "README.txt": README.format(
            taxpayer=books.subject.taxpayer, title=books.profile.title, year=books.year_label, digest=books.digest
        ),
        "profile.toml": profile_toml(books.profile),
    }
    with reading(engine) as connection:
        ids = [account.id for account in books.subject.accounts]
        rows = (row for id_ in ids for row in ledger(connection, id_, books.seq))
        trades = (row for id_ in ids for row in read.trade_rows(connection, id_, upto_seq=books.seq))
        stated = transaction_rows(connection, books.subject.accounts, books.seq)
        write_bundle(path, folder, files, raw_tables(rows, trades, TRANSACTION_COLUMNS, stated), texts)


def transaction_rows(
    connection: Connection, accounts: Sequence[StoredAccount], seq: int
) -> Iterator[Mapping[str, Any]]:
    """Imported transactions as they stood, with the name of their account."""
    for account in accounts:
        for found in transactions.transactions(connection, account.id, upto_seq=seq):
            said = {name: getattr(found, name) for name in transactions.FIELDS}
            lots = tuple(f"{lot}:{shortest(amount)}" for lot, amount in found.lots)
            yield said | {"account": account.name, "kind": found.kind.value, "lots": lots}


TRANSACTION_COLUMNS = ("account", *transactions.FIELDS)
