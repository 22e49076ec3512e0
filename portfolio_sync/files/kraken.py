"""Kraken's ledgers and trades exports of all years, as columns of the raw tables.

Columns are found by name, so each generation of the files (9 to 16 columns) and those to come read alike; what has no
column of its own is kept in ``extra``. Source: kraken-api notes 4.9, "Exports".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import itemgetter
from typing import Any

from portfolio_sync.errors import InputFileError
from portfolio_sync.files.fee_sign import with_true_fees
from portfolio_sync.files.sheet import Sheet
from portfolio_sync.kraken.assets import Assets

Row = dict[str, Any]

LEDGERS, TRADES = "ledgers", "trades"
NEEDED = {
    LEDGERS: ("txid", "refid", "time", "type", "asset", "amount", "fee", "balance"),
    TRADES: ("txid", "ordertxid", "pair", "time", "type", "ordertype", "price", "cost", "fee", "vol"),
}
PENDING = "no id: not booked yet; the booked row stands in the file too"
UNBALANCED = "no balance: not booked yet"
# 1e5 is a number that a spreadsheet wrote; more digits of an exponent would be a trap for the memory
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d{1,2})?", re.ASCII)
PLAIN = "-.0123456789"
A_NUMBER = "a number such as -1234.5678"
TIME = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?)(?: ?(?:Z|UTC))?", re.ASCII)
SYMBOLS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that is no row of the account, and why. ``id`` may be empty."""

    line: int
    id: str
    reason: str


def kind_of(header: Sequence[str]) -> str | None:
    """``ledgers``, ``trades``, or None for a file that is neither."""
    names = set(header)
    return next((kind for kind, needed in NEEDED.items() if names.issuperset(needed)), None)


def rows(
    sheet: Sheet, assets: Assets, source: str, note: Callable[[str], None] = lambda _: None
) -> Iterator[Row | Skipped]:
    """The rows of a sheet: columns of ``raw_ledger`` or ``raw_trade``, as a sync has them; ``source``: ``file`` or ``export``.

    ``note`` is told what was put right in the whole file. Raises InputFileError naming file, line and column.
    """
    kind = kind_of(sheet.header)
    if kind is None:
        raise InputFileError(f"{sheet.name}: {not_ours(sheet.header)}")
    if kind == TRADES:
        return _read(sheet, _trade_maker(sheet.header, assets, source))
    found = _read(sheet, _ledger_maker(sheet.header, assets, source))
    return with_true_fees(found, lambda words: note(f"{sheet.name}: {words}"))


def not_ours(header: Sequence[str]) -> str:
    """What to say of a file that is neither."""
    found = ", ".join(name for name in header[:12] if name)
    return (
        f"neither a ledgers nor a trades export of Kraken: its columns are {found[:200]!r}; "
        f"a ledgers file has {','.join(NEEDED[LEDGERS])}, a trades file {','.join(NEEDED[TRADES])}"
    )


def _read(sheet: Sheet, make: Callable[[list[str], int], Row | Skipped]) -> Iterator[Row | Skipped]:
    for line, cells in sheet.rows:
        cells.append("")  # where the columns lie that this file has not
        try:
            row = make(cells, line)
        except ValueError as error:
            raise InputFileError(f"{sheet.name}, line {line}: {_named(error, sheet.header, cells)}") from None
        yield row


def _named(error: ValueError, header: Sequence[str], cells: Sequence[str]) -> str:
    """The column is looked for only now: naming it for each cell would cost every row."""
    column = next((name for name, cell in zip(header, cells, strict=False) if cell == error.args[0]), "a column")
    return f"{column} is {error.args[0]!r}, not {error.args[1]}"


def _ledger_maker(header: Sequence[str], assets: Assets, source: str) -> Callable[[list[str], int], Row | Skipped]:
    cells_of, extra_of = _columns(header, (*NEEDED[LEDGERS], "subtype", "aclass", "wallet"))
    symbol_of = lru_cache(SYMBOLS_KEPT)(assets.symbol)

    @lru_cache(SYMBOLS_KEPT)
    def wallet_of(named: str, code: str) -> str:
        return named.strip().lower() or assets.wallet(code)

    def make(cells: list[str], line: int) -> Row | Skipped:
        row_id, refid, time, type_, asset, amount, fee, balance, subtype, aclass, wallet = cells_of(cells)
        if not row_id:
            return Skipped(line, "", PENDING)
        if not balance:
            return Skipped(line, row_id, UNBALANCED)
        if not asset:
            raise ValueError(asset, "the name of an asset")
        return {
            "id": row_id,
            "refid": refid,
            "time": instant(time),
            "time_text": time,
            "type": type_,
            "subtype": subtype,
            "aclass": aclass,
            "asset": asset,
            "symbol": symbol_of(asset),
            "wallet": wallet_of(wallet, asset),
            "amount": number(amount),
            "fee": common_number(fee or "0"),
            "balance": number(balance),
            "source": source,
            "extra": extra_of(cells),
        }

    return make


def _trade_maker(header: Sequence[str], assets: Assets, source: str) -> Callable[[list[str], int], Row | Skipped]:
    cells_of, extra_of = _columns(header, (*NEEDED[TRADES], "margin", "misc", "ledgers", "postxid", "maker"))
    pair_of = lru_cache(SYMBOLS_KEPT)(assets.pair)

    def make(cells: list[str], line: int) -> Row | Skipped:
        (
            row_id, order, pair, time, side, order_type, price, cost, fee, volume, margin, misc, ledgers, position, maker,
        ) = cells_of(cells)  # fmt: skip
        if not row_id:
            return Skipped(line, "", PENDING)
        base, quote = pair_of(pair)
        return {
            "id": row_id,
            "order_id": order,
            "position_id": position,
            "time": instant(time),
            "time_text": time,
            "pair": pair,
            "base": base,
            "quote": quote,
            "side": side,
            "order_type": order_type,
            "price": number(price),
            "cost": number(cost),
            "fee": number(fee or "0"),
            "volume": number(volume),
            "margin": common_number(margin or "0"),
            "misc": misc,
            "maker": TRUTH.get(maker.lower()),
            "ledgers": [part for each in ledgers.split(",") if (part := each.strip())],
            "source": source,
            "extra": extra_of(cells),
        }

    return make


TRUTH: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}


def _columns(
    header: Sequence[str], known: Sequence[str]
) -> tuple[Callable[[list[str]], tuple[str, ...]], Callable[[list[str]], dict[str, str]]]:
    """Two functions of a row's cells, behind which stands an empty one: the known columns in order, and what else is filled."""
    at = {name: place for place, name in enumerate(header)}
    nowhere = len(header)
    others = [place for place, name in enumerate(header) if name not in known]
    names = [header[place] or f"column {place + 1}" for place in others]
    other_cells = itemgetter(*others, nowhere, nowhere)  # of one column alone it would give no tuple

    def extra_of(cells: list[str]) -> dict[str, str]:
        found = other_cells(cells)
        return {name: cell for name, cell in zip(names, found, strict=False) if cell} if any(found) else {}

    return itemgetter(*(at.get(name, nowhere) for name in known)), extra_of


def number(text: str) -> Decimal:
    """A plain decimal. Raises ValueError(text, what is wanted)."""
    if text.strip(PLAIN) and not NUMBER.fullmatch(text):
        raise ValueError(text, A_NUMBER)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text, A_NUMBER) from None


common_number = lru_cache(SYMBOLS_KEPT)(number)
"""For columns that hold the same number in most rows."""


@lru_cache(SYMBOLS_KEPT)
def instant(text: str) -> datetime:
    """``2024-05-01 12:00:00``, UTC, with or without a fraction. Raises ValueError(text, what is wanted)."""
    if found := TIME.fullmatch(text):
        with suppress(ValueError):  # the 31st of April
            return datetime.fromisoformat(f"{found[1]}+00:00")
    raise ValueError(text, "a time such as 2024-05-01 12:00:00 (UTC)")
