"""Lots taken in an order: one body for FIFO, LIFO, HIFO, LOFO and named lots, which differ in a sort key alone.

The history of one asset, all wallets together, goes through once in order of time. Quantities and costs are conserved
exactly: a share is cut to 20 decimals, and the last part of a lot or of a sale takes what is left by subtraction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from heapq import heapify, heappop, heappush
from typing import Any

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.instant import EPOCH
from portfolio_sync.core.lot import Act, Lot, Match, Matching, Movement, share

MICROSECOND = timedelta(microseconds=1)
Key = tuple[Any, ...]


class OpenLot:
    """What is left of an acquisition while the history runs; ``order`` is its place among the movements."""

    __slots__ = ("acquired", "cost", "order", "origin", "quantity", "wallet")

    def __init__(self, origin: Movement, order: int, wallet: str, quantity: Decimal, cost: Decimal | None) -> None:
        self.origin, self.order, self.wallet, self.quantity, self.cost = origin, order, wallet, quantity, cost
        self.acquired = (origin.acquired_at - EPOCH) // MICROSECOND


def oldest(lot: OpenLot) -> Key:
    return lot.acquired, lot.order


def newest(lot: OpenLot) -> Key:
    return -lot.acquired, -lot.order


def by_unit(sign: int, money: Callable[[Movement], Decimal | None]) -> Callable[[OpenLot], Key]:
    """Dearest (sign -1) or cheapest (+1) unit first, then the oldest; a lot of unknown cost comes last."""

    def key(lot: OpenLot) -> Key:
        total = money(lot.origin)
        if total is None:
            return 1, ZERO, lot.acquired, lot.order
        return 0, EXACT.divide(total, lot.origin.quantity) * sign, lot.acquired, lot.order

    return key


@dataclass(frozen=True, slots=True)
class Order:
    """Which lot goes first, and the word for it in the reports."""

    name: str
    key: Callable[[OpenLot], Key]


@dataclass(frozen=True, slots=True)
class LotRules:
    """How one asset's history is matched.

    ``order_at`` gives the order that stood for a wallet at an instant. Pools are per wallet from ``wallets_from`` on (None:
    never), one pool before. ``zero_cost`` invents a lot of no cost where more is sold than known, instead of refusing.
    """

    order_at: Callable[[datetime, str], Order]
    wallets_from: datetime | None = None
    zero_cost: bool = False


class Pool:
    """Lots that one disposal may choose from, as a heap in the order last asked for."""

    __slots__ = ("count", "heap", "named", "order", "total")

    def __init__(self, order: Order) -> None:
        self.heap: list[tuple[Key, int, OpenLot]] = []
        self.order, self.total, self.count = order, ZERO, 0
        self.named: dict[str, list[OpenLot]] | None = None  # by row of the acquisition; made when first asked for

    def add(self, lot: OpenLot) -> None:
        self.count += 1  # parts of one lot have equal keys
        heappush(self.heap, (self.order.key(lot), self.count, lot))
        self.total += lot.quantity
        if self.named is not None:
            self.name(lot)

    def name(self, lot: OpenLot) -> None:
        assert self.named is not None
        for row in lot.origin.ids:
            self.named.setdefault(row, []).append(lot)

    def sort_by(self, order: Order) -> None:
        self.order = order
        self.heap = [(order.key(lot), count, lot) for _, count, lot in self.heap if lot.quantity]
        heapify(self.heap)

    def lots_named(self, row: str) -> list[OpenLot]:
        if self.named is None:
            self.named = {}
            for _, _, lot in sorted(self.heap):
                self.name(lot)
        return self.named.get(row, [])

    def take(
        self, wanted: Decimal, picks: Sequence[tuple[str, Decimal]]
    ) -> Iterator[tuple[OpenLot, Decimal, Decimal | None]]:
        """Parts of lots, ``wanted`` units together (there must be as many): named lots first, then by the order."""
        self.total -= wanted
        for row, number in picks:
            for lot in self.lots_named(row):
                part = min(wanted, number, lot.quantity)
                if part:
                    wanted, number = wanted - part, number - part  # noqa: PLW2901  # what is left of this pick
                    yield lot, part, self.cut(lot, part)
        heap = self.heap
        while wanted:
            lot = heap[0][2]
            if lot.quantity > wanted:
                yield lot, wanted, self.cut(lot, wanted)
                return
            heappop(heap)
            if lot.quantity:
                wanted -= lot.quantity
                quantity, lot.quantity = lot.quantity, ZERO
                yield lot, quantity, lot.cost

    @staticmethod
    def cut(lot: OpenLot, part: Decimal) -> Decimal | None:
        cost = lot.cost if part == lot.quantity else share(lot.cost, part, lot.quantity)
        lot.quantity -= part
        if lot.cost is not None and cost is not None:
            lot.cost -= cost
        return cost


def match_lots(movements: Iterable[Movement], rules: LotRules) -> Matching:
    """Matches one asset's history in order of time. Stops at the first movement that asks for more than is known."""
    with localcontext(EXACT):
        return Books(rules).run(movements)


class Books:
    """The state of one asset while its history runs: pools, and how many units lie in each wallet."""

    def __init__(self, rules: LotRules) -> None:
        self.rules, self.matches = rules, list[Match]()
        self.pools: dict[str, Pool] = {}
        self.held: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.per_wallet = False

    def run(self, movements: Iterable[Movement]) -> Matching:
        wallets_from = self.rules.wallets_from
        for order, movement in enumerate(movements):
            if not self.per_wallet and wallets_from is not None and movement.time >= wallets_from:
                self.split()
            if movement.act is Act.ACQUIRE:
                self.acquire(movement, order)
                continue
            if movement.act is Act.MOVE and not self.per_wallet:
                self.relabel(movement)  # inside one pool nothing leaves: only what lies where changes
                continue
            pool = self.pool(movement.wallet, movement.time)
            missing = movement.quantity - pool.total
            if missing > 0:
                if not self.rules.zero_cost:
                    return Matching(self.matches, self.left(), movement, missing)
                pool.add(OpenLot(movement, order, movement.wallet, missing, ZERO))
                self.held[movement.wallet] += missing
            if movement.act is Act.MOVE:
                self.move(movement, pool)
            else:
                self.dispose(movement, pool)
        return Matching(self.matches, self.left())

    def pool(self, wallet: str, time: datetime) -> Pool:
        name = wallet if self.per_wallet else ""
        order = self.rules.order_at(time, wallet)
        pool = self.pools.get(name)
        if pool is None:
            pool = self.pools[name] = Pool(order)
        elif pool.order is not order:
            pool.sort_by(order)
        return pool

    def acquire(self, movement: Movement, order: int) -> None:
        self.pool(movement.wallet, movement.time).add(
            OpenLot(movement, order, movement.wallet, movement.quantity, movement.money)
        )
        self.held[movement.wallet] += movement.quantity

    def dispose(self, movement: Movement, pool: Pool) -> None:
        self.held[movement.wallet] -= movement.quantity
        rest, proceeds, rule = movement.quantity, movement.money, pool.order.name
        for lot, quantity, cost in pool.take(movement.quantity, movement.picks):
            part = proceeds if quantity == rest else share(proceeds, quantity, rest)
            self.matches.append(Match(movement, lot.origin, quantity, cost, part, rule))
            rest -= quantity
            if proceeds is not None and part is not None:
                proceeds -= part

    def relabel(self, movement: Movement) -> None:
        self.held[movement.wallet] -= movement.quantity
        self.held[movement.to_wallet] += movement.quantity

    def move(self, movement: Movement, pool: Pool) -> None:
        self.relabel(movement)
        target = self.pool(movement.to_wallet, movement.time)
        for lot, quantity, cost in list(pool.take(movement.quantity, movement.picks)):
            target.add(OpenLot(lot.origin, lot.order, movement.to_wallet, quantity, cost))

    def lots(self) -> list[OpenLot]:
        return sorted(
            (lot for pool in self.pools.values() for _, _, lot in pool.heap if lot.quantity),
            key=lambda lot: (*oldest(lot), lot.wallet),
        )

    def split(self) -> None:
        """One pool becomes a pool per wallet, each with as many units as lie there."""
        lots, self.pools, self.per_wallet = list(self.placed()), {}, True
        for lot in lots:
            self.pool(lot.wallet, lot.origin.time).add(lot)

    def placed(self) -> Iterator[OpenLot]:
        """The lots of the one pool, laid where the units lie.

        Each stays where it was acquired as far as there are units (the oldest first); the others fill the wallets that
        have more units than lots, in order of name.
        """
        room = {wallet: number for wallet, number in sorted(self.held.items()) if number > 0}
        homeless: list[OpenLot] = []
        for lot in self.lots():
            stays = min(lot.quantity, room.get(lot.wallet, ZERO))
            if stays:
                room[lot.wallet] -= stays
                yield self.part(lot, stays, lot.wallet)
            if lot.quantity:
                homeless.append(lot)
        for lot in homeless:
            for wallet, number in room.items():
                part = min(lot.quantity, number)
                if part:
                    room[wallet] = number - part
                    yield self.part(lot, part, wallet)
            if lot.quantity:  # wallets that a history without all its transfers left below zero
                yield self.part(lot, lot.quantity, lot.wallet)

    @staticmethod
    def part(lot: OpenLot, quantity: Decimal, wallet: str) -> OpenLot:
        return OpenLot(lot.origin, lot.order, wallet, quantity, Pool.cut(lot, quantity))

    def left(self) -> list[Lot]:
        lots = self.lots() if self.per_wallet else self.placed()
        return merged(Lot(lot.origin, lot.wallet, lot.quantity, lot.cost) for lot in lots)


def merged(lots: Iterable[Lot]) -> list[Lot]:
    """Parts of one lot in one wallet are one."""
    sums: dict[tuple[int, str], Lot] = {}
    for lot in lots:
        key = id(lot.origin), lot.wallet
        if known := sums.get(key):
            cost = None if known.cost is None or lot.cost is None else known.cost + lot.cost
            lot = Lot(lot.origin, lot.wallet, known.quantity + lot.quantity, cost)  # noqa: PLW2901  # the two as one
        sums[key] = lot
    return list(sums.values())
