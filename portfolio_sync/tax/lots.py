"""Lots taken in an order: one body for FIFO, LIFO, HIFO, LOFO and named lots, which differ in a sort key alone.

The history of one asset, all wallets together, goes through once in order of time. Quantities and costs are conserved
exactly: a share is cut to 20 decimals, and the last part of a lot or of a sale takes what is left by subtraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from operator import attrgetter

from portfolio_sync.core.amount import EXACT, ZERO, plus
from portfolio_sync.core.lot import Act, Lot, Match, Matching, Movement, NotThere, share
from portfolio_sync.tax.orders import OpenLot, Order, oldest
from portfolio_sync.tax.wallet_lots import Part, WalletLots

Picks = Sequence[tuple[str, Decimal]]
NAMED = "spec_id"


def are_lots_named(movement: Movement) -> bool:
    """Whether a person chose the lots. A fee held back from what was just received comes out of its own row by rule."""
    return any(row not in movement.ids for row, _ in movement.picks)


@dataclass(frozen=True, slots=True)
class DatedOrder:
    """From an instant on, the lots of a wallet (None: of all) go in another order."""

    start: datetime
    wallet: str | None
    order: Order


@dataclass(frozen=True, slots=True)
class LotRules:
    """How one asset's history is matched.

    ``order`` holds until one of ``dated`` does; of those, the last that fits. Pools are per wallet from ``wallets_from`` on
    (None: never), one pool before. ``zero_cost`` invents a lot of no cost where more is sold than known, instead of refusing.
    """

    order: Order
    dated: Sequence[DatedOrder] = ()
    wallets_from: datetime | None = None
    zero_cost: bool = False

    def order_at(self, time: datetime, wallet: str) -> Order:
        found = self.order
        for one in self.dated:
            if one.start <= time and one.wallet in (None, wallet):
                found = one.order
        return found


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
        self.rules, self.matches, self.not_there = rules, list[Match](), list[NotThere]()
        self.wallets: dict[str, WalletLots] = {}
        self.per_wallet = False

    def run(self, movements: Iterable[Movement]) -> Matching:
        wallets_from, known = self.rules.wallets_from, {} if self.rules.dated else self.wallets
        for order, movement in enumerate(movements):
            if wallets_from is not None and not self.per_wallet:
                self.per_wallet = movement.time >= wallets_from
            wallet = known.get(movement.wallet) or self.wallet(movement.wallet, movement.time)
            if movement.act is Act.ACQUIRE:
                wallet.add(OpenLot(movement, order, movement.quantity, movement.money))
                continue
            if movement.act is Act.MOVE and not self.per_wallet:
                self.move(movement, wallet, min(movement.quantity, wallet.total))
                continue
            missing = movement.quantity - self.available(wallet)
            if missing > 0:
                if not self.rules.zero_cost:
                    return Matching(self.matches, self.left(), movement, missing, not_there=self.not_there)
                wallet.add(OpenLot(movement, order, missing, ZERO))
            if movement.act is Act.MOVE:
                self.move(movement, wallet, movement.quantity)
            else:
                self.dispose(movement, wallet)
        return Matching(self.matches, self.left(), not_there=self.not_there)

    def wallet(self, name: str, time: datetime) -> WalletLots:
        found = self.wallets.get(name)
        if found is None:
            found = self.wallets[name] = WalletLots(self.rules.order)
        if self.rules.dated:
            found.sort_by(self.rules.order_at(time, name))
        return found

    def available(self, wallet: WalletLots) -> Decimal:
        if self.per_wallet or len(self.wallets) == 1:
            return wallet.total
        return sum(map(attrgetter("total"), self.wallets.values()), ZERO)

    def taken(self, wanted: Decimal, picks: Picks, wallets: Sequence[WalletLots]) -> Iterator[tuple[WalletLots, Part]]:
        """Parts of lots out of ``wallets``, ``wanted`` units together (there must be as many): named lots first, then in order."""
        for row, number in picks:
            left = number
            for wallet, lot in [(each, lot) for each in wallets for lot in each.lots_named(row)]:
                part = min(wanted, left, lot.quantity)
                if part:
                    wanted, left = wanted - part, left - part
                    yield wallet, wallet.cut(lot, part)
        first = wallets[0]
        while wanted:
            if len(wallets) > 1:
                first = min((each for each in wallets if each.total), key=WalletLots.best)
            taken = first.take(wanted)
            wanted -= taken[1]
            yield first, taken

    def dispose(self, movement: Movement, home: WalletLots) -> None:
        wallets = [home] if self.per_wallet or len(self.wallets) == 1 else self.all_in(home.order)
        if home.order.fresh_from:
            for wallet in wallets:
                wallet.age(home.order.fresh_from(movement.time))
        if len(wallets) == 1 and not movement.picks:
            self.match(movement, home.take_all(movement.quantity), home.order.name)
            return
        taken = list(self.taken(movement.quantity, movement.picks, wallets))
        self.match(movement, [part for _, part in taken], NAMED if are_lots_named(movement) else home.order.name)
        for wallet in wallets:
            if wallet is not home:
                out = sum((part[1] for source, part in taken if source is wallet), ZERO)
                self.carry(home, wallet, min(out, home.total))

    def match(self, movement: Movement, parts: Sequence[Part], rule: str) -> None:
        """The parts with their shares of the proceeds; the last takes the exact rest."""
        rest, proceeds, append = movement.quantity, movement.money, self.matches.append
        for lot, quantity, cost in parts if len(parts) == 1 else lot_by_lot(parts):
            part = proceeds
            if quantity != rest and proceeds is not None:
                part = share(proceeds, quantity, rest)
                proceeds -= part
                rest -= quantity
            append(Match(movement, lot.origin, quantity, cost, part, rule))

    def all_in(self, order: Order) -> list[WalletLots]:
        """Every wallet's lots, sorted by the order of the one that sells; wallets by name, which breaks ties."""
        for wallet in self.wallets.values():
            wallet.sort_by(order)
        return [wallet for _, wallet in sorted(self.wallets.items())]

    def move(self, movement: Movement, source: WalletLots, quantity: Decimal) -> None:
        moved = self.carry(source, self.wallet(movement.to_wallet, movement.time), quantity, movement.picks)
        for row, named in movement.picks:
            there = sum((part for lot, part, _ in moved if row in lot.origin.ids), ZERO)
            if there < named:
                self.not_there.append(NotThere(movement, row, named, there))

    def carry(self, source: WalletLots, target: WalletLots, quantity: Decimal, picks: Picks = ()) -> list[Part]:
        parts = [part for _, part in self.taken(quantity, picks, [source])]
        for lot, part, cost in parts:
            target.add(OpenLot(lot.origin, lot.order, part, cost))
        return parts

    def left(self) -> list[Lot]:
        lots = [(lot, name) for name, wallet in self.wallets.items() for _, _, lot in wallet]
        lots.sort(key=lambda found: (*oldest(found[0]), found[1]))
        return merged(Lot(lot.origin, name, lot.quantity, lot.cost) for lot, name in lots)


def lot_by_lot(parts: Sequence[Part]) -> Sequence[Part]:
    """A lot may lie in several wallets, or have come to one at several times: what is taken of it is one part."""
    if len({id(lot.origin) for lot, _, _ in parts}) == len(parts):
        return parts
    found: dict[int, Part] = {}
    for lot, quantity, cost in parts:
        _, more, known = found.get(id(lot.origin), (lot, ZERO, ZERO))
        found[id(lot.origin)] = lot, more + quantity, plus(known, cost)
    return list(found.values())


def merged(lots: Iterable[Lot]) -> list[Lot]:
    """Parts of one lot in one wallet are one."""
    sums: dict[tuple[int, str], Lot] = {}
    for lot in lots:
        key = id(lot.origin), lot.wallet
        if known := sums.get(key):
            cost = plus(known.cost, lot.cost)
            lot = Lot(lot.origin, lot.wallet, known.quantity + lot.quantity, cost)  # noqa: PLW2901  # the two as one
        sums[key] = lot
    return list(sums.values())
