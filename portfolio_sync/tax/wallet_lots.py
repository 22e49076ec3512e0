"""The lots that lie in one wallet, in the order in which they go."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from heapq import heappop, heappush
from itertools import chain

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.lot import share
from portfolio_sync.tax.orders import Key, OpenLot, Order

Part = tuple[OpenLot, Decimal, Decimal | None]
"""A lot, units taken from it, and their cost."""
Entry = tuple[Key, int, OpenLot]


class WalletLots:
    """Lots that come in the order in which they go queue up; the others wait in a heap. Used up ones are dropped when met."""

    __slots__ = ("count", "heap", "named", "order", "queue", "total")

    def __init__(self, order: Order) -> None:
        self.queue: deque[Entry] = deque()
        self.heap: list[Entry] = []
        self.order, self.total, self.count = order, ZERO, 0
        self.named: dict[str, list[OpenLot]] | None = None  # by row of the acquisition; made when first asked for

    def __iter__(self) -> Iterator[Entry]:
        return (entry for entry in chain(self.queue, self.heap) if entry[2].quantity)

    def add(self, lot: OpenLot) -> None:
        self.count += 1  # parts of one lot have equal keys
        key, queue = self.order.key(lot), self.queue
        self.total += lot.quantity
        if self.named is not None:
            self.name(lot)
        if queue and key < queue[-1][0]:
            heappush(self.heap, (key, self.count, lot))
        else:
            queue.append((key, self.count, lot))

    def name(self, lot: OpenLot) -> None:
        assert self.named is not None
        for row in lot.origin.ids:
            self.named.setdefault(row, []).append(lot)

    def lots_named(self, row: str) -> list[OpenLot]:
        if self.named is None:
            self.named = {}
            for _, _, lot in sorted(self):
                self.name(lot)
        return self.named.get(row, [])

    def sort_by(self, order: Order) -> None:
        if self.order is not order:
            self.order = order
            self.queue = deque(sorted((order.key(lot), count, lot) for _, count, lot in self))
            self.heap = []

    def age(self, fresh_from: datetime) -> None:
        """Lots keyed ``fresh`` that no longer are go behind; each does so once."""
        while self.total:
            (rank, *rest), _, lot = self.first()
            if rank or lot.acquired >= fresh_from:
                return
            if self.heap and self.heap[0][2] is lot:
                heappop(self.heap)
            else:
                self.queue.popleft()
            self.count += 1
            heappush(self.heap, ((1, *rest), self.count, lot))

    def first(self) -> Entry:
        """The lot that goes first; there must be one."""
        queue, heap = self.queue, self.heap
        while queue and not queue[0][2].quantity:
            queue.popleft()
        if not heap:
            return queue[0]
        while heap and not heap[0][2].quantity:
            heappop(heap)
        return heap[0] if heap and (not queue or heap[0] < queue[0]) else queue[0]

    def best(self) -> Key:
        return self.first()[0]

    def take(self, wanted: Decimal) -> Part:
        """As much of the lot that goes first as there is and is wanted."""
        lot = self.first()[2]
        return self.cut(lot, min(lot.quantity, wanted))

    def take_all(self, wanted: Decimal) -> list[Part]:
        """``wanted`` units (there must be as many) lot by lot. What ``take`` does, written out: most of a report's time is here."""
        self.total -= wanted
        parts = list[Part]()
        while True:
            lot = self.first()[2]
            quantity, cost = lot.quantity, lot.cost
            if quantity < wanted:
                parts.append((lot, quantity, cost))
                lot.quantity = ZERO
                wanted -= quantity
                continue
            if quantity > wanted and cost is not None:
                part = share(cost, wanted, quantity)
                lot.cost, cost = cost - part, part
            lot.quantity = quantity - wanted
            parts.append((lot, wanted, cost))
            return parts

    def cut(self, lot: OpenLot, part: Decimal) -> Part:
        self.total -= part
        if part == lot.quantity:
            lot.quantity = ZERO
            return lot, part, lot.cost
        cost = share(lot.cost, part, lot.quantity)
        lot.quantity -= part
        if cost is not None and lot.cost is not None:
            lot.cost -= cost
        return lot, part, cost
