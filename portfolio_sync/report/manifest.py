"""What a report was made from: digests of content, settings and versions. No clock, no number of any database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from hashlib import sha256
from itertools import repeat

from portfolio_sync import __version__
from portfolio_sync.core.amount import shortest, shortest_of
from portfolio_sync.core.instant import iso
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
    found.add(ledger_lines(list(ledger)))
    found.add(beside(transactions, marks))
    return found.hexdigest()


def beside(transactions: Iterable[tuple[str, Transaction]], marks: Marks) -> Iterator[str]:
    """The lines of an input digest that are not of the ledger."""
    yield from (transaction_line(*one) for one in transactions)
    yield from ("\x1f".join(("mark", *row, *known)) for row, known in marks.items())


def ledger_lines(rows: Sequence[LedgerRow]) -> Iterator[str]:
    """What of each row has a say in a figure; not how a file or the API spells it."""
    clocks = {time: iso(time) for time in {row.time for row in rows}}  # the legs of a trade share it
    amounts, fees = ([getattr(row, name) for row in rows] for name in ("amount", "fee"))
    return map("\x1f".join, zip(
        repeat("ledger"), [row.account for row in rows], [row.id for row in rows], [row.refid for row in rows],
        [clocks[row.time] for row in rows], [row.type for row in rows], [row.subtype for row in rows],
        [row.symbol for row in rows], shortest_of(amounts), shortest_of(fees),
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
