"""The transactions CSV: what Kraken does not know, written by a person, so each mistake is named with its line, column and cure.

Columns and their meaning: the contract (docs) and the README of the golden cases.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.event import Kind
from portfolio_sync.core.transaction import Transaction
from portfolio_sync.errors import InputFileError
from portfolio_sync.files.cells import OF_A_POSITION, READERS, Mistake, text, whole
from portfolio_sync.files.sheet import Sheet

COLUMNS = (*(field.name for field in fields(Transaction)), "seq")
NEEDED = ("id", "time", "kind", "asset")
SHOWN = 20
"""Mistakes named at once; a person corrects the file in one go."""


class Form(NamedTuple):
    """What a kind needs (``a|b``: one of them) and what else it may say. Common to all: ``COMMON``."""

    needs: str
    may: str = ""


COMMON = f"{' '.join(NEEDED)} amount value fee fee_asset fee_value wallet currency note seq"
FORMS: Mapping[Kind, Form] = {
    Kind.BUY: Form("amount value|cost|counter_amount", "acquired counter_asset"),
    Kind.SELL: Form("amount value|counter_amount", "counter_asset lots portfolio_value"),
    Kind.TRADE: Form("amount counter_asset counter_amount", "counter_value lots portfolio_value"),
    Kind.INCOME: Form("amount", "income_type cost"),
    Kind.SPEND: Form("amount", "lots portfolio_value"),
    Kind.GIFT_IN: Form("amount", "cost acquired"),
    Kind.GIFT_OUT: Form("amount", "lots portfolio_value"),
    Kind.LOST: Form("amount", "lots portfolio_value"),
    Kind.TRANSFER: Form("amount", "to_wallet lots"),
    Kind.FEE: Form("amount", "lots portfolio_value"),
    Kind.DEPOSIT: Form("amount", "cost acquired"),
    Kind.WITHDRAWAL: Form("amount", "to_wallet"),
    Kind.MARGIN: Form(""),
}
TOGETHER = (("fee", "fee_asset"), ("counter_amount", "counter_asset"))
ABOVE_ZERO = ("amount", "counter_amount")


@dataclass(frozen=True, slots=True)
class Line:
    """A transaction, where it stood, and its place among those of its time."""

    transaction: Transaction
    line: int
    place: int


def read(sheet: Sheet) -> list[Line]:
    """All lines of a file. Raises InputFileError that names every mistake by line and column, the first 20."""
    check_header(sheet)
    found, wrong, first_line = list[Line](), list[str](), dict[str, int]()
    same_time: Counter[datetime] = Counter()
    for number, cells in sheet.rows:
        try:
            said = cells_of(sheet.header, cells)
            transaction = transaction_of(said)
            refuse_twice(transaction.id, first_line)
            place = whole("seq", said["seq"]) if "seq" in said else same_time[transaction.time]
        except Mistake as mistake:
            wrong.append(f"line {number}, column {mistake.column}: {mistake}")
            continue
        same_time[transaction.time] += 1
        first_line[transaction.id] = number
        found.append(Line(transaction, number, place))
    if wrong:
        raise refusal(sheet.name, wrong)
    return found


def refuse_twice(id_: str, first_line: Mapping[str, int]) -> None:
    if id_ in first_line:
        raise Mistake("id", f"{id_!r} is that of line {first_line[id_]} too: give each transaction its own")


def refusal(name: str, wrong: list[str]) -> InputFileError:
    """Nothing was imported, and why."""
    more = [f"... and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    mistakes = "\n  ".join([*wrong[:SHOWN], *more])
    return InputFileError(f"{name}: nothing was imported:\n  {mistakes}" if len(wrong) > 1 else f"{name}, {mistakes}")


def check_header(sheet: Sheet) -> None:
    unknown = [name for name in sheet.header if name and name not in COLUMNS]
    if unknown:
        raise InputFileError(
            f"{sheet.name}, line 1: unknown column {', '.join(map(repr, unknown))}; known: {', '.join(COLUMNS)}"
        )
    if lacking := [name for name in NEEDED if name not in sheet.header]:
        raise InputFileError(
            f"{sheet.name}, line 1: no column {', '.join(map(repr, lacking))}; every transaction has one"
        )


def cells_of(header: Iterable[str], cells: Iterable[str]) -> dict[str, str]:
    """The cells that say something, by column."""
    said: dict[str, str] = {}
    for place, (name, cell) in enumerate(zip(header, cells, strict=True), 1):
        if text := cell.strip():
            if not name:
                raise Mistake(f"{place}", f"{text!r} stands under no name: name the column or clear it")
            said[name] = text
    return said


def transaction_of(said: Mapping[str, str]) -> Transaction:
    """Raises Mistake."""
    for name in NEEDED:
        if name not in said:
            raise Mistake(name, f"is empty; every transaction has {'an' if name[0] in 'aei' else 'a'} {name}")
    kind = kind_of(said["kind"])
    check_form(kind, said)
    readers = OF_A_POSITION if kind is Kind.MARGIN else READERS
    values: dict[str, Any] = {
        name: readers.get(name, text)(name, cell) for name, cell in said.items() if name not in ("kind", "seq")
    }
    for name in ABOVE_ZERO:
        if values.get(name) == 0:
            raise Mistake(name, "is zero; leave the line out, or write what moved")
    transaction = Transaction(**values, kind=kind)
    check_sense(transaction)
    return transaction


def check_form(kind: Kind, said: Mapping[str, str]) -> None:
    """What the kind needs is there, and nothing that it does not know."""
    form = FORMS[kind]
    for need in form.needs.split():
        choices = need.split("|")
        if not any(name in said for name in choices):
            others = f" (or {' or '.join(choices[1:])})" if choices[1:] else ""
            raise Mistake(choices[0], f"is empty; a {kind} needs it{others}")
    known = {name for need in (COMMON, *form) for name in re.split(r"[ |]", need)}
    for name in said:
        if name not in known:
            raise Mistake(name, f"a {kind} has none: clear the cell, or choose another kind")
    for first, second in TOGETHER:
        for here, there in ((first, second), (second, first)):
            if here in said and there not in said:
                raise Mistake(there, f"is empty, but {here} is {said[here]!r}: fill in both or none")
    if "fee_value" in said and "fee" not in said:
        raise Mistake("fee", f"is empty, but fee_value is {said['fee_value']!r}: say what was paid, and in what")


def check_sense(found: Transaction) -> None:
    """What each cell alone cannot show."""
    if found.acquired and found.acquired > found.time:
        raise Mistake("acquired", "is later than time: coins are acquired before they arrive")
    if found.kind is Kind.BUY and found.cost is not None and (found.value is not None or found.fee):
        raise Mistake("cost", "a buy has either a cost, fees included, or a value and a fee: clear one of them")
    if found.amount is not None and reduce(EXACT.add, (amount for _, amount in found.lots), ZERO) > found.amount:
        raise Mistake("lots", f"they name more units than the amount of {found.amount}")
    if found.id in dict(found.lots):
        raise Mistake("lots", f"{found.id!r} is this transaction itself: name the one that brought the coins")
    if found.asset == found.counter_asset:
        raise Mistake("counter_asset", f"is {found.asset} like asset: nothing is exchanged for itself")
    if found.fee_asset == found.currency != "" and found.fee_value not in (None, found.fee):
        raise Mistake("fee_value", f"is {found.fee_value} {found.currency}, but fee is {found.fee}: clear one of them")
    if found.kind is Kind.TRANSFER and found.wallet == found.to_wallet != "":
        raise Mistake("to_wallet", f"is {found.to_wallet!r} like wallet: a transfer goes from one wallet to another")


def kind_of(cell: str) -> Kind:
    with suppress(ValueError):
        if (kind := Kind(cell.lower())) in FORMS:
            return kind
    raise Mistake("kind", f"{cell!r} is none; one of {', '.join(FORMS)}")
