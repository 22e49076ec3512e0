"""The filters of the history calls. What they do not know is refused, not ignored.

Source: API reference, Get Ledgers Info and Get Trades History.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from portfolio_sync.sandbox.account import Entry
from portfolio_sync.sandbox.catalogue import ASSETS
from portfolio_sync.sandbox.history import ARGUMENTS, Keep
from portfolio_sync.sandbox.refusal import ExchangeRefusal

# The filter's word, and the types of rows it brings. There is none for earn, spend, receive, reward, conversion.
LEDGER_TYPES = {
    name: (name,)
    for name in ("trade", "deposit", "withdrawal", "transfer", "margin", "adjustment", "rollover", "credit", "settled", "staking", "dividend")
} | {"sale": ("spend", "receive"), "nft_rebate": ("nftrebate",)}  # fmt: skip
ACLASSES = ("currency", "tokenized_asset")
CODES = {asset.altname: code for code, asset in ASSETS.items()} | {code: code for code in ASSETS}


def _closing(row: Entry) -> bool:
    return "closing" in row.fields.get("misc", "").split(",")


def _position(row: Entry) -> bool:
    return "posstatus" in row.fields or Decimal(row.fields.get("margin") or 0) > 0 or _closing(row)


TRADE_TYPES: dict[str, Keep | None] = {
    "all": None,
    "any position": _position,
    "closed position": lambda row: row.fields.get("posstatus") == "closed",
    "closing position": _closing,
    "no position": lambda row: not _position(row),
}


def of_ledgers(params: Mapping[str, str], held: Mapping[str, object], *, aclass_hides: bool) -> tuple[str, Keep | None]:
    """(what the selection is called, test); a test of None lets everything through.

    ``held``: asset codes of the account, which may be older than the list of assets. Raises ExchangeRefusal.
    """
    kind, asset = params.get("type") or "all", params.get("asset") or "all"
    aclass = params.get("aclass") or ("currency" if aclass_hides else "all")
    if kind not in ("all", *LEDGER_TYPES):
        raise ExchangeRefusal(ARGUMENTS)
    if aclass not in ("all", *ACLASSES):
        raise ExchangeRefusal(f"{ARGUMENTS}:aclass")
    codes = frozenset(_code(name, held) for name in asset.split(",") if name != "all")
    types = LEDGER_TYPES.get(kind, ())
    return f"{aclass} {kind} {','.join(sorted(codes))}", _test(types, codes, aclass)


def _test(types: tuple[str, ...], codes: frozenset[str], aclass: str) -> Keep | None:
    if not types and not codes and aclass == "all":
        return None
    return lambda row: (
        (aclass == "all" or row.fields.get("aclass", "currency") == aclass)
        and (not types or row.fields["type"] in types)
        and (not codes or row.fields["asset"] in codes)
    )


def _code(name: str, held: Mapping[str, object]) -> str:
    code = name if name in held else CODES.get(name)
    if code is None:
        raise ExchangeRefusal("EQuery:Unknown asset")
    return code


def of_trades(params: Mapping[str, str]) -> tuple[str, Keep | None]:
    """(type, test) as above."""
    kind = params.get("type") or "all"
    if kind not in TRADE_TYPES:
        raise ExchangeRefusal(ARGUMENTS)
    return kind, TRADE_TYPES[kind]
