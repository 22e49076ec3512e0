"""Past prices from the exchange's public market data: daily candles (the newest 720), single trades for older instants.

Nothing here talks to the network itself: ``public`` is the client's call of a public endpoint. A refusal or a throttle is
its exception (``errors.ExchangeError``); "there is no such price" is a value, ``NoPrice``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from portfolio_sync.core.duration import spelled
from portfolio_sync.core.instant import from_unix, iso, to_unix
from portfolio_sync.core.price import Price
from portfolio_sync.pricing.quote import Wanted
from portfolio_sync.pricing.sources.route import Known, NoPrice, Pair, nothing_known, route, unlisted
from portfolio_sync.pricing.table import Policy, PriceTable

Public = Callable[..., Any]
"""``public("OHLC", pair="XXBTZUSD", interval=1440)`` -> the ``result`` of the answer."""

DAY = timedelta(days=1)
CANDLES = 720  # what OHLC holds at most, whatever `since` says


Pairs = Mapping[tuple[str, str], str]


def pairs(public: Public, symbol: Callable[[str], str]) -> Pairs:
    """(base, quote) in our symbols -> the exchange's name of the pair; only pairs that are tradable now are listed."""
    return {
        (symbol(row["base"]), symbol(row["quote"])): name
        for name, row in sorted(public("AssetPairs").items(), reverse=True)
    }


def fetch(
    wanted: Iterable[Wanted],
    public: Public,
    symbol: Callable[[str], str],
    now: datetime,
    policy: Policy | None = None,
    known: Known = nothing_known,
) -> Iterator[tuple[Wanted, list[Price | NoPrice]]]:
    """For each that is wanted the prices that it takes, as they come, so that they can be stored before the next call.

    Starting again with what is still wanted goes on where it stopped. A coin without a pair in the wanted currency is
    fetched in US dollars or euros, and that currency's own rate with it, unless it is ``known``.
    """
    source = Source(public, pairs(public, symbol), now, policy or Policy(), known)
    for one in sorted(set(wanted)):
        yield one, list(source.prices(one))


class Source:
    """One run of fetching: knows what it already has, so that one call serves all instants it covers."""

    def __init__(self, public: Public, listed: Pairs, now: datetime, policy: Policy, known: Known) -> None:
        self.public, self.listed, self.now, self.policy, self.known = public, listed, now, policy, known
        self.have: dict[Pair, list[Price]] = defaultdict(list)
        self.read_daily: set[Pair] = set()

    def prices(self, wanted: Wanted) -> Iterator[Price | NoPrice]:
        steps = route(wanted, self.listed, self.known)
        if not steps:
            yield unlisted(wanted, "the exchange")
        for base, quote in steps:
            yield from self.pair_prices(base, quote, wanted)

    def pair_prices(self, base: str, quote: str, wanted: Wanted) -> Iterator[Price | NoPrice]:
        if (base, quote) not in self.read_daily and self.now - wanted.time < CANDLES * DAY:
            self.read_daily.add((base, quote))
            self.have[base, quote] += (daily := list(self.daily(base, quote)))
            yield from daily
        tolerance = self.policy.tolerance(base)
        if PriceTable.of(self.have[base, quote]).at(base, quote, wanted.time, tolerance):
            return
        price = self.first_trade(base, quote, wanted.time, tolerance)
        if price is None:
            yield NoPrice(wanted, f"no trade of {base}/{quote} within {spelled(tolerance)} after {iso(wanted.time)}")
            return
        self.have[base, quote].append(price)
        yield price

    def daily(self, base: str, quote: str) -> Iterator[Price]:
        """Closing rates of whole days, valid from the end of the day on. The candle of today is not finished."""
        name = self.listed[base, quote]
        for start, _open, _high, _low, close, *_ in rows_of(self.public("OHLC", pair=name, interval=1440)):
            end = from_unix(start) + DAY
            if end <= self.now and Decimal(close) > 0:
                yield Price(base, quote, end, Decimal(close), f"kraken:ohlc {name}")

    def first_trade(self, base: str, quote: str, instant: datetime, tolerance: timedelta) -> Price | None:
        """The first trade at or after an instant, as the rate of that instant; its own time stands in the source."""
        name = self.listed[base, quote]
        since = int(to_unix(instant) * 1_000_000_000)
        for rate, _volume, time, *_ in rows_of(self.public("Trades", pair=name, since=since, count=1)):
            traded = from_unix(time)
            if instant <= traded <= instant + tolerance:
                return Price(base, quote, instant, Decimal(rate), f"kraken:trades {name} {iso(traded)}")
        return None


def rows_of(result: Mapping[str, Any]) -> list[list[Any]]:
    """The one list beside ``last``: its key is the exchange's own name of the pair, whatever name was asked for."""
    return next((rows for name, rows in result.items() if name != "last"), [])
