"""What a report was made from: digests of content, settings and versions. No clock, no number of any database."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import date
from hashlib import sha256

from portfolio_sync import __version__
from portfolio_sync.core.amount import shortest
from portfolio_sync.core.instant import EPOCH, iso
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.core.price import Price
from portfolio_sync.normalize.own_transfers import NO_MARKS, Marks
from portfolio_sync.normalize.rules import VERSION
from portfolio_sync.normalize.transactions import Transaction
from portfolio_sync.report.table import cell
from portfolio_sync.tax.profile import Profile


class Digest:
    """Of a set of lines in any order: the sum of their SHA-256 digests, modulo 2**256."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.total += int.from_bytes(sha256(line.encode()).digest(), "big")

    def passed(self, ledger: Iterable[LedgerRow]) -> Iterator[LedgerRow]:
        """Rows on their way to where they are used, added as they pass: a million of them is read once."""
        time, clock = EPOCH, iso(EPOCH)
        for row in ledger:
            if row.time != time:  # the legs of a trade share it
                time, clock = row.time, iso(row.time)
            self.total += int.from_bytes(sha256(ledger_line(row, clock).encode()).digest(), "big")
            yield row

    def hexdigest(self) -> str:
        return f"{self.total % 2**256:064x}"


def digest(lines: Iterable[str]) -> str:
    found = Digest()
    found.add(lines)
    return found.hexdigest()


def input_digest(
    ledger: Iterable[LedgerRow], transactions: Iterable[tuple[str, Transaction]] = (), marks: Marks = NO_MARKS
) -> str:
    """What all figures rest on; transactions come with the name of their account, ``marks`` by account and ledger row."""
    found = Digest()
    deque(found.passed(ledger), 0)
    found.add(beside(transactions, marks))
    return found.hexdigest()


def beside(transactions: Iterable[tuple[str, Transaction]], marks: Marks) -> Iterator[str]:
    """The lines of an input digest that are not of the ledger."""
    yield from (transaction_line(*one) for one in transactions)
    yield from ("\x1f".join(("mark", *row, *known)) for row, known in marks.items())


def ledger_line(row: LedgerRow, clock: str) -> str:
    """What of a row has a say in a figure; not how a file or the API spells it. ``clock``: its time as text."""
    return "\x1f".join((
        "ledger", row.account, row.id, row.refid, clock, row.type, row.subtype, row.symbol, shortest(row.amount), shortest(row.fee),
    ))  # fmt: skip


def transaction_line(account: str, transaction: Transaction) -> str:
    values = (getattr(transaction, field.name) for field in fields(Transaction))
    return "\x1f".join(
        (
            "transaction",
            account,
            *(cell(tuple(f"{lot}:{n}" for lot, n in v) if isinstance(v, tuple) else v) for v in values),
        )
    )


def prices_digest(prices: Iterable[Price]) -> str:
    return digest("\x1f".join((p.symbol, p.currency, iso(p.time), shortest(p.rate), p.source)) for p in prices)


def manifest(
    settings: Mapping[str, object], profile: Profile, inputs: str, prices: Iterable[Price], files: Mapping[str, str]
) -> str:
    """JSON with sorted keys. ``settings``: what was asked for (taxpayer, accounts, year, method, standing orders, ...)."""
    content = {
        "format": 1,
        "program": {"name": "portfolio-sync", "version": __version__, "rules": VERSION},
        "input_digest": inputs,
        "prices_digest": prices_digest(prices),
        "settings": dict(settings),
        "profile": {field.name: plain_json(getattr(profile, field.name)) for field in fields(Profile)},
        "files": dict(files),
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def plain_json(value: object) -> object:
    if isinstance(value, tuple):
        return [plain_json(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value
