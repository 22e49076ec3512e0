"""Positions on margin: opened, rolled over, and closed, settled in kind or liquidated."""

from __future__ import annotations

from portfolio_sync.sandbox.catalogue import PAIRS
from portfolio_sync.sandbox.generate.book import Book, Leg, one, text
from portfolio_sync.sandbox.generate.funding import top_up, worth
from portfolio_sync.sandbox.generate.trading import FEE, Deal, trade_fields

PAIR = PAIRS["XXBTZEUR"]
ROLLOVER = 4 * 3600
SEIZED = ("ZEUR", "XXBT", "XETH")


def closed(book: Book) -> None:
    """Profit or loss is booked with the closing trade."""
    opening, opened = _open(book)
    deal = Deal.at_market(book, PAIR, opened.volume, sell=True)
    top_up(book, "ZEUR", opened.quote)
    closing = book.id("T")
    rows = book.book(closing, "margin", "", Leg("ZEUR", deal.quote - opened.quote, deal.quote * FEE // 10_000))
    _trade(book, closing, deal, rows, misc="closing", postxid=opening)


def settled(book: Book) -> None:
    """Settled in kind: the loan is paid back and the coins are kept, two rows like those of a purchase."""
    opening, opened = _open(book)
    top_up(book, "ZEUR", opened.quote)
    settling = book.id("T")
    rows = book.book(settling, "settled", "", Leg("ZEUR", -opened.quote), Leg("XXBT", opened.base))
    _trade(book, settling, opened, rows, ordertype="settle-position", postxid=opening)


def liquidated(book: Book) -> None:
    """Several margin rows of many assets under one refid: what was seized."""
    opening, opened = _open(book)
    for asset in SEIZED:
        top_up(book, asset, worth(book, asset, 50))
    closing = book.id("T")
    legs = [Leg(asset, -book.part(asset, 100, 300), book.part(asset, 1, 5)) for asset in SEIZED]
    rows = book.book(closing, "margin", "", *legs)
    deal = Deal.at_market(book, PAIR, opened.volume, sell=True)
    _trade(book, closing, deal, rows, ordertype="market", misc="closing,liquidation", postxid=opening)


def _open(book: Book) -> tuple[str, Deal]:
    """Open a position and roll it over a few times; gives its trade id and what was dealt."""
    deal = Deal.at_market(book, PAIR, book.rng.randint(10**6, 10**7), sell=False)
    top_up(book, "ZEUR", deal.quote // 10 + 10 * one("ZEUR"))
    opening = book.id("T")
    rows = book.book(opening, "margin", "", Leg("ZEUR", 0, deal.quote * FEE // 10_000 + 1))
    _trade(book, opening, deal, rows, posstatus="closed")
    for _ in range(book.rng.randint(1, 3)):
        book.wait(ROLLOVER)
        credits_pay = book.held("KFEE") > 1000 and book.rng.random() < 0.3
        fee = Leg("KFEE", 0, 150) if credits_pay else Leg("ZEUR", 0, deal.quote * 2 // 10_000 + 1)
        book.book(opening, "rollover", "", fee)
    book.wait(ROLLOVER)
    return opening, deal


def _trade(book: Book, trade_id: str, deal: Deal, rows: list[str], **more: str) -> None:
    fields = trade_fields(book, deal) | {"margin": text(deal.cost // 5, 5), "leverage": "5"} | more
    if "posstatus" in more:
        whole = {f"c{name}": fields[name] for name in ("price", "cost", "fee", "vol", "margin")}
        fields |= whole | {"net": text(0, 5), "trades": []}
    book.fill(trade_id, fields, rows)
