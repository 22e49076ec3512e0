"""Kraken's own ledgers file of 2025: 12 columns, text in quotes, numbers bare, whole seconds of UTC, oldest row first.

Source: recorded files of that year (kraken-api notes 4.9, generation 5).
"""

from __future__ import annotations

from collections.abc import Iterator

from portfolio_sync.core.amount import plain
from portfolio_sync.core.asset import FIAT
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.report.exports.material import Material
from portfolio_sync.report.table import text

COLUMNS = (
    "txid", "refid", "time", "type", "subtype", "aclass", "subclass", "asset", "wallet", "amount", "fee", "balance",
)  # fmt: skip
SPOT = "spot / main"


def lines(material: Material) -> Iterator[str]:
    yield joined(map(quoted, COLUMNS))
    for row in material.ledger:
        words = (
            row.id, row.refid, f"{row.time:%Y-%m-%d %H:%M:%S}", row.type, row.subtype, row.aclass, subclass(row), asset(row), wallet(row),
        )  # fmt: skip
        yield joined((*map(quoted, words), plain(row.amount), plain(row.fee), plain(row.balance)))


def joined(cells: Iterator[str] | tuple[str, ...]) -> str:
    return ",".join(cells) + "\n"


def quoted(word: str) -> str:
    return '"' + text(word).replace('"', '""') + '"'


def asset(row: LedgerRow) -> str:
    """The name of new files: BTC for XXBT, BTC.M for XBT.M."""
    _, dot, suffix = row.asset.partition(".")
    return row.symbol + dot + suffix


def subclass(row: LedgerRow) -> str:
    return "tokenized_asset" if row.aclass == "tokenized_asset" else "fiat" if row.symbol in FIAT else "crypto"


def wallet(row: LedgerRow) -> str:
    """As a file said it; the API names no wallet, and what we inferred from its codes is no word of Kraken's beyond the first."""
    return SPOT if row.wallet == "spot" else row.wallet
