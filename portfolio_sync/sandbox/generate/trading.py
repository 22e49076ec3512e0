"""Fills and conversions. A fill stands in both histories; what the Buy and Convert buttons do stands in the ledger only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portfolio_sync.sandbox.account import Json
from portfolio_sync.sandbox.catalogue import ASSETS, PAIRS, PRICE_SCALE, TOKENIZED, Pair, rate, usd
from portfolio_sync.sandbox.generate.book import Book, Leg, one, rescale, text, units, volume_step
from portfolio_sync.sandbox.generate.funding import deposit, top_up, worth

FEE = 26  # hundredths of a per cent of the cost: taker, lowest volume
FEES = ("quote",) * 6 + ("base", "both", "credits")
_PLAIN_PAIRS = tuple(pair for pair in PAIRS.values() if ASSETS[pair.base].aclass == "currency")
_BY_YEAR: dict[int, tuple[Pair, ...]] = {}


def open_pairs(year: int) -> tuple[Pair, ...]:
    if year not in _BY_YEAR:
        _BY_YEAR[year] = tuple(p for p in _PLAIN_PAIRS if p.since <= year and (p.listed or year < 2022))
    return _BY_YEAR[year]


def trade(book: Book) -> None:
    """One fill of a pair of the day; bought and sold in turn, so that holdings neither run out nor pile up."""
    pairs = open_pairs(book.year)
    pair = pairs[book.below(len(pairs))]
    fill(book, pair, FEES[book.below(len(FEES))], sell=_rich(book, pair))


def _rich(book: Book, pair: Pair) -> bool:
    base = book.held(pair.base) * usd(pair.base, book.second) // one(pair.base)
    quote = book.held(pair.quote) * usd(pair.quote, book.second) // one(pair.quote)
    return book.rng.random() < (0.8 if base > quote else 0.2)


@dataclass(frozen=True, slots=True)
class Deal:
    """A fill in figures: ``volume`` in lots, ``price`` and ``cost`` in the pair's decimals, both legs in their assets' units."""

    pair: Pair
    sell: bool
    volume: int
    price: int
    cost: int
    base: int
    quote: int

    @classmethod
    def at_market(cls, book: Book, pair: Pair, volume: int, *, sell: bool) -> Deal:
        price = rate(pair, book.second)
        cost = rescale(price * volume, pair.decimals + pair.lot_decimals, pair.cost_decimals)
        base = rescale(volume, pair.lot_decimals, ASSETS[pair.base].decimals)
        return cls(
            pair, sell, volume, price, cost, base, rescale(cost, pair.cost_decimals, ASSETS[pair.quote].decimals)
        )

    def legs(self, fee_in: str, later: int) -> tuple[Leg, Leg]:
        """The fee is charged in the quote by default, in the base under ``fcib``, split, or in neither (credits)."""
        share = {"quote": (1, 0), "base": (0, 1), "both": (1, 1)}.get(fee_in, (0, 0))
        fees = [
            amount * FEE * part // (10_000 * (sum(share) or 1))
            for amount, part in zip((self.quote, self.base), share, strict=True)
        ]
        sign = -1 if self.sell else 1
        return Leg(self.pair.quote, -sign * self.quote, fees[0]), Leg(
            self.pair.base, sign * self.base, fees[1], later=later
        )


def fill(
    book: Book, pair: Pair, fee_in: str = "quote", *, sell: bool, order: str = "", subtype: str = "", volume: int = 0
) -> None:
    """Book one fill and its trade row. ``volume`` in lots, made up if zero."""
    deal = Deal.at_market(book, pair, volume or _volume(book, pair, sell), sell=sell)
    given, amount = (pair.base, deal.base) if sell else (pair.quote, deal.quote)
    top_up(book, given, amount + amount * FEE // 10_000)
    legs: tuple[Leg, ...] = deal.legs(fee_in, book.below(9000))
    if fee_in == "credits":
        legs = (*legs, _credits(book, deal))
    trade_id, start = book.id("T"), book.now
    rows = book.book(trade_id, "trade", subtype or ("tradespot" if book.year >= 2025 else ""), *legs)
    book.fill(trade_id, trade_fields(book, deal, order), rows, start)


def _credits(book: Book, deal: Deal) -> Leg:
    """The fee in fee credits, a cent of a dollar each."""
    fee = deal.quote * FEE * usd(deal.pair.quote, book.second) // (10_000 * one(deal.pair.quote) * PRICE_SCALE // 10**4)
    top_up(book, "KFEE", fee + 1)
    return Leg("KFEE", 0, fee + 1)


def _volume(book: Book, pair: Pair, sell: bool) -> int:
    """A few per cent of what is held, at least some fifty dollars' worth."""
    decimals = ASSETS[pair.base].decimals
    if sell:
        have = rescale(book.part(pair.base, 20, 300), decimals, pair.lot_decimals)
    else:
        spend = book.part(pair.quote, 20, 300)
        have = spend * 10 ** (pair.decimals + pair.lot_decimals) // (rate(pair, book.second) * one(pair.quote))
    least = rescale(worth(book, pair.base, 40 + book.below(20)), decimals, pair.lot_decimals)
    step = volume_step(pair)
    return max(have, least) // step * step + step


def trade_fields(book: Book, deal: Deal, order: str = "") -> Json:
    """The row of TradesHistory but for its time and its ledger ids; the fee is the estimate in the quote."""
    pair = deal.pair
    order = order or book.id("O")
    fields: Json = {
        "ordertxid": order,
        "postxid": "T" + order[1:],
        "pair": pair.key,
        "type": "sell" if deal.sell else "buy",
        "ordertype": ("limit", "market")[book.below(2)],
        "price": text(deal.price, pair.decimals),
        "cost": text(deal.cost, pair.cost_decimals),
        "fee": text(deal.cost * FEE // 10_000, pair.cost_decimals),
        "vol": text(deal.volume, pair.lot_decimals),
        "margin": text(0, pair.cost_decimals),
        "leverage": "0",
        "misc": "",
    }
    if book.year >= 2023:
        fields["trade_id"] = len(book.trades) + 1
    if book.year >= 2024:
        fields["maker"] = fields["ordertype"] == "limit"
    return fields


def burst(book: Book) -> None:
    """One order, thirty fills in one second, two of them in one instant: sixty rows that no whole-second cursor tells apart."""
    pair = PAIRS["XXBTZEUR"]
    step = 10**5
    top_up(book, "ZEUR", worth(book, "ZEUR", 20_000))
    book.now = (book.second + 1) * 10**7
    order = book.id("O")
    for place in range(30):
        fill(book, pair, sell=False, order=order, volume=step * (place + 1))
        book.now += 0 if place == 3 else 300_000 - 10_000


def rounded_leg(book: Book) -> None:
    """A fill so small that the other leg rounds to nothing: the ledger has one row."""
    deal = Deal.at_market(book, PAIRS["XDGEUR"], 10**4, sell=False)
    trade_id = book.id("T")
    rows = book.book(trade_id, "trade", "", Leg("XXDG", deal.base))
    book.fill(trade_id, trade_fields(book, deal), rows)


def auto_allocated(book: Book) -> None:
    fill(book, PAIRS["XETHZEUR"], sell=False, subtype="autoallocation")


def convert(book: Book) -> None:
    """The Buy, Sell and Convert buttons: spend and receive under one refid, ten milliseconds apart; fee on either."""
    given, got = book.rng.sample(("ZEUR", "XXBT", "XETH", "SOL", "USDC") if book.year >= 2021 else ("ZEUR", "XXBT"), 2)
    top_up(book, given, worth(book, given, 120))
    _convert(book, given, got, book.part(given, 20, 200))


def card(book: Book) -> None:
    """Bought by card: a deposit, spent at once."""
    amount = units("ZEUR", 50 + book.rng.randrange(200))
    deposit(book, "ZEUR", amount)
    book.wait(3)
    _convert(book, "ZEUR", "XXBT", amount)


def _convert(book: Book, given: str, got: str, amount: int) -> None:
    fee = max(amount * 15 // 1000, 1)
    received = exchanged(book, given, got, amount - fee)
    on_receive = book.rng.random() < 0.5
    refid = book.id("TS")
    legs = (
        Leg(given, -(amount - fee), 0 if on_receive else fee),
        Leg(got, received, received * 15 // 1000 if on_receive else 0, later=100_000),
    )
    book.book(refid, "spend", "", legs[0])
    book.book(refid, "receive", "", legs[1])


def sweep(book: Book) -> None:
    """Small balances turned into one asset, three per cent fee: many spends, one receive, amounts down to 1e-10."""
    small: Sequence[str] = ("XLTC", "XXRP", "XXLM", "ATOM", "KSM")
    for code in small:
        top_up(book, code, 1)
    refid = book.id("TS")
    amounts = {code: max(book.part(code, 1, 30), 1) for code in small}
    book.book(refid, "spend", "dustsweeping", *(Leg(code, -amount) for code, amount in amounts.items()))
    received = sum(exchanged(book, code, "ZEUR", amount) for code, amount in amounts.items())
    book.book(refid, "receive", "dustsweeping", Leg("ZEUR", received, received * 3 // 100, later=100_000))


def exchanged(book: Book, given: str, got: str, amount: int) -> int:
    """What ``amount`` of one asset is worth in units of the other."""
    dollars = amount * usd(given, book.second)
    return max(dollars * one(got) // (usd(got, book.second) * one(given)), 1)


def stock(book: Book) -> None:
    """A tokenised stock: four legs, two of which cancel in dollars; one refid mixes both asset classes."""
    pair = book.rng.choice((PAIRS["AAPLxUSD"], PAIRS["TSLAxUSD"]))
    volume = book.rng.randint(10**6, 10**8)
    deal = Deal.at_market(book, pair, volume, sell=book.held(pair.base) > volume)
    top_up(book, "ZUSD", 3 * deal.quote)
    trade_id = book.id("T")
    rows = book.book(
        trade_id, "trade", "tradespot", *deal.legs("quote", 0), Leg("ZUSD", deal.quote), Leg("ZUSD", -deal.quote)
    )
    book.fill(trade_id, trade_fields(book, deal) | {"aclass": TOKENIZED}, rows)
