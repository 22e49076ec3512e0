"""Kinds of rows that an account meets once in some years, as a table: most have no counterpart in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from portfolio_sync.sandbox.generate import ids
from portfolio_sync.sandbox.generate.book import Book, Leg
from portfolio_sync.sandbox.generate.funding import top_up, worth
from portfolio_sync.sandbox.generate.trading import exchanged


@dataclass(frozen=True, slots=True)
class Single:
    """One row of ``dollars``' worth, negative if it leaves."""

    type: str
    subtype: str
    asset: str
    dollars: int
    since: int
    until: int = 9999

    def __call__(self, book: Book) -> None:
        amount = worth(book, self.asset, abs(self.dollars))
        if self.dollars < 0:
            top_up(book, self.asset, amount)
            amount = -amount
        refid = ids.funding(book.rng, book.year) if "hybrid" in self.type else book.id("R")
        book.book(refid, self.type, self.subtype, Leg(self.asset, amount))


@dataclass(frozen=True, slots=True)
class Swap:
    """All of one asset for another, at par or at its worth. ``one_refid`` False: nothing but the time joins the rows."""

    type: str
    subtype: str
    asset: str
    into: str
    since: int
    until: int
    one_refid: bool = True
    at_par: bool = True

    def __call__(self, book: Book) -> None:
        top_up(book, self.asset, worth(book, self.asset, 40))
        amount = book.held(self.asset)
        got = amount if self.at_par else exchanged(book, self.asset, self.into, amount)
        refid = book.id("R")
        book.book(refid, self.type, self.subtype, Leg(self.asset, -amount))
        book.book(refid if self.one_refid else book.id("R"), self.type, self.subtype, Leg(self.into, got, later=1000))


SINGLES = (
    Single("transfer", "", "SGB", 20, 2021),
    Single("transfer", "", "LUNA", -5, 2022, 2022),
    Single("transfer", "airdrop", "FLR", 30, 2023),
    Single("transfer", "spotfromfutures", "ETHW", 15, 2022),
    Single("transfer", "spottofutures", "ZUSD", -100, 2020),
    Single("airdrop", "", "SGB", 5, 2021),
    Single("credit", "", "ZUSD", 25, 2021),
    Single("dividend", "", "ZUSD", 3, 2025),
    Single("reward", "invitebonus", "ZEUR", 10, 2023),
    Single("invite bonus", "", "XXBT", 10, 2022),
    Single("earn", "airdrop", "SGB", 4, 2024),
    Single("hybridearnwithdrawal", "", "USDC", -80, 2026),
    Single("hybridearndeposit", "", "USDC", 40, 2026),
    Single("nfttrade", "", "XETH", -60, 2022, 2024),
    Single("nftcreatorfee", "", "XETH", -3, 2022, 2024),
    Single("nftrebate", "", "XETH", 2, 2022, 2024),
    Single("custodytransfer", "", "XXBT", -50, 2023),
)
SWAPS = (
    Swap("adjustment", "", "XREP", "REPV2", 2020, 2021, one_refid=False),
    Swap("adjustment", "", "MATIC", "POL", 2024, 2024),
    Swap("transfer", "delistingconversion", "LUNA", "ZUSD", 2023, 2023, at_par=False),
    Swap("earn", "delistingconversion", "LUNA2", "USDC", 2025, 2025, at_par=False),
    Swap("conversion", "", "LUNA", "LUNA2", 2022, 2022),
    Swap("sale", "", "FLR", "ZEUR", 2023, 2025, at_par=False),
)
