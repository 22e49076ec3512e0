"""The life of the account: what happens how often in which years, and the account that comes of it."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from random import Random

from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.catalogue import ASSETS, year_start
from portfolio_sync.sandbox.generate import earn, funding, margin, rare, trading
from portfolio_sync.sandbox.generate.book import TICKS, Book, EarnCodes, text

START = 1378771200  # 2013-09-10, when the exchange opened
END = Decimal(1793491200)  # 2026-11-01
DAY = 86400
STATUS_DAYS = 90
"""DepositStatus and WithdrawStatus forget what is older."""


@dataclass(frozen=True, slots=True)
class Scene:
    """``weight`` in a thousand of what happens; 0 happens once. ``rows``: the most it books."""

    play: Callable[[Book], None]
    weight: int = 0
    since: int = 2013
    until: int = 9999
    rows: int = 12


SCENES = (
    Scene(trading.trade, 700),
    Scene(funding.fiat_in, 25),
    Scene(funding.coin_in, 20),
    Scene(funding.fiat_out, 10),
    Scene(funding.coin_out, 15),
    Scene(funding.withdrawal_reversed, 2),
    Scene(funding.deposit_reversed, 1),
    Scene(funding.fee_credits, 2, 2014),
    Scene(funding.airdrop_deposit, 0, 2023),
    Scene(trading.burst, 0, 2018, rows=70),
    Scene(trading.rounded_leg, 1, 2018),
    Scene(trading.auto_allocated, 5, 2025),
    Scene(trading.convert, 30, 2020),
    Scene(trading.card, 4, 2021),
    Scene(trading.sweep, 3, 2023),
    Scene(trading.stock, 15, 2025),
    Scene(earn.stake, 10, 2020, 2023),
    Scene(earn.unstake, 5, 2020, 2023),
    Scene(earn.staking_reward, 100, 2020, 2023),
    Scene(earn.staked_ether_ends, 0, 2023, 2023),
    Scene(earn.migrate, 0, 2024, 2024),
    Scene(earn.allocate, 10, 2024),
    Scene(earn.autoallocate, 10, 2025),
    Scene(earn.deallocate, 8, 2024),
    Scene(earn.reward, 100, 2024),
    Scene(earn.fiat_reward, 5, 2025),
    Scene(earn.unknown_move, 15, 2024, 2024),
    Scene(earn.unknown_reward, 15, 2024, 2024),
    Scene(margin.closed, 10, 2016),
    Scene(margin.settled, 3, 2016),
    Scene(margin.liquidated, 1, 2017),
    *(Scene(single, 0, single.since, single.until) for single in rare.SINGLES),
    *(Scene(swap, 0, swap.since, swap.until) for swap in rare.SWAPS),
)
LATE = (funding.fiat_in, funding.coin_in, funding.coin_out, funding.withdrawal_reversed)
"""Happen in the last months whatever else does, so that the status endpoints have something to tell."""
_ROOM = 12
"""So few rows before the end only one-row scenes fit."""


def generate(
    seed: int, rows: int, *, end: Decimal = END, earn_codes: EarnCodes | str = EarnCodes.SUFFIX, fine_fees: bool = False
) -> Account:
    """An account of exactly ``rows`` ledger rows up to ``end`` (unix seconds). Equal arguments give equal accounts.

    Every balance follows from the rows: per asset code, or with ``EarnCodes.WALLETS`` per asset code and wallet.
    ``fine_fees``: some fees are printed finer than the balance they were taken from.
    From some 1000 rows on, each kind of row that is known occurs.
    """
    rng = Random(seed)
    last = int(end)
    book = Book(rng, START * TICKS, max((last - START) // max(rows, 1), 1), EarnCodes(earn_codes), fine_fees)
    due = _appointments(rng, rows, last)
    while len(book.ledgers) < rows:
        scene = _next(book, due, rows - len(book.ledgers))
        scene(book)
        book.now = max(book.now, _clock(len(book.ledgers), rows, last) * TICKS) + book.below(TICKS)
    account = _account(book, last)
    account.iban = f"AA{seed % 100:02} N84G SAND {seed:04}"  # one person, one account: another seed is another's
    return account


def _clock(done: int, rows: int, last: int) -> int:
    """When the next row is due: evenly through the years, the last hundred days at least sixty rows dense."""
    late = min(max(rows * 100 * DAY // (last - START), 60), rows // 3)
    turn = last - 100 * DAY
    if done < rows - late:
        return START + (turn - START) * done // max(rows - late, 1)
    return turn + (last - DAY - turn) * (done - rows + late) // max(late, 1)


def _appointments(rng: Random, rows: int, last: int) -> list[tuple[int, int, Scene]]:
    """When each scene happens for certain, latest first; a small account has room for a choice only."""
    fitting = [scene for scene in SCENES if scene.rows <= rows // 10 and year_start(scene.since) < last - 100 * DAY]
    chosen = rng.sample(fitting, min(len(fitting), rows // 8))
    due: list[tuple[int, int, Scene]] = []
    for place, scene in enumerate(chosen):
        first, until = max(year_start(scene.since), START), min(year_start(scene.until + 1), last - 100 * DAY)
        insort(due, (-rng.randrange(first, max(until, first + 1)), place, scene), key=lambda item: item[:2])
    if rows >= 100:
        for place, play in enumerate(LATE):
            insort(due, (-(last - (80 - 5 * place) * DAY), -1 - place, Scene(play)), key=lambda item: item[:2])
    return due


def _next(book: Book, due: list[tuple[int, int, Scene]], room: int) -> Callable[[Book], None]:
    if room <= _ROOM:
        return funding.fiat_in
    if due and -due[-1][0] <= book.second:
        scene = due.pop()[2]
        return scene.play if scene.rows <= room else funding.fiat_in
    plays, weights = _usual(book.year)
    return book.rng.choices(plays, cum_weights=weights)[0]


_USUAL: dict[int, tuple[list[Callable[[Book], None]], list[int]]] = {}


def _usual(year: int) -> tuple[list[Callable[[Book], None]], list[int]]:
    if year not in _USUAL:
        scenes = [scene for scene in SCENES if scene.weight and scene.since <= year <= scene.until]
        _USUAL[year] = [scene.play for scene in scenes], list(accumulate(scene.weight for scene in scenes))
    return _USUAL[year]


def _account(book: Book, last: int) -> Account:
    balances: dict[str, int] = {}
    for (code, _), amount in book.has.items():
        balances[code] = balances.get(code, 0) + amount
    forgotten = last - STATUS_DAYS * DAY
    seen = {row.fields["asset"] for row in book.ledgers}
    return Account(
        ledgers=book.ledgers,
        trades=book.trades,
        balances={
            code: text(amount, ASSETS[code].decimals) for code, amount in sorted(balances.items()) if code in seen
        },
        deposits=[row for row in reversed(book.deposits) if row["time"] >= forgotten],
        withdrawals=[row for row in reversed(book.withdrawals) if row["time"] >= forgotten],
        allocations=earn.allocations(book),
    )
