"""The assets and pairs of the practice exchange, and what a unit is worth at any second: whole numbers, no storage.

Codes follow the exchange's own list (X + crypto and Z + fiat for the old ones); decimals are those of recorded answers
where there are any. Prices are made up: a line through one figure a year, with a wobble of a few per cent from day to day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

PRICE_SCALE = 10**8
"""``usd`` gives dollars times this."""
_2013 = 1356998400
YEAR = 31556952
DAY = 86400
TOKENIZED = "tokenized_asset"


@dataclass(frozen=True, slots=True)
class Asset:
    """``dollars``: the price on the first of January of each year from 2013; a single figure holds always."""

    code: str
    altname: str
    decimals: int
    dollars: tuple[float, ...] = (1,)
    aclass: str = "currency"
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    key: str
    base: str
    quote: str
    decimals: int
    """Of the price."""
    cost_decimals: int = 5
    lot_decimals: int = 8
    since: int = 2013
    listed: bool = True
    """Delisted pairs stand in old trades only: AssetPairs does not name them."""
    margin: bool = False
    altname: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "altname", ASSETS[self.base].altname + ASSETS[self.quote].altname)

    @property
    def wsname(self) -> str:
        return f"{ASSETS[self.base].altname}/{ASSETS[self.quote].altname}"


_BTC = (13, 750, 320, 430, 960, 14000, 3800, 7200, 29000, 47000, 16600, 42000, 94000, 88000, 97000)
_ETH = (1, 1, 1, 1, 8, 750, 140, 130, 730, 3700, 1200, 2300, 3300, 3000, 3400)
_DOT = (3, 3, 3, 3, 3, 3, 3, 3, 9, 27, 4, 8, 7, 2, 3)

_PLAIN = (
    Asset("ZEUR", "EUR", 4, (1.32, 1.37, 1.21, 1.09, 1.05, 1.20, 1.15, 1.12, 1.22, 1.13, 1.07, 1.10, 1.04, 1.17, 1.15)),
    Asset("ZUSD", "USD", 4),
    Asset("ZGBP", "GBP", 4, (1.62, 1.65, 1.56, 1.47, 1.23, 1.35, 1.27, 1.32, 1.37, 1.35, 1.21, 1.27, 1.25, 1.34, 1.33)),
    Asset("CHF", "CHF", 4, (1.09, 1.12, 1.01, 1.00, 0.98, 1.03, 1.02, 1.03, 1.13, 1.10, 1.08, 1.19, 1.10, 1.26, 1.25)),
    Asset("KFEE", "FEE", 2, (0.01,)),
    Asset("XXBT", "XBT", 10, _BTC),
    Asset("XETH", "ETH", 10, _ETH),
    Asset("ETH2", "ETH2", 10, _ETH),
    Asset("XLTC", "LTC", 10, (4, 24, 3, 4, 5, 230, 31, 41, 130, 150, 70, 73, 103, 77, 95)),
    Asset("XXRP", "XRP", 8, (0.01, 0.03, 0.02, 0.01, 0.01, 2.1, 0.35, 0.19, 0.22, 0.83, 0.34, 0.62, 2.1, 1.9, 2.2)),
    Asset("XXLM", "XLM", 8, (0.01, 0.01, 0.01, 0.01, 0.01, 0.4, 0.11, 0.05, 0.13, 0.27, 0.07, 0.13, 0.33, 0.2, 0.3)),
    Asset("XXDG", "XDG", 8, (0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.17, 0.07, 0.09, 0.32, 0.12, 0.2)),
    Asset("XREP", "REP", 10, (10,), listed=False),
    Asset("REPV2", "REPV2", 10, (10,)),
    Asset("ADA", "ADA", 8, (0.02, 0.02, 0.02, 0.02, 0.02, 0.7, 0.04, 0.03, 0.18, 1.3, 0.25, 0.6, 0.85, 0.35, 0.5)),
    Asset("DOT", "DOT", 10, _DOT),
    Asset("KSM", "KSM", 10, (2, 2, 2, 2, 2, 2, 2, 2, 70, 280, 25, 45, 34, 12, 15)),
    Asset("SOL", "SOL", 10, (1, 1, 1, 1, 1, 1, 1, 1, 2, 170, 10, 100, 190, 125, 150)),
    Asset("ATOM", "ATOM", 8, (4, 4, 4, 4, 4, 4, 4, 4, 6, 32, 9, 11, 6, 2, 3)),
    Asset("XTZ", "XTZ", 8, (1, 1, 1, 1, 1, 4, 0.5, 1.3, 2, 4.3, 0.7, 1, 1.3, 0.5, 0.6)),
    Asset("USDT", "USDT", 8),
    Asset("USDC", "USDC", 8),
    Asset(
        "MATIC", "MATIC", 10, (0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 2.5, 0.8, 0.97, 0.45), listed=False
    ),
    Asset("POL", "POL", 10, (0.45,)),
    Asset("LUNA", "LUNA", 8, (0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.65, 85, 0.01)),
    Asset("LUNA2", "LUNA2", 8, (2,)),
    Asset("ETHW", "ETHW", 7, (3,)),
    Asset("FLR", "FLR", 8, (0.02,)),
    Asset("SGB", "SGB", 8, (0.02,)),
    Asset("AAPLx", "AAPLx", 8, (230,), TOKENIZED),
    Asset("TSLAx", "TSLAx", 8, (300,), TOKENIZED),
)
# Wallets that show as assets of their own: the altname and a suffix (staked, opt-in rewards, bonded, Kraken Rewards).
_SUFFIXED = {
    "DOT": ("S", "B", "F"), "KSM": ("S", "B"), "ADA": ("S", "B", "F"), "SOL": ("S", "B", "F"), "ATOM": ("S", "B"), "XTZ": ("S", "B"),
    "ETH2": ("S",), "XETH": ("B", "F"), "XXBT": ("M", "F"), "ZEUR": ("M", "HOLD"), "ZUSD": ("M",), "USDC": ("M", "F"), "USDT": ("F",),
    "DOT28": ("S",),
}  # fmt: skip


def _all_assets() -> dict[str, Asset]:
    found = {asset.code: asset for asset in _PLAIN}
    for code, suffixes in _SUFFIXED.items():
        plain = found["DOT" if code == "DOT28" else code]
        stem = code if code == "DOT28" else plain.altname
        for suffix in suffixes:
            name = f"{stem}.{suffix}"
            found[name] = Asset(name, name, plain.decimals, plain.dollars)
    return found


ASSETS = _all_assets()
PAIRS = {
    pair.key: pair
    for pair in (
        Pair("XXBTZEUR", "XXBT", "ZEUR", 1, margin=True),
        Pair("XXBTZUSD", "XXBT", "ZUSD", 1, margin=True),
        Pair("XXBTZGBP", "XXBT", "ZGBP", 1, since=2014),
        Pair("XBTUSDT", "XXBT", "USDT", 1, since=2020),
        Pair("XLTCZEUR", "XLTC", "ZEUR", 2),
        Pair("XLTCXXBT", "XLTC", "XXBT", 6, cost_decimals=10),
        Pair("XETHZEUR", "XETH", "ZEUR", 2, since=2016, margin=True),
        Pair("XETHZUSD", "XETH", "ZUSD", 2, since=2016, margin=True),
        Pair("XETHXXBT", "XETH", "XXBT", 5, cost_decimals=10, since=2016),
        Pair("XREPZEUR", "XREP", "ZEUR", 3, since=2017, listed=False),
        Pair("XXRPZEUR", "XXRP", "ZEUR", 5, since=2017),
        Pair("XXLMZEUR", "XXLM", "ZEUR", 6, since=2017),
        Pair("XDGEUR", "XXDG", "ZEUR", 7, since=2018),
        Pair("ADAEUR", "ADA", "ZEUR", 6, since=2018),
        Pair("USDTZUSD", "USDT", "ZUSD", 5, since=2017),
        Pair("USDTEUR", "USDT", "ZEUR", 5, since=2019),
        Pair("USDCEUR", "USDC", "ZEUR", 4, since=2020),
        Pair("ZEURZUSD", "ZEUR", "ZUSD", 5, since=2014),
        Pair("ZGBPZUSD", "ZGBP", "ZUSD", 5, since=2014),
        Pair("EURCHF", "ZEUR", "CHF", 5, since=2019),
        Pair("XTZEUR", "XTZ", "ZEUR", 4, since=2019),
        Pair("ATOMEUR", "ATOM", "ZEUR", 4, since=2020),
        Pair("DOTEUR", "DOT", "ZEUR", 4, since=2020),
        Pair("DOTUSD", "DOT", "ZUSD", 4, since=2020),
        Pair("KSMEUR", "KSM", "ZEUR", 2, since=2020),
        Pair("SOLEUR", "SOL", "ZEUR", 2, since=2021),
        Pair("SOLUSD", "SOL", "ZUSD", 2, since=2021),
        Pair("MATICEUR", "MATIC", "ZEUR", 4, since=2021, listed=False),
        Pair("POLEUR", "POL", "ZEUR", 4, since=2024),
        Pair("AAPLxUSD", "AAPLx", "ZUSD", 2, since=2025),
        Pair("TSLAxUSD", "TSLAx", "ZUSD", 2, since=2025),
    )
}
_SCALED = {code: tuple(round(dollars * PRICE_SCALE) for dollars in asset.dollars) for code, asset in ASSETS.items()}


def year_start(year: int) -> int:
    """The unix second in which the year begins, within a day."""
    return _2013 + (year - 2013) * YEAR


def year_of(second: int) -> int:
    return 2013 + (second - _2013) // YEAR


@lru_cache(maxsize=4096)
def usd(code: str, second: int) -> int:
    """Dollars of one unit at a unix second, times ``PRICE_SCALE``. Raises KeyError for a code that is not listed here."""
    line = _SCALED[code]
    if len(line) == 1:
        return line[0]
    year, into = divmod(max(second - _2013, 0), YEAR)
    left, right = line[min(year, len(line) - 1)], line[min(year + 1, len(line) - 1)]
    straight = left + (right - left) * into // YEAR
    day, into = divmod(second, DAY)
    today = _wobble(code, day)
    return max(straight + straight * (today + (_wobble(code, day + 1) - today) * into // DAY) // 100_000, 1)


def rate(pair: Pair, second: int) -> int:
    """Price of the pair at a unix second, in units of its last decimal."""
    scale: int = 10**pair.decimals
    return max(usd(pair.base, second) * scale // usd(pair.quote, second), 1)


@lru_cache(maxsize=4096)
def _wobble(code: str, day: int) -> int:
    """Between -4000 and 4000, for four per cent either way."""
    return (day * 2654435761 + sum(code.encode()) * 7919) % 8001 - 4000
