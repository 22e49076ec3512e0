"""France: the gain on a sale is measured against the whole portfolio (CGI art. 150 VH bis, BOI-RPPM-PVBMC-30-20).

gain = (price - fees) - A x price / V. A is what all coins cost, less the parts of it that earlier sales used; V is what all
coins were worth just before the sale. Coins for coins is no sale; money and goods are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from portfolio_sync.core.amount import EXACT, ZERO, plus, shortest
from portfolio_sync.core.event import Kind
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.lot import POOL, Act, Lot, Match, Matching, Movement, share
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.value import Valued, stated
from portfolio_sync.tax.pool import Whereabouts, by_entry, entry
from portfolio_sync.tax.profile import Method, Profile

TAXED = frozenset({Kind.SELL.value, Kind.SPEND.value})
COSTS_NOTHING = frozenset({Kind.TRADE.value})
"""A swap puts off the tax: what it brings has no price of its own."""
WHOLE = "*"


def fr_pamc(history: Sequence[Movement], _profile: Profile, _standing: object = ()) -> Matching:
    """``history``: of all assets of the taxpayer, taxed sales with their ``portfolio_value``.

    Units are not counted here: whoever states V answers for it. One open lot ``*`` remains: the acquisition price left.
    """
    spent, matches, places = Acquisitions(), list[Match](), defaultdict[str, Whereabouts](Whereabouts)
    with localcontext(EXACT):
        for m in by_entry(history):
            if m.act is Act.ACQUIRE and m.kind not in COSTS_NOTHING:
                spent.add(m)
            elif m.act is Act.DISPOSE and m.kind in TAXED:
                matches.append(spent.use(m))
            places[m.asset].book(m)
        return Matching(matches, [spent.left(history[-1])] if history else (), held=list(held(places)))


class Acquisitions:
    """A, and since when it is not known."""

    def __init__(self) -> None:
        self.price: Decimal | None = ZERO
        self.spoiled_by: Movement | None = None

    def add(self, m: Movement) -> None:
        self.price = plus(self.price, m.money)
        self.spoiled_by = self.spoiled_by or (m if m.money is None else None)

    def use(self, sale: Movement) -> Match:
        """The fraction is of the price before fees, and never more than all there is."""
        price, value = sale.price, sale.portfolio_value
        if price is None or value is None:
            self.price, self.spoiled_by = None, self.spoiled_by or sale
        used = share(self.price, min(price, value), value) if price is not None and value else self.price
        if self.price is not None and used is not None:
            self.price -= used
        return Match(
            sale,
            None,
            sale.quantity,
            used,
            sale.money,
            Method.FR_PAMC.value,
            spoiled_by=self.spoiled_by if used is None else None,
        )

    def left(self, last: Movement) -> Lot:
        origin = Movement(Act.ACQUIRE, last.time, WHOLE, Decimal(1), self.price, POOL, last.account, "", (), "")
        return Lot(origin, "", Decimal(1), self.price)


def held(places: dict[str, Whereabouts]) -> Sequence[Lot]:
    """Units by asset and wallet; they have no cost of their own."""
    return [
        Lot(place.origin(wallet, units, None), wallet, units, None)
        for _, place in sorted(places.items())
        for wallet, units in place.settled()
    ]


# --- V: the value of the portfolio --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The history with V at each taxed sale, and why V is not known where it is not. ``without_value``: events of such sales."""

    history: list[Movement]
    findings: list[Finding]
    without_value: set[str]


def with_values(events: Sequence[Valued], moved: Callable[[Valued], Iterable[Movement]], lookup: Lookup) -> Portfolio:
    """V as stated for the sale; else all units held just before it at their prices, those sold at their own.

    Coins deposited from outside are held from the day they were acquired: the portfolio is that of all wallets.
    """
    worth, without_value = Worth(lookup), set[str]()
    history = [(m, valued) for valued in events for m in moved(valued)]
    for place in sorted(range(len(history)), key=lambda place: entry(history[place][0])):
        m, valued = history[place]
        taxed = m.act is Act.DISPOSE and m.kind in TAXED
        given = stated(valued.event.facts.portfolio_value, valued.event, lookup) if taxed else None
        if taxed:
            value = worth.as_stated(given.money) if given else worth.just_before(m)
            history[place] = m._replace(portfolio_value=value), valued
            if value is None:
                without_value.add(m.event)
            elif given and m.price is not None and value < m.price:
                worth.note(
                    m,
                    "portfolio_below_sale",
                    f"the coins of this {m.kind} brought {shortest(m.price)}, all coins were stated to be worth {shortest(value)}: portfolio_value counts those sold, too",
                )
        worth.book(m, counted=not given)
    return Portfolio([m for m, _ in history], [*worth.findings, *worth.shortages()], without_value)


class Worth:
    """Units of each asset while the history runs. More gone than known: the worth is not known from there on.

    Who states the worth at every sale from there on has answered for it; it is named where one is left to be reckoned.
    """

    def __init__(self, lookup: Lookup) -> None:
        self.lookup, self.findings = lookup, list[Finding]()
        self.units: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.short: dict[str, Finding] = {}
        self.answered, self.missed = set[str](), False

    def book(self, m: Movement, *, counted: bool) -> None:
        if m.act is Act.MOVE:
            return
        left = self.units[m.asset] + (m.quantity if m.act is Act.ACQUIRE else -m.quantity)
        if left < 0 and counted and m.asset not in self.short:
            self.short[m.asset] = found(
                m,
                "insufficient_holdings",
                f"this {m.kind} takes {-left} {m.asset} more than is known: state how they were acquired, or portfolio_value at each later sale",
            )
        self.units[m.asset] = max(left, ZERO)

    def as_stated(self, value: Decimal | None) -> Decimal | None:
        self.answered |= self.short.keys()
        return value

    def shortages(self) -> list[Finding]:
        return [finding for asset, finding in self.short.items() if self.missed or asset not in self.answered]

    def just_before(self, sale: Movement) -> Decimal | None:
        if self.short or sale.price is None or self.units[sale.asset] < sale.quantity:
            self.missed = True
            return None
        total, missing = sale.price * self.units[sale.asset] / sale.quantity, []
        for asset, units in sorted(self.units.items()):
            if units and asset != sale.asset:
                quote = self.lookup.quote(asset, sale.time)
                if quote is None:
                    missing.append(asset)
                else:
                    total += units * quote.rate
        if missing:
            self.note(
                sale,
                "missing_price",
                f"the portfolio has no value at this {sale.kind}: state portfolio_value, or import prices of {', '.join(missing)}",
            )
        return None if missing else total

    def note(self, m: Movement, code: str, message: str) -> None:
        self.findings.append(found(m, code, message))


def found(m: Movement, code: str, message: str) -> Finding:
    return Finding(Severity.ERROR, code, message, m.ids, m.time, m.account)
