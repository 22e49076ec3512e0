"""The books of the made-up account: every row moves one balance, and nothing else does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from random import Random

from portfolio_sync.sandbox.account import Entry, Json
from portfolio_sync.sandbox.catalogue import ASSETS, Pair, year_of, year_start
from portfolio_sync.sandbox.generate.ids import dashed

TICKS = 10**7
"""Times are whole ticks of a ten-millionth second: the finest figure that old rows carry."""
SPOT = "spot / main"
_ZEROS = tuple("0." + "0" * decimals for decimals in range(20))
# Rows are printed with seven decimals (recorded in 2014), later with four (2021), now with six.
_FOUR_DECIMALS, _SIX_DECIMALS = year_start(2015) * TICKS, year_start(2022) * TICKS


class EarnCodes(StrEnum):
    """How coins in Earn show in the ledger; which of them the API does today is not documented."""

    SUFFIX = "suffix"
    """As an asset of their own, ``DOT.B``: each code has one balance."""
    PLAIN = "plain"
    """Under the plain code and in its one balance: the two rows of a move cancel."""
    WALLETS = "wallets"
    """Under the plain code, with a balance of their own that only an export's wallet column tells apart."""


@dataclass(frozen=True, slots=True)
class Leg:
    """``amount`` and ``fee`` in units of the asset's last decimal. ``later``: ticks after the first leg."""

    asset: str
    amount: int
    fee: int = 0
    wallet: str = SPOT
    later: int = 0


@dataclass(slots=True)
class Book:
    rng: Random
    now: int
    """Ticks; only ever grows."""
    pace: int = 86400
    """Seconds that pass from row to row on average."""
    earn_codes: EarnCodes = EarnCodes.SUFFIX
    fine_fees: bool = False
    """Some fees show one decimal more than the balance keeps, as recorded for EUR: 0.28716 where 0.2872 was taken."""
    ledgers: list[Entry] = field(default_factory=list)
    trades: list[Entry] = field(default_factory=list)
    deposits: list[Json] = field(default_factory=list)
    withdrawals: list[Json] = field(default_factory=list)
    has: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """By asset code and wallet, in units of the asset's last decimal."""
    allocated: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """In Earn, by asset code: inside ``has`` or beside it, as ``earn_codes`` says."""
    rewarded: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def second(self) -> int:
        return self.now // TICKS

    @property
    def year(self) -> int:
        return year_of(self.second)

    def wait(self, seconds: int) -> None:
        """Let between one second and ``seconds`` pass; less in a busy account, which would outgrow its years."""
        self.now += self.rng.randrange(TICKS, max(min(seconds, 40 * self.pace), 2) * TICKS)

    def below(self, bound: int) -> int:
        """At random; quicker than ``randrange``, which matters a million times."""
        return int(self.rng.random() * bound)

    def id(self, letter: str) -> str:
        return dashed(self.rng, letter)

    def held(self, asset: str, wallet: str = SPOT) -> int:
        """What can be spent."""
        inside = self.allocated[asset] if self.earn_codes is EarnCodes.PLAIN and wallet == SPOT else 0
        return self.has[asset, wallet] - inside

    def part(self, asset: str, low: int, high: int, wallet: str = SPOT) -> int:
        """Between ``low`` and ``high`` thousandths of what can be spent."""
        return self.held(asset, wallet) * (low + self.below(high - low + 1)) // 1000

    def book(self, refid: str, type_: str, subtype: str, *legs: Leg) -> list[str]:
        """Book the legs of one cause, in order; gives their ids."""
        return [self._row(refid, type_, subtype, leg) for leg in legs]

    def fill(self, trade_id: str, fields: Json, ledgers: Sequence[str], at: int | None = None) -> None:
        """Note a trade of those ledger rows; ``at``: the ticks of its first leg, if that was not the last row."""
        self.trades.append(Entry(trade_id, stamp(self.now if at is None else at), fields | {"ledgers": list(ledgers)}))

    def _row(self, refid: str, type_: str, subtype: str, leg: Leg) -> str:
        at = self.now + leg.later
        self.now = max(self.now, at)
        asset = ASSETS[leg.asset]
        place = leg.asset, leg.wallet
        self.has[place] += leg.amount - leg.fee
        row_id = dashed(self.rng, "L")
        fields = {
            "refid": refid,
            "type": type_,
            "subtype": subtype,
            "aclass": asset.aclass,
            "asset": leg.asset,
            "amount": text(leg.amount, asset.decimals),
            "fee": self._fee(leg.fee, asset.decimals),
            "balance": text(self.has[place], asset.decimals),
            "wallet": leg.wallet,
        }
        self.ledgers.append(Entry(row_id, stamp(at), fields))
        return row_id

    def _fee(self, fee: int, decimals: int) -> str:
        if self.fine_fees and fee > 0 and self.below(20) == 0:
            return text(fee * 10 + self.below(9) - 4, decimals + 1)
        return text(fee, decimals)


def text(units: int, decimals: int) -> str:
    """Plain notation with all of the asset's decimals."""
    if units == 0:
        return _ZEROS[decimals]
    digits = str(abs(units)).zfill(decimals + 1)
    return f"{'-' if units < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


def stamp(ticks: int) -> Decimal:
    """The time as rows of its years print it."""
    decimals = 6 if ticks >= _SIX_DECIMALS else 4 if ticks >= _FOUR_DECIMALS else 7
    return Decimal(ticks // 10 ** (7 - decimals)).scaleb(-decimals)


def one(asset: str) -> int:
    """A whole unit of the asset, in units of its last decimal."""
    return int(10 ** ASSETS[asset].decimals)


def units(asset: str, whole: int) -> int:
    return whole * one(asset)


def rescale(number: int, from_decimals: int, to_decimals: int) -> int:
    """Half up, as the exchange rounds a cost to what the ledger keeps."""
    step = int(10 ** abs(to_decimals - from_decimals))
    return number * step if to_decimals >= from_decimals else (number + step // 2) // step


def volume_step(pair: Pair) -> int:
    """The smallest volume, in lots, that the base asset's decimals can hold."""
    return int(10 ** max(pair.lot_decimals - ASSETS[pair.base].decimals, 0))
