"""Money and coins that come and go, with the rows that DepositStatus and WithdrawStatus keep of the last months."""

from __future__ import annotations

from portfolio_sync.sandbox.account import Json
from portfolio_sync.sandbox.catalogue import ASSETS, PRICE_SCALE, usd
from portfolio_sync.sandbox.generate import ids
from portfolio_sync.sandbox.generate.book import Book, Leg, one, text, units

COINS = ("XXBT", "XETH", "XLTC", "XXRP", "SOL", "ADA")
METHODS = {
    "ZEUR": "SEPA",
    "ZUSD": "SynapsePay (US Wire)",
    "ZGBP": "Faster Payments",
    "XXBT": "Bitcoin",
    "XETH": "Ether (Hex)",
}


def top_up(book: Book, asset: str, amount: int) -> None:
    """Make sure that ``amount`` can be spent: a deposit first where it cannot."""
    missing = amount - book.held(asset)
    if missing > 0:
        deposit(book, asset, max(missing, worth(book, asset, 500)))
        book.wait(900)


def worth(book: Book, asset: str, dollars: int) -> int:
    """How many units of the asset's last decimal so many dollars buy now."""
    return dollars * PRICE_SCALE * one(asset) // usd(asset, book.second)


def deposit(book: Book, asset: str, amount: int, fee: int = 0) -> str:
    refid = ids.funding(book.rng, book.year)
    book.book(refid, "deposit", "", Leg(asset, amount, fee))
    book.deposits.append(_status(book, asset, refid, amount, fee))
    return refid


def fiat_in(book: Book) -> None:
    asset = book.rng.choices(("ZEUR", "ZUSD", "ZGBP"), (70, 20, 10))[0]
    fee = units(asset, 1) // 4 if book.rng.random() < 0.1 else 0
    deposit(book, asset, units(asset, book.rng.randint(100, 20_000)), fee)


def coin_in(book: Book) -> None:
    asset = book.rng.choice(COINS if book.year >= 2021 else COINS[:4] if book.year >= 2017 else COINS[:1])
    deposit(book, asset, worth(book, asset, book.rng.randint(50, 5000)))


def withdraw(book: Book, asset: str, amount: int, fee: int, status: str = "Success", prop: str = "") -> str:
    refid = ids.funding(book.rng, book.year)
    book.book(refid, "withdrawal", "", Leg(asset, -amount, fee))
    row = _status(book, asset, refid, amount, fee) | {"status": status, "key": f"my {ASSETS[asset].altname} wallet"}
    book.withdrawals.append(row | ({"status-prop": prop} if prop else {}))
    return refid


def fiat_out(book: Book) -> None:
    fee = 900
    top_up(book, "ZEUR", units("ZEUR", 200))
    withdraw(book, "ZEUR", book.part("ZEUR", 50, 400), fee)


def coin_out(book: Book) -> None:
    asset = max(COINS[: 4 if book.year >= 2017 else 1], key=lambda code: book.held(code) * usd(code, book.second))
    fee = worth(book, asset, 3)
    top_up(book, asset, 10 * fee)
    withdraw(book, asset, book.part(asset, 50, 300), fee)


def withdrawal_reversed(book: Book) -> None:
    """A second row of the same refid: opposite amount, and the fee given back as a negative fee (recorded for AKT)."""
    asset = "XETH" if book.year >= 2017 else "XXBT"
    fee = worth(book, asset, 5)
    top_up(book, asset, worth(book, asset, 300))
    amount = book.part(asset, 100, 500)
    refid = withdraw(book, asset, amount, fee, "Failure", "canceled")
    book.wait(60)
    book.book(refid, "withdrawal", "", Leg(asset, amount, -fee))


def deposit_reversed(book: Book) -> None:
    amount = units("ZEUR", 250)
    refid = deposit(book, "ZEUR", amount, 2500)
    book.deposits[-1] |= {"status": "Failure", "status-prop": "return"}
    book.wait(3 * 86400)
    book.book(refid, "deposit", "", Leg("ZEUR", -amount, -2500))


def fee_credits(book: Book) -> None:
    book.book(ids.funding(book.rng, book.year), "deposit", "", Leg("KFEE", units("KFEE", book.rng.randint(500, 5000))))


def airdrop_deposit(book: Book) -> None:
    book.book(
        ids.funding(book.rng, book.year), "deposit", "airdrop", Leg("FLR", units("FLR", book.rng.randint(10, 900)))
    )


def _status(book: Book, asset: str, refid: str, amount: int, fee: int) -> Json:
    known = ASSETS[asset]
    return {
        "method": METHODS.get(asset, known.altname),
        "aclass": known.aclass,
        "asset": asset,
        "refid": refid,
        "txid": ids.chain_hash(book.rng),
        "info": ids.address(book.rng),
        "amount": text(amount, known.decimals),
        "fee": text(fee, known.decimals),
        "time": book.second,
        "status": "Success",
    }
