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
        for line in _lines(rows, cells, sheet):
            raw.write(line.encode())
    return packed.getvalue()


def _lines(rows: list[Entry], cells: Callable[[Entry, Sheet], Json], sheet: Sheet) -> Iterator[str]:
    split, bare = SEPARATORS[sheet.format], NUMBERS if sheet.generation <= LAST_UNQUOTED else frozenset[str]()
    yield split.join(f'"{name}"' for name in sheet.columns) + "\n"
    for row in rows:
        if sheet.begin <= row.at <= sheet.end:
            found = cells(row, sheet)
            if sheet.pending_rows and row.fields["type"] in ("deposit", "withdrawal"):
                yield _line(found | {"txid": "", "balance": ""}, sheet.columns, split, bare)
            yield _line(found, sheet.columns, split, bare)


def _line(cells: Json, names: tuple[str, ...], split: str, bare: frozenset[str]) -> str:
    values = ((name, str(cells.get(name, ""))) for name in names)
    return split.join(value if name in bare and value else f'"{value}"' for name, value in values) + "\n"


def _ledger_cells(row: Entry, sheet: Sheet) -> Json:
    code = row.fields["asset"]
    cells = row.fields | {"txid": row.id, "time": f"{datetime.fromtimestamp(int(row.at), UTC):%Y-%m-%d %H:%M:%S}"}
    cells["wallet"] = row.fields.get("wallet", "spot / main")
    cells["subclass"] = _subclass(code, sheet.generation)
    if sheet.generation >= DISPLAY_NAMES_FROM and sheet.display_names:
        cells["asset"] = display(code)
    if "amountusd" in sheet.columns:
        worth = {name: _dollars(code, row.fields[name], int(row.at)) for name in ("amount", "fee", "balance")}
        cells |= {f"{name}usd": value for name, value in worth.items()} | {"feecurrency": cells["asset"]}
    return cells


def _trade_cells(row: Entry, sheet: Sheet) -> Json:
    fields = row.fields
    moment = datetime.fromtimestamp(int(row.at), UTC)
    fraction = f".{f'{row.at:f}'.partition('.')[2][:4].ljust(4, '0')}"
    cells = fields | {
        "txid": row.id,
        "time": f"{moment:%Y-%m-%d %H:%M:%S}{fraction}",
        "ledgers": ",".join(fields.get("ledgers", ())),
    }
    if sheet.generation >= DISPLAY_NAMES_FROM and sheet.display_names and fields["pair"] in PAIRS:
        pair = PAIRS[fields["pair"]]
        cells["pair"] = f"{display(pair.base)}/{display(pair.quote)}"
    return cells


def display(code: str) -> str:
    """The name that new files and the website use: ``XXBT`` is BTC, ``XBT.M`` is BTC.M."""
    name = ASSETS[code].altname if code in ASSETS else code
    stem, dot, suffix = name.partition(".")
    return {"XBT": "BTC", "XDG": "DOGE"}.get(stem, stem) + dot + suffix


def _subclass(code: str, generation: int) -> str:
    if code in ASSETS and ASSETS[code].aclass == TOKENIZED:
        return "tokenized_asset"
    stem = display(code).partition(".")[0]
    if stem in ("EUR", "USD", "GBP", "CHF"):
        return "fiat"
    if generation < 6:
        return "crypto"
    return "stable_coin" if stem in ("USDT", "USDC") else "cryptocurrency"


def _dollars(code: str, amount: str, second: int) -> str:
    if code not in ASSETS:
        return ""
    return format((Decimal(amount) * usd(code, second) / PRICE_SCALE).quantize(Decimal("0.0001")), "f")
