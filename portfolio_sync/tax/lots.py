"""Lots taken in an order: one body for FIFO, LIFO, HIFO, LOFO and named lots, which differ in a sort key alone.

The history of one asset, all wallets together, goes through once in order of time. Quantities and costs are conserved
exactly: a share is cut to 20 decimals, and the last part of a lot or of a sale takes what is left by subtraction.
"""

from __future__ import annotations

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

    __slots__ = ("acquired", "cost", "order", "origin", "quantity")

    def __init__(self, origin: Movement, order: int, quantity: Decimal, cost: Decimal | None) -> None:
        self.origin, self.order, self.quantity, self.cost = origin, order, quantity, cost
        self.acquired = (origin.acquired_at - EPOCH) // MICROSECOND


Part = tuple[OpenLot, Decimal, Decimal | None]
"""A lot, units taken from it, and their cost."""
Picks = Sequence[tuple[str, Decimal]]


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
    """The lots that lie in one wallet, as a heap in the order last asked for."""

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

    def lots_named(self, row: str) -> list[OpenLot]:
        if self.named is None:
            self.named = {}
            for _, _, lot in sorted(self.heap):
                self.name(lot)
        return self.named.get(row, [])

    def sort_by(self, order: Order) -> None:
        if self.order is not order:
            self.order = order
            self.heap = [(order.key(lot), count, lot) for _, count, lot in self.heap if lot.quantity]
            heapify(self.heap)

    def best(self) -> Key:
        """The key of the lot that goes first; the pool must not be empty."""
        while not self.heap[0][2].quantity:
            heappop(self.heap)  # used up by name
        return self.heap[0][0]

    def take(self, wanted: Decimal) -> Part:
        """As much of the lot that goes first as there is and is wanted."""
        self.best()
        lot = self.heap[0][2]
        if lot.quantity > wanted:
            return self.cut(lot, wanted)
        heappop(self.heap)
        return self.cut(lot, lot.quantity)

    def cut(self, lot: OpenLot, part: Decimal) -> Part:
        cost = lot.cost if part == lot.quantity else share(lot.cost, part, lot.quantity)
        lot.quantity -= part
        self.total -= part
        if lot.cost is not None and cost is not None:
            lot.cost -= cost
        return lot, part, cost


def match_lots(movements: Iterable[Movement], rules: LotRules) -> Matching:
    """Matches one asset's history in order of time. Stops at the first movement that asks for more than is known."""
    with localcontext(EXACT):
        return Books(rules).run(movements)


class Books:
    """The state of one asset while its history runs: the lots of each wallet.

    While the wallets are one pool, a sale takes the first lot wherever it lies; as many units of the wallet that sold then
    take its place there, so that the lots of a wallet always add up to the units that lie in it.
    """

    def __init__(self, rules: LotRules) -> None:
        self.rules, self.matches = rules, list[Match]()
        self.pools: dict[str, Pool] = {}
        self.per_wallet = False

    def run(self, movements: Iterable[Movement]) -> Matching:
        wallets_from = self.rules.wallets_from
        for order, movement in enumerate(movements):
            if not self.per_wallet:
                self.per_wallet = wallets_from is not None and movement.time >= wallets_from
            pool = self.pool(movement.wallet, movement.time)
            if movement.act is Act.ACQUIRE:
                pool.add(OpenLot(movement, order, movement.quantity, movement.money))
                continue
            if movement.act is Act.MOVE and not self.per_wallet:
                self.move(movement, pool, min(movement.quantity, pool.total))
                continue
            missing = movement.quantity - self.available(pool)
            if missing > 0:
                if not self.rules.zero_cost:
                    return Matching(self.matches, self.left(), movement, missing)
                pool.add(OpenLot(movement, order, missing, ZERO))
            if movement.act is Act.MOVE:
                self.move(movement, pool, movement.quantity)
            else:
                self.dispose(movement, pool)
        return Matching(self.matches, self.left())

    def pool(self, wallet: str, time: datetime) -> Pool:
        order = self.rules.order_at(time, wallet)
        pool = self.pools.get(wallet)
        if pool is None:
            pool = self.pools[wallet] = Pool(order)
        pool.sort_by(order)
        return pool

    def available(self, pool: Pool) -> Decimal:
        return pool.total if self.per_wallet else sum((each.total for each in self.pools.values()), ZERO)

    def taken(self, wanted: Decimal, picks: Picks, pools: Sequence[Pool]) -> Iterator[tuple[Pool, Part]]:
        """Parts of lots out of ``pools``, ``wanted`` units together (there must be as many): named lots first, then in order."""
        for row, number in picks:
            left = number
            for pool, lot in [(each, lot) for each in pools for lot in each.lots_named(row)]:
                part = min(wanted, left, lot.quantity)
                if part:
                    wanted, left = wanted - part, left - part
                    yield pool, pool.cut(lot, part)
        while wanted:
            first = pools[0] if len(pools) == 1 else min((pool for pool in pools if pool.total), key=Pool.best)
            part_of_lot = first.take(wanted)
            wanted -= part_of_lot[1]
            yield first, part_of_lot

    def dispose(self, movement: Movement, home: Pool) -> None:
        pools = [home] if self.per_wallet or len(self.pools) == 1 else self.all_in(home.order)
        elsewhere: dict[int, tuple[Pool, Decimal]] = {}
        rest, proceeds, rule = movement.quantity, movement.money, home.order.name
        for pool, (lot, quantity, cost) in self.taken(movement.quantity, movement.picks, pools):
            part = proceeds if quantity == rest else share(proceeds, quantity, rest)
            self.matches.append(Match(movement, lot.origin, quantity, cost, part, rule))
            rest -= quantity
            if proceeds is not None and part is not None:
                proceeds -= part
            if pool is not home:
                elsewhere[id(pool)] = pool, quantity + elsewhere.get(id(pool), (pool, ZERO))[1]
        for pool, quantity in elsewhere.values():
            self.carry(home, pool, min(quantity, home.total))

    def all_in(self, order: Order) -> list[Pool]:
        """Every wallet's lots, sorted by the order of the one that sells; wallets by name, which breaks ties."""
        for pool in self.pools.values():
            pool.sort_by(order)
        return [pool for _, pool in sorted(self.pools.items())]

    def move(self, movement: Movement, source: Pool, quantity: Decimal) -> None:
        self.carry(source, self.pool(movement.to_wallet, movement.time), quantity, movement.picks)

    def carry(self, source: Pool, target: Pool, quantity: Decimal, picks: Picks = ()) -> None:
        for _, (lot, part, cost) in list(self.taken(quantity, picks, [source])):
            target.add(OpenLot(lot.origin, lot.order, part, cost))

    def left(self) -> list[Lot]:
        lots = [(lot, wallet) for wallet, pool in self.pools.items() for _, _, lot in pool.heap if lot.quantity]
        lots.sort(key=lambda found: (*oldest(found[0]), found[1]))
        return merged(Lot(lot.origin, wallet, lot.quantity, lot.cost) for lot, wallet in lots)


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
