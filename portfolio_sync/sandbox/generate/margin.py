"""Positions on margin: opened, rolled over, and closed, settled in kind or liquidated."""

from __future__ import annotations

from portfolio_sync.sandbox.account import Json
from portfolio_sync.sandbox.catalogue import PAIRS, Pair, rate
from portfolio_sync.sandbox.generate.book import Book, Leg, rescale, text
from portfolio_sync.sandbox.generate.funding import top_up, worth
from portfolio_sync.sandbox.generate.trading import trade_fields

PAIR = PAIRS["XXBTZEUR"]
ROLLOVER = 4 * 3600
EURO = 10**4


def closed(book: Book) -> None:
    """Profit or loss is booked with the closing trade."""
    opening, volume, cost = _open(book)
    price = rate(PAIR, book.second)
    result = _cost(PAIR, price, volume) - cost
    loss_or_gain = rescale(abs(result), 5, 4) * (1 if result > 0 else -1)
    top_up(book, "ZEUR", abs(loss_or_gain) + 50 * EURO)
    closing = book.id("T")
    rows = book.book(closing, "margin", "", Leg("ZEUR", loss_or_gain, rescale(cost, 5, 4) * 26 // 10_000))
    _trade(book, closing, price, volume, rows, sell=True, misc="closing", postxid=opening)


def settled(book: Book) -> None:
    """Settled in kind: two rows like those of a trade."""
    opening, volume, cost = _open(book)
    top_up(book, "ZEUR", rescale(cost, 5, 4))
    settling = book.id("T")
    rows = book.book(settling, "settled", "", Leg("ZEUR", -rescale(cost, 5, 4)), Leg("XXBT", volume * 100))
    _trade(
        book, settling, rate(PAIR, book.second), volume, rows, sell=True, ordertype="settle-position", postxid=opening
    )


def liquidated(book: Book) -> None:
    """Several margin rows of many assets under one refid: what was seized."""
    opening, volume, _ = _open(book)
    seized = ("ZEUR", "XXBT", "XETH")
    for asset in seized:
        top_up(book, asset, worth(book, asset, 50))
    closing = book.id("T")
    legs = [Leg(asset, -book.part(asset, 100, 300), book.part(asset, 1, 5)) for asset in seized]
    rows = book.book(closing, "margin", "", *legs)
    _trade(
        book,
        closing,
        rate(PAIR, book.second),
        volume,
        rows,
        sell=True,
        ordertype="market",
        misc="closing,liquidation",
        postxid=opening,
    )


def _open(book: Book) -> tuple[str, int, int]:
    """Open a position and roll it over a few times; gives its trade id, its volume in lots and its cost."""
    price, volume = rate(PAIR, book.second), book.rng.randint(10**6, 10**7)
    cost = _cost(PAIR, price, volume)
    euros = rescale(cost, 5, 4)
    top_up(book, "ZEUR", euros // 10 + 10 * EURO)
    opening = book.id("T")
    rows = book.book(opening, "margin", "", Leg("ZEUR", 0, euros * 26 // 10_000 + 1))
    more = {
        "posstatus": "closed",
        "cprice": text(price, 1),
        "ccost": text(cost, 5),
        "cfee": text(cost * 26 // 10_000, 5),
        "cvol": text(volume, 8),
    }
    _trade(book, opening, price, volume, rows, sell=False, **more, cmargin=text(cost // 5, 5), net=text(0, 5))
    for _ in range(book.rng.randint(1, 3)):
        book.wait(ROLLOVER)
        credits_pay = book.held("KFEE") > 1000 and book.rng.random() < 0.3
        fee = Leg("KFEE", 0, 150) if credits_pay else Leg("ZEUR", 0, euros * 2 // 10_000 + 1)
        book.book(opening, "rollover", "", fee)
    book.wait(ROLLOVER)
    return opening, volume, cost


def _cost(pair: Pair, price: int, volume: int) -> int:
    return rescale(price * volume, pair.decimals + pair.lot_decimals, pair.cost_decimals)


def _trade(book: Book, trade_id: str, price: int, volume: int, rows: list[str], *, sell: bool, **more: str) -> None:
    cost = _cost(PAIR, price, volume)
    fields: Json = trade_fields(book, PAIR, price, cost, volume, sell=sell) | {
        "margin": text(cost // 5, 5),
        "leverage": "5",
    }
    book.fill(trade_id, fields | more, rows)
