"""The file of an export report: a ZIP with one CSV or TSV, whose columns, names and quotes changed with the years.

Source: headers and cells as recorded in files of each generation.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import islice

from portfolio_sync.sandbox.account import Account, Entry, Json
from portfolio_sync.sandbox.catalogue import ASSETS, PAIRS, PRICE_SCALE, TOKENIZED, usd

LAST_UNQUOTED = 5
"""Numbers stand in quotes in the files of 2026 (generation 6)."""
DISPLAY_NAMES_FROM = 5
"""Files say BTC and EUR where older ones say XXBT and ZEUR."""

LEDGER_HEADERS = {
    1: "txid,refid,time,type,aclass,asset,amount,fee,balance",
    2: "txid,refid,time,type,subtype,aclass,asset,amount,fee,balance",
    3: "txid,refid,time,type,subtype,aclass,asset,wallet,amount,fee,balance",
    4: "txid,refid,time,type,subtype,aclass,asset,wallet,amount,fee,balance,amountusd",
    5: "txid,refid,time,type,subtype,aclass,subclass,asset,wallet,amount,fee,balance",
    6: "txid,refid,time,type,subtype,aclass,subclass,asset,wallet,amount,fee,balance,amountusd,feeusd,balanceusd,feecurrency",
}
"""Columns by generation: to September 2020, from October 2020, mid 2024, a variant of it, 2025, 2026."""
TRADE_HEADER = "txid,ordertxid,pair,time,type,ordertype,price,cost,fee,vol,margin,misc,ledgers"
LATER_TRADE_HEADER = TRADE_HEADER + ",postxid,posstatus,cprice,ccost,cfee,cvol,cmargin,net,trades"
NUMBERS = frozenset(
    (
        "amount",
        "fee",
        "balance",
        "amountusd",
        "feeusd",
        "balanceusd",
        "price",
        "cost",
        "vol",
        "margin",
        "cprice",
        "ccost",
        "cfee",
        "cvol",
        "cmargin",
        "net",
    )
)
SEPARATORS = {"CSV": ",", "TSV": "\t"}


def header(kind: str, generation: int) -> tuple[str, ...]:
    """The columns of a ``ledgers`` or ``trades`` file."""
    trades = LATER_TRADE_HEADER if generation >= 2 else TRADE_HEADER
    return tuple((LEDGER_HEADERS[generation] if kind == "ledgers" else trades).split(","))


@dataclass(frozen=True, slots=True)
class Sheet:
    """What to print. Rows with ``begin <= time <= end`` (unix seconds); ``pending_rows`` as in ``Exports``."""

    kind: str
    format: str
    columns: tuple[str, ...]
    begin: Decimal
    end: Decimal
    generation: int = 6
    display_names: bool = True
    pending_rows: bool = False


def archive(account: Account, sheet: Sheet) -> bytes:
    """The ZIP with ``ledgers.csv`` or the like, oldest row first."""
    rows = account.ledgers if sheet.kind == "ledgers" else account.trades
    cells = _ledger_cells if sheet.kind == "ledgers" else _trade_cells
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle,
        bundle.open(f"{sheet.kind}.{sheet.format.lower()}", "w") as raw,
    ):
        lines = _lines(rows, cells, sheet)
        while block := "".join(islice(lines, 1000)):
            raw.write(block.encode())
    return packed.getvalue()


def _lines(rows: list[Entry], cells: Callable[[Entry, Sheet], Json], sheet: Sheet) -> Iterator[str]:
    bare = NUMBERS if sheet.generation <= LAST_UNQUOTED else frozenset[str]()
    yield SEPARATORS[sheet.format].join(f'"{name}"' for name in sheet.columns) + "\n"
    template = (
        SEPARATORS[sheet.format].join(f"%({name})s" if name in bare else f'"%({name})s"' for name in sheet.columns)
        + "\n"
    )
    blank = {name: '""' if name in bare else "" for name in sheet.columns}
    unsettled = {"txid": "", "balance": '""' if bare else ""}
    for row in rows:
        if sheet.begin <= row.at <= sheet.end:
            found = blank | cells(row, sheet)
            if sheet.pending_rows and row.fields["type"] in ("deposit", "withdrawal"):
                yield template % (found | unsettled)
            yield template % found


def _ledger_cells(row: Entry, sheet: Sheet) -> Json:
    code, second = row.fields["asset"], int(row.at)
    cells = {"wallet": "spot / main"} | row.fields
    cells["txid"], cells["time"], cells["subclass"] = row.id, _clock(second), _subclass(code, sheet.generation)
    if sheet.generation >= DISPLAY_NAMES_FROM and sheet.display_names:
        cells["asset"] = display(code)
    if "amountusd" in sheet.columns and code in ASSETS:
        price = usd(code, second)
        for name in ("amount", "fee", "balance"):
            cells[f"{name}usd"] = _dollars(row.fields[name], price)
        cells["feecurrency"] = cells["asset"]
    return cells


def _trade_cells(row: Entry, sheet: Sheet) -> Json:
    fields = row.fields
    fraction = f".{f'{row.at:f}'.partition('.')[2][:4].ljust(4, '0')}"
    cells = fields | {
        "txid": row.id,
        "time": _clock(int(row.at)) + fraction,
        "ledgers": ",".join(fields.get("ledgers", ())),
    }
    if sheet.generation >= DISPLAY_NAMES_FROM and sheet.display_names and fields["pair"] in PAIRS:
        pair = PAIRS[fields["pair"]]
        cells["pair"] = f"{display(pair.base)}/{display(pair.quote)}"
    return cells


def _clock(second: int) -> str:
    return str(datetime.fromtimestamp(second, UTC))[:19]


@cache
def display(code: str) -> str:
    """The name that new files and the website use: ``XXBT`` is BTC, ``XBT.M`` is BTC.M."""
    name = ASSETS[code].altname if code in ASSETS else code
    stem, dot, suffix = name.partition(".")
    return {"XBT": "BTC", "XDG": "DOGE"}.get(stem, stem) + dot + suffix


@cache
def _subclass(code: str, generation: int) -> str:
    if code in ASSETS and ASSETS[code].aclass == TOKENIZED:
        return "tokenized_asset"
    stem = display(code).partition(".")[0]
    if stem in ("EUR", "USD", "GBP", "CHF"):
        return "fiat"
    if generation < 6:
        return "crypto"
    return "stable_coin" if stem in ("USDT", "USDC") else "cryptocurrency"


def _dollars(amount: str, price: int) -> str:
    """``price`` as ``usd`` gives it; four decimals, half up."""
    whole, _, decimals = amount.partition(".")
    scale = PRICE_SCALE * 10 ** len(decimals)
    worth = (abs(int(whole + decimals)) * price * 10**4 * 2 + scale) // (2 * scale)
    return f"{'-' if amount[0] == '-' and worth else ''}{worth // 10**4}.{worth % 10**4:04}"
