"""A beancount 3 ledger: every transaction balances to the last digit, by what was given and received, without any price of ours.

Coins are held without cost: lots and gains are the report's, and a cost that is not known is nowhere stated. A trade says what
was given for what (``1 BTC @@ 100 USD``), so that beancount's own booking can be tried on the file.
Source: the language's syntax (beancount.github.io/docs), checked with ``bean-check`` 3.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from portfolio_sync.core.amount import shortest
from portfolio_sync.core.event import Event, Kind, Leg
from portfolio_sync.pricing.value import Valued
from portfolio_sync.report.exports.material import Material
from portfolio_sync.tax.movements import EXTERNAL

# The other side of what comes or goes, by kind.
OTHER_SIDE = {
    Kind.SPEND: "Expenses:Spent",
    Kind.FEE: "Expenses:Fees",
    Kind.LOST: "Expenses:Lost",
    Kind.GIFT_OUT: "Equity:Gifts",
    Kind.GIFT_IN: "Equity:Gifts",
    Kind.DEPOSIT: "Equity:Transfers",
    Kind.MARGIN: "Income:Margin",
}
FEES, CONVERSIONS = "Expenses:Fees", "Equity:Conversions"
SWAPS = frozenset({Kind.BUY, Kind.SELL, Kind.TRADE})
MOVES = frozenset({Kind.WITHDRAWAL, Kind.TRANSFER})


class Posting(NamedTuple):
    """``total``: what all of it was given for, ``None`` where it stands for itself."""

    account: str
    number: Decimal
    asset: str
    total: tuple[Decimal, str] | None = None


def lines(material: Material) -> Iterator[str]:
    found = [(valued.event, posted) for valued in material.events if (posted := postings(valued, material.currency))]
    yield f'option "title" "Kraken, by portfolio-sync"\noption "operating_currency" "{commodity(material.currency)}"\n\n'
    yield from opened(found)
    for event, posted in found:
        yield f'\n{event.time:%Y-%m-%d} * "{event.kind.value}" {quoted(";".join(event.source))}\n'
        yield f"  id: {quoted(event.id)}\n  time: {quoted(f'{event.time:%H:%M:%S}')}\n"
        yield from (line(posting) for posting in posted)


def postings(valued: Valued, currency: str) -> list[Posting]:
    event = valued.event
    if event.kind is Kind.INTERNAL:
        return []
    own = holding_account(event, event.wallet)
    found = list(legs(valued, own, currency))
    for fee in event.fees:
        found += [Posting(own, -fee.number, fee.asset), Posting(FEES, fee.number, fee.asset)]
    return [posting for posting in found if posting.number]


def legs(valued: Valued, own: str, currency: str) -> Iterator[Posting]:
    event = valued.event
    if event.kind in SWAPS:
        yield from swap(event.given, event.received, own)
        return
    for leg, worth in zip(event.legs, valued.legs, strict=True):
        if event.kind in MOVES:
            yield Posting(own, leg.number, leg.asset)
            yield Posting(target(event), -leg.number, leg.asset)
        elif event.kind is Kind.INCOME:
            priced = worth.money is not None and leg.asset != currency
            money = (worth.money, currency) if priced and worth.money is not None else (leg.number, leg.asset)
            yield Posting(own, leg.number, leg.asset, money if priced else None)
            yield Posting(f"Income:{part(event.facts.income_type or 'other')}", -money[0], money[1])
        else:
            yield Posting(own, leg.number, leg.asset)
            yield Posting(OTHER_SIDE[event.kind], -leg.number, leg.asset)


def swap(given: Sequence[Leg], received: Sequence[Leg], own: str) -> Iterator[Posting]:
    """One for one: what is received bears what was given as its price. Else both go through an account of conversions."""
    if len(given) == len(received) == 1:
        (gone,), (come,) = given, received
        yield Posting(own, come.number, come.asset, (-gone.number, gone.asset))
        yield Posting(own, gone.number, gone.asset)
        return
    for leg in (*given, *received):
        yield Posting(own, leg.number, leg.asset)
        yield Posting(CONVERSIONS, -leg.number, leg.asset)


def holding_account(event: Event, wallet: str) -> str:
    name = wallet or event.account
    return f"Assets:Kraken:{part(name)}" if name == event.account else f"Assets:Wallets:{part(name)}"


def target(event: Event) -> str:
    """Where coins of a withdrawal lie is not known, but that they are ours."""
    if event.kind is Kind.WITHDRAWAL:
        return f"Assets:External:{part(event.account)}"
    to = event.to_wallet or event.account
    return (
        f"Assets:External:{part(to.removeprefix(EXTERNAL))}" if to.startswith(EXTERNAL) else holding_account(event, to)
    )


def opened(found: Sequence[tuple[Event, list[Posting]]]) -> Iterator[str]:
    """Each account on the day it is first used, and the names of commodities that had to be changed."""
    first: dict[str, date] = {}
    names: dict[str, str] = {}
    for event, posted in found:
        for posting in posted:
            first[posting.account] = min(first.get(posting.account, date.max), event.time.date())
            names.setdefault(posting.asset, commodity(posting.asset))
    for account, day in sorted(first.items()):
        yield f"{day} open {account}\n"
    for asset, name in sorted(names.items()):
        if asset != name:
            yield f"{min(first.values())} commodity {name}\n  name: {quoted(asset)}\n"


def line(posting: Posting) -> str:
    total = f" @@ {shortest(posting.total[0])} {commodity(posting.total[1])}" if posting.total else ""
    return f"  {posting.account}  {shortest(posting.number)} {commodity(posting.asset)}{total}\n"


def commodity(asset: str) -> str:
    """Capital letters, digits and ``'._-``, a letter first and a letter or digit last, 24 at most."""
    name = re.sub(r"[^A-Z0-9'._-]", "-", asset.upper())
    name = name if name[:1].isalpha() else f"X{name}"
    return re.sub(r"[^A-Z0-9]+$", "", name[:24])


def part(name: str) -> str:
    """One part of an account's name: letters, digits and dashes, a capital or digit first."""
    clean = re.sub(r"[^A-Za-z0-9-]", "-", name).lstrip("-")
    return clean[:1].upper() + clean[1:] or "X"


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
