"""Kraken's asset codes and what they name. A table, never a rule of letters: XAUT, ZETA and XTZ are their own names.

Source: the Assets answer (code, altname), support article "Asset names", and the codes that clients have met.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Codes that differ from their altname, whether still listed or not: old rows speak of delisted assets too.
LEGACY = {
    "KFEE": "FEE", "XETC": "ETC", "XETH": "ETH", "XLTC": "LTC", "XMLN": "MLN", "XREP": "REP", "XXBT": "XBT",
    "XXDG": "XDG", "XXLM": "XLM", "XXMR": "XMR", "XXRP": "XRP", "XZEC": "ZEC", "XDAO": "DAO", "XICN": "ICN",
    "XXVN": "XVN", "XNMC": "NMC", "ZARS": "ARS", "ZAUD": "AUD", "ZCAD": "CAD", "ZCLP": "CLP", "ZCOP": "COP",
    "ZDKK": "DKK", "ZEUR": "EUR", "ZGBP": "GBP", "ZGEL": "GEL", "ZGHS": "GHS", "ZJPY": "JPY", "ZKRW": "KRW",
    "ZLKR": "LKR", "ZMXN": "MXN", "ZPLN": "PLN", "ZSEK": "SEK", "ZUGX": "UGX", "ZUSD": "USD", "ZVND": "VND",
    "ZXOF": "XOF",
}  # fmt: skip
# What Kraken calls by an older name than everyone else; fee credits keep the code, "FEE" could be a coin's name.
COMMON = {"XBT": "BTC", "XDG": "DOGE", "FEE": "KFEE"}
# The suffix of a code is the wallet its balance lies in.
WALLETS = {"S": "earn", "M": "earn", "B": "earn", "F": "earn", "P": "earn", "HOLD": "hold", "T": "spot"}
SPOT = "spot"
# DOT28.S: staked for 28 days. Only the terms that were offered: ETH2 and C98 are names.
BONDED = re.compile(r"(?<=[A-Z])(03|04|07|14|21|28)(?=\.S$)")


@dataclass(frozen=True, slots=True)
class Assets:
    """``altnames``: code -> altname; ``pairs``: any name of a pair -> (base code, quote code)."""

    altnames: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def symbol(self, code: str) -> str:
        """Our name of the asset behind a code: ``BTC`` for XXBT, XBT, XBT.M and BTC; an unknown code names itself."""
        stem = self._stem(code)
        altname = LEGACY.get(stem) or self._altname(stem)
        return COMMON.get(altname, altname)

    def wallet(self, code: str) -> str:
        """Where in the account the balance of a code lies: ``spot``, ``earn`` or ``hold``."""
        suffix = code.rpartition(".")[2] if "." in code else ""
        return WALLETS.get(suffix, SPOT)

    def pair(self, name: str) -> tuple[str, str]:
        """Our symbols of base and quote; two empty ones where the pair is not known: then the ledger legs tell."""
        if found := self.pairs.get(name):
            return self.symbol(found[0]), self.symbol(found[1])
        base, slash, quote = name.partition("/")
        if (
            not slash and {name[:4], name[4:]} <= LEGACY.keys()
        ):  # XXBTZEUR: two whole codes of the table, nothing guessed
            base, quote = name[:4], name[4:]
        return (self.symbol(base), self.symbol(quote)) if base and quote else ("", "")

    def _stem(self, code: str) -> str:
        """Without the suffix of the wallet. ``USDT0.TEMPO``: a coin on another chain is the coin, too."""
        return BONDED.sub("", code).partition(".")[0] if "." in code else code

    def _altname(self, stem: str) -> str:
        altname = self.altnames.get(stem, stem)
        return altname.partition(".")[0] or stem


def known_assets_of(altnames: Mapping[str, str], pairs: Mapping[str, tuple[str, str, str, str]]) -> Assets:
    """From the stored answers of Assets and AssetPairs: ``pairs`` maps a name to (altname, wsname, base, quote)."""
    names: dict[str, tuple[str, str]] = {}
    for name, (altname, wsname, base, quote) in pairs.items():
        for alias in (altname, wsname, name):
            if alias:
                names[alias] = (base, quote)
    return Assets(dict(altnames), names)
