"""What a report was made from: digests of content, settings and versions. No clock, no number of any database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from hashlib import sha256
from itertools import chain

from portfolio_sync import __version__
from portfolio_sync.core.amount import shortest
from portfolio_sync.core.instant import iso
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.core.price import Price
from portfolio_sync.normalize.own_transfers import NO_MARKS, Marks
from portfolio_sync.normalize.rules import VERSION
from portfolio_sync.normalize.transactions import Transaction
from portfolio_sync.report.table import cell
from portfolio_sync.tax.profile import Profile


def digest(lines: Iterable[str]) -> str:
    """Of a set of lines in any order: the sum of their SHA-256 digests, modulo 2**256."""
    total = sum(int.from_bytes(sha256(line.encode()).digest(), "big") for line in lines)
    return f"{total % 2**256:064x}"


def input_digest(
    ledger: Iterable[LedgerRow], transactions: Iterable[tuple[str, Transaction]] = (), marks: Marks = NO_MARKS
) -> str:
    """What all figures rest on; transactions come with the name of their account, ``marks`` by account and ledger row."""
    stated = (transaction_line(*one) for one in transactions)
    hashes = ("\x1f".join(("mark", *row, *known)) for row, known in marks.items())
    return digest(chain(map(ledger_line, ledger), stated, hashes))


def ledger_line(row: LedgerRow) -> str:
    """What of a row has a say in a figure; not how a file or the API spells it."""
    return "\x1f".join((
        "ledger", row.account, row.id, row.refid, iso(row.time), row.type, row.subtype, row.symbol, shortest(row.amount), shortest(row.fee),
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
