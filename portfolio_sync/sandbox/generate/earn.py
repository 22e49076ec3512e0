"""Coins put to work: staking until 2024 (codes with ``.S``), Earn since."""

from __future__ import annotations

from portfolio_sync.sandbox.account import Json
from portfolio_sync.sandbox.catalogue import ASSETS, PRICE_SCALE, usd
from portfolio_sync.sandbox.generate.book import SPOT, Book, EarnCodes, Leg, text, units
from portfolio_sync.sandbox.generate.funding import top_up, worth

STAKED = {"DOT": "DOT.S", "KSM": "KSM.S", "ADA": "ADA.S", "ATOM": "ATOM.S", "XTZ": "XTZ.S", "XETH": "ETH2.S"}
EARNING = {"DOT": "B", "SOL": "B", "ADA": "B", "XETH": "B", "XXBT": "F", "USDC": "F", "USDT": "F"}
WALLETS = {"B": "earn / bonded", "F": "earn / flexible"}
STRATEGIES = {code: f"ES{code.ljust(5, 'Q')[:5].upper()}-WTZEU-NU55QF" for code in EARNING}
UNKNOWN = "Unknown"


def stake(book: Book) -> None:
    """Two rows, minutes apart, whose refids have nothing in common."""
    asset = book.rng.choice(tuple(STAKED))
    top_up(book, asset, worth(book, asset, 300))
    amount = book.part(asset, 100, 600)
    book.book(book.id("B"), "transfer", "spottostaking", Leg(asset, -amount))
    book.wait(240)
    book.book(book.id("RU"), "transfer", "stakingfromspot", Leg(STAKED[asset], amount))


def unstake(book: Book) -> None:
    asset = _staked(book)
    amount = book.part(STAKED[asset], 100, 500)
    book.book(book.id("B"), "transfer", "stakingtospot", Leg(STAKED[asset], -amount))
    book.wait(240)
    book.book(book.id("RU"), "transfer", "spotfromstaking", Leg(asset, amount))


def staking_reward(book: Book) -> None:
    """Gross amount; the fee is the exchange's commission, in coin."""
    code = STAKED[_staked(book)]
    amount = max(book.held(code) // 1000, 1)
    book.book(book.id("ST"), "staking", "", Leg(code, amount, amount * book.rng.choice((0, 20, 30)) // 100))


def staked_ether_ends(book: Book) -> None:
    """Staked ether became ether: a negative staking row and a positive one."""
    if book.held("ETH2.S") <= 0:
        top_up(book, "XETH", units("XETH", 1))
        book.book(book.id("B"), "transfer", "spottostaking", Leg("XETH", -units("XETH", 1)))
        book.wait(240)
        book.book(book.id("RU"), "transfer", "stakingfromspot", Leg("ETH2.S", units("XETH", 1)))
        book.wait(3600)
    amount = book.part("ETH2.S", 300, 900)
    book.book(book.id("ST"), "staking", "", Leg("ETH2.S", -amount), Leg("XETH", amount))


def _staked(book: Book) -> str:
    """An asset of which something is staked; some is staked first where nothing is."""
    held = [asset for asset, code in STAKED.items() if book.held(code) > 10]
    if held:
        return book.rng.choice(held)
    top_up(book, "DOT", units("DOT", 10))
    book.book(book.id("B"), "transfer", "spottostaking", Leg("DOT", -units("DOT", 10)))
    book.wait(240)
    book.book(book.id("RU"), "transfer", "stakingfromspot", Leg("DOT.S", units("DOT", 10)))
    book.wait(86400)
    return "DOT"


def place(book: Book, asset: str) -> tuple[str, str]:
    """Code and wallet under which the asset lies in Earn."""
    suffix = EARNING[asset]
    if book.earn_codes is EarnCodes.SUFFIX:
        return f"{ASSETS[asset].altname}.{suffix}", WALLETS[suffix]
    return asset, WALLETS[suffix] if book.earn_codes is EarnCodes.WALLETS else SPOT


def move(book: Book, asset: str, amount: int, subtype: str, refid: str = "") -> None:
    """Into Earn, or out of it if ``amount`` is negative: two rows that cancel."""
    code, wallet = place(book, asset)
    out, into = Leg(asset, -amount), Leg(code, amount, 0, wallet)
    book.book(refid or book.id("E"), "earn", subtype, *((out, into) if amount > 0 else (into, out)))
    book.allocated[asset] += amount


def allocate(book: Book, subtype: str = "allocation") -> None:
    asset = book.rng.choice(tuple(EARNING))
    top_up(book, asset, worth(book, asset, 200))
    move(book, asset, book.part(asset, 50, 400), subtype)


def autoallocate(book: Book) -> None:
    """The export says ``autoallocation``, the documentation ``autoallocate``."""
    allocate(book, book.rng.choice(("autoallocation", "autoallocate")))


def deallocate(book: Book) -> None:
    asset = _earning(book)
    move(book, asset, -(book.allocated[asset] * book.rng.randint(50, 500) // 1000), "deallocation")


def reward(book: Book, refid: str = "", subtype: str = "reward") -> None:
    """Paid where the coins lie; commission as fee."""
    asset = _earning(book)
    amount = max(book.allocated[asset] // 2000, 1)
    fee = amount * book.rng.choice((0, 15, 20)) // 100
    code, wallet = place(book, asset)
    book.book(refid or book.id("E"), "earn", subtype, Leg(code, amount, fee, wallet))
    book.allocated[asset] += amount - fee
    book.rewarded[asset] += amount - fee


def fiat_reward(book: Book) -> None:
    book.book(book.id("E"), "earn", "reward", Leg("ZEUR", units("ZEUR", 1) + book.rng.randrange(50_000)))


def migrate(book: Book) -> None:
    """What was staked went over to Earn in two rows."""
    asset = "ADA"
    if book.held("ADA.S") <= 0:
        top_up(book, "ADA", units("ADA", 100))
        book.book(book.id("B"), "transfer", "spottostaking", Leg("ADA", -units("ADA", 100)))
        book.wait(240)
        book.book(book.id("RU"), "transfer", "stakingfromspot", Leg("ADA.S", units("ADA", 100)))
        book.wait(86400)
    amount = book.held("ADA.S")
    code, wallet = place(book, asset)
    book.book(book.id("E"), "earn", "migration", Leg("ADA.S", -amount), Leg(code, amount, 0, wallet))
    book.allocated[asset] += amount


def unknown_move(book: Book) -> None:
    """Early 2024: no subtype, and every refid says Unknown."""
    asset = _earning(book)
    top_up(book, asset, worth(book, asset, 50))
    move(book, asset, book.part(asset, 50, 300), "", UNKNOWN)


def unknown_reward(book: Book) -> None:
    reward(book, UNKNOWN, "")


def _earning(book: Book) -> str:
    held = [asset for asset in EARNING if book.allocated[asset] > 10_000]
    if held:
        return book.rng.choice(held)
    allocate(book)
    book.wait(86400)
    return next(asset for asset in EARNING if book.allocated[asset] > 0)


def allocations(book: Book) -> list[Json]:
    """What Earn/Allocations answers at the end, in dollars beside coins."""
    return [_item(book, asset) for asset in EARNING if book.allocated[asset] or book.rewarded[asset]]


def _item(book: Book, asset: str) -> Json:
    decimals = ASSETS[asset].decimals

    def figure(amount: int) -> Json:
        dollars = amount * usd(asset, book.second) * 10**4 // (PRICE_SCALE * 10**decimals)
        return {"native": text(amount, decimals), "converted": text(dollars, 4)}

    total = figure(book.allocated[asset])
    return {
        "strategy_id": STRATEGIES[asset],
        "native_asset": ASSETS[asset].altname,
        "amount_allocated": {"allocated": total | {"allocation_count": 1}, "total": total},
        "total_rewarded": figure(book.rewarded[asset]),
    }
