"""Units at an average cost, and where they lie: what every averaging rule is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from portfolio_sync.core.amount import ZERO, plus
from portfolio_sync.core.event import Kind
from portfolio_sync.core.instant import EPOCH
from portfolio_sync.core.lot import POOL, Act, Lot, Movement, share


class Pool:
    """Units at one average cost. Units of unknown cost make it unknown, until not a unit is left."""

    __slots__ = ("cost", "quantity", "spoiled_by")

    def __init__(self) -> None:
        self.quantity = ZERO
        self.cost: Decimal | None = ZERO
        self.spoiled_by: Movement | None = None

    def add(self, quantity: Decimal, cost: Decimal | None, origin: Movement | None) -> None:
        """``origin``: what to name where ``cost`` is None."""
        self.quantity += quantity
        self.spoiled_by = self.spoiled_by or (origin if cost is None else None)
        self.cost = plus(self.cost, cost)

    def take(self, quantity: Decimal) -> Decimal | None:
        """The cost of units that leave at the average; the last ones take the exact rest. There must be as many."""
        if quantity == self.quantity:
            cost = self.cost
            self.quantity, self.cost, self.spoiled_by = ZERO, ZERO, None
            return cost
        cost = share(self.cost, quantity, self.quantity)
        self.quantity -= quantity
        if self.cost is not None and cost is not None:
            self.cost -= cost
        return cost


class Whereabouts:
    """How many units of one asset lie in each wallet. A wallet may owe units for a while: one pool covers all."""

    __slots__ = ("account", "asset", "last", "units")

    def __init__(self) -> None:
        self.asset, self.last = "", EPOCH
        self.units: dict[str, Decimal] = {}
        self.account: dict[str, str] = {}

    def book(self, m: Movement) -> None:
        self.asset, self.last = m.asset, m.time
        self.put(m.wallet, m.account, m.quantity if m.act is Act.ACQUIRE else -m.quantity)
        if m.act is Act.MOVE:
            self.put(m.to_wallet, m.account, m.quantity)

    def put(self, wallet: str, account: str, quantity: Decimal) -> None:
        self.units[wallet] = self.units.get(wallet, ZERO) + quantity
        self.account[wallet] = account

    def settled(self) -> Iterator[tuple[str, Decimal]]:
        """The wallets that hold units, by name; what others owe is taken from the first that have it."""
        owed = -sum((units for units in self.units.values() if units < 0), ZERO)
        for wallet, units in sorted(self.units.items()):
            if units > 0:
                covered = min(units, owed)
                owed -= covered
                if units > covered:
                    yield wallet, units - covered

    def lots(self, pool: Pool) -> Iterator[Lot]:
        """The units of each wallet at the pool's average; the last wallet takes the exact rest."""
        rest = Pool()
        rest.quantity, rest.cost = pool.quantity, pool.cost
        for wallet, units in self.settled():
            cost = rest.take(units)
            yield Lot(self.origin(wallet, units, cost), wallet, units, cost)

    def origin(self, wallet: str, units: Decimal, cost: Decimal | None) -> Movement:
        return Movement(Act.ACQUIRE, self.last, self.asset, units, cost, POOL, self.account[wallet], wallet, (), "")


def entry(m: Movement) -> datetime:
    """When units joined what a taxpayer owns: coins deposited from outside were his before, from the day he states."""
    return m.acquired_at if m.kind == Kind.DEPOSIT else m.time


def by_entry(history: Iterable[Movement]) -> list[Movement]:
    """In order of joining; equal instants keep their order."""
    return sorted(history, key=entry)
