"""What each leg and fee of an event was worth in the report currency, and how we know.

In this order: what a person stated; the event's own money; for a trade of coins the price of what is received, else of
what is given (some laws take that price as the cost of what is received); for a fee in a coin of the event the event's own rate. What has no value stays None, with a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.asset import FIAT
from portfolio_sync.core.event import Event, Kind, Leg
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.lot import share
from portfolio_sync.pricing.quote import Lookup

STATED, OWN_MONEY, OWN_RATE = "stated", "own leg", "own rate"


@dataclass(slots=True, unsafe_hash=True)  # not frozen: as core.event
class Value:
    """Money without a sign in the report currency; None: not known. ``source`` "" where nothing was looked for."""

    money: Decimal | None
    source: str = ""


UNKNOWN = Value(None)


@dataclass(slots=True, unsafe_hash=True)  # not frozen: as core.event
class Valued:
    """An event with a value for each of its legs and fees, in their order."""

    event: Event
    legs: tuple[Value, ...]
    fees: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Valuation:
    """All events valued, and a finding for each that lacks a value."""

    events: tuple[Valued, ...]
    findings: tuple[Finding, ...]


def value_all(events: Iterable[Event], lookup: Lookup) -> Valuation:
    """Values every event; a value that is needed and not known is a ``missing_price`` finding of its event.

    Which price rows were used, and which are wanted, is in ``lookup`` afterwards.
    """
    findings, valued = list[Finding](), list[Valued]()
    with localcontext(EXACT):
        for event in events:
            own = event if event.facts.cost is None else with_cost(event, lookup, findings)
            valued.append(value(own, lookup))
            if found := missing(valued[-1], lookup.currency):
                findings.append(found)
    return Valuation(tuple(valued), tuple(findings))


def with_cost(event: Event, lookup: Lookup, findings: list[Finding]) -> Event:
    """A stated cost in the report currency, exchanged at the rate of the day of acquisition; without one it is not known."""
    facts = event.facts
    if facts.cost is None or facts.currency in ("", lookup.currency):
        return event
    quote = lookup.quote(facts.currency, facts.acquired or event.time)
    if quote is None:
        message = f"the stated cost in {facts.currency} has no value in {lookup.currency}: run prices fetch, or import a rate of {facts.currency}"
        findings.append(Finding(Severity.ERROR, "missing_price", message, event.source, event.time, event.account))
    return replace(event, facts=replace(facts, cost=facts.cost * quote.rate if quote else None))


def value(event: Event, lookup: Lookup) -> Valued:
    """Values one event. Runs in the caller's decimal context, which must be exact enough (``core.amount.EXACT``)."""
    legs = LEGS.get(event.kind, nothing)(event, lookup)
    return Valued(event, legs, tuple(fee_value(event, legs, fee, lookup) for fee in event.fees))


def size(number: Decimal) -> Decimal:
    """Without its sign; the same object where it has none: a history has a million of them."""
    return number if number > 0 else abs(number)


def nothing(event: Event, _lookup: Lookup) -> tuple[Value, ...]:
    return (UNKNOWN,) * len(event.legs)


def looked_up(leg: Leg, event: Event, lookup: Lookup) -> Value:
    if leg.asset == lookup.currency:
        return Value(size(leg.number), OWN_MONEY)
    quote = lookup.quote(leg.asset, event.time)
    return Value(abs(leg.number) * quote.rate, quote.source or OWN_MONEY) if quote else UNKNOWN


def stated(money: Decimal | None, event: Event, lookup: Lookup) -> Value | None:
    """A stated amount, exchanged where it is not in the report currency."""
    if money is None:
        return None
    quote = lookup.quote(event.facts.currency or lookup.currency, event.time)
    return Value(money * quote.rate, " * ".join(filter(None, (STATED, quote.source)))) if quote else UNKNOWN


def single(event: Event, lookup: Lookup) -> tuple[Value, ...]:
    """Kinds with one thing coming or going: income, spending, gifts, fees. A value stated for a position in two assets is of neither."""
    by_person = stated(event.facts.value, event, lookup) if len(event.legs) == 1 else None
    return tuple(by_person or looked_up(leg, event, lookup) for leg in event.legs)


def gift(event: Event, lookup: Lookup) -> tuple[Value, ...]:
    """The value of a gift is used only where it is stated or at hand: its absence is no finding."""
    by_person = stated(event.facts.value, event, lookup)
    if by_person:
        return (by_person,) * len(event.legs)
    quotes = [lookup.find(leg.asset, event.time) for leg in event.legs]
    return tuple(
        Value(abs(leg.number) * q.rate, q.source) if q else UNKNOWN for leg, q in zip(event.legs, quotes, strict=True)
    )


def exchange(event: Event, lookup: Lookup) -> tuple[Value, ...]:
    """Both sides of a trade are worth the same, unless a person states another value for what is received."""
    given = stated(event.facts.value, event, lookup) or worth(event, lookup)
    received = stated(event.facts.counter_value, event, lookup) or paid_in_coins(event, lookup) or given
    if len(event.legs) == 2:
        return (given, received) if event.legs[0].number < 0 else (received, given)
    sides = {
        False: iter(spread(event.given, given, event, lookup)),
        True: iter(spread(event.received, received, event, lookup)),
    }
    return tuple(next(sides[leg.number > 0]) for leg in event.legs)


def paid_in_coins(event: Event, lookup: Lookup) -> Value | None:
    """The market value of coins given for coins, where that is what the coins received have cost."""
    asked = lookup.policy.cost_at_given and event.kind is Kind.TRADE and event.facts.value is None
    return total_of(event.given, event, lookup) if asked else None


def worth(event: Event, lookup: Lookup) -> Value:
    """The money side; where there is none what is received, else what is given."""
    money = [leg for leg in event.legs if leg.asset in FIAT or leg.asset == lookup.currency]
    if len(money) == 1 and money[0].asset == lookup.currency:
        return Value(size(money[0].number), OWN_MONEY)
    sides = (money,) if money else (event.received, event.given)
    for side in sides:
        if side and (total := total_of(side, event, lookup)):
            return total
    for leg in sides[0] or event.given:
        lookup.quote(leg.asset, event.time)  # remembered as missed
    return UNKNOWN


def total_of(side: Sequence[Leg], event: Event, lookup: Lookup) -> Value | None:
    quotes = [lookup.find(leg.asset, event.time) for leg in side]
    if None in quotes:
        return None
    if len(side) == 1 and quotes[0]:
        return Value(abs(side[0].number) * quotes[0].rate, quotes[0].source or OWN_MONEY)
    priced = [(abs(leg.number) * quote.rate, quote.source) for leg, quote in zip(side, quotes, strict=True) if quote]
    sources = dict.fromkeys(source for _, source in priced if source)
    return Value(sum((money for money, _ in priced), ZERO), "; ".join(sources) or OWN_MONEY)


def spread(side: Sequence[Leg], total: Value, event: Event, lookup: Lookup) -> list[Value]:
    """The total over several legs, in proportion to their prices; the last takes the exact rest."""
    if len(side) == 1 or total.money is None:
        return [total] * len(side)
    weights = [looked_up(leg, event, lookup).money for leg in side]
    known = [weight for weight in weights if weight is not None]
    if len(known) < len(side) or not sum(known):
        return [UNKNOWN] * len(side)
    rest, weight_left, parts = total.money, sum(known, ZERO), []
    for weight in known:
        part = share(rest, weight, weight_left) if weight_left else ZERO
        parts.append(Value(part, f"{total.source} by price"))
        rest, weight_left = rest - (part or ZERO), weight_left - weight
    return parts


LEGS: dict[Kind, Callable[[Event, Lookup], tuple[Value, ...]]] = {
    Kind.BUY: exchange,
    Kind.SELL: exchange,
    Kind.TRADE: exchange,
    Kind.INCOME: single,
    Kind.SPEND: single,
    Kind.FEE: single,
    Kind.MARGIN: single,
    Kind.GIFT_IN: gift,
    Kind.GIFT_OUT: gift,
}
# Kinds whose fees are a cost of something, or coins that go.
CHARGED = frozenset(
    {Kind.BUY, Kind.SELL, Kind.TRADE, Kind.SPEND, Kind.GIFT_OUT, Kind.MARGIN, Kind.TRANSFER, Kind.WITHDRAWAL}
)
OPTIONAL = frozenset({Kind.GIFT_IN, Kind.GIFT_OUT})


def fee_value(event: Event, legs: Sequence[Value], fee: Leg, lookup: Lookup) -> Value:
    if event.kind not in CHARGED or (event.kind in (Kind.TRANSFER, Kind.WITHDRAWAL) and fee.asset in FIAT):
        return UNKNOWN
    by_person = stated(event.facts.fee_value, event, lookup)
    if by_person is None and fee.asset == lookup.currency and fee.asset in FIAT:
        return looked_up(fee, event, lookup)
    return by_person or own_rate(event, legs, fee) or looked_up(fee, event, lookup)


def own_rate(event: Event, legs: Sequence[Value], fee: Leg) -> Value | None:
    """A fee in a coin of the event, at the rate of the event itself."""
    for leg, worth_ in zip(event.legs, legs, strict=True):
        if leg.asset == fee.asset and leg.asset not in FIAT and worth_.money is not None:
            money = market_value(event, legs, leg, worth_.money)
            return Value(share(money, fee.number, abs(leg.number)), OWN_RATE)
    return None


def market_value(event: Event, legs: Sequence[Value], leg: Leg, cost: Decimal) -> Decimal:
    """What a leg was worth: of a coin received for another its cost may say something else, and the other's proceeds say it."""
    pair = event.kind is Kind.TRADE and len(legs) == 2 and leg.number > 0 and event.facts.counter_value is None
    proceeds = legs[1 - event.legs.index(leg)].money if pair else None
    return cost if proceeds is None else proceeds


def lacking(valued: Valued) -> list[Leg]:
    """Legs and fees whose value the event needs and does not have."""
    event = valued.event
    for found in (*valued.legs, *valued.fees):
        if found.money is None:
            break
    else:
        return []
    legs = zip(event.legs, valued.legs, strict=True) if event.kind in LEGS and event.kind not in OPTIONAL else ()
    fees = zip(event.fees, valued.fees, strict=True) if event.kind in CHARGED else ()
    no_figure = event.kind in (
        Kind.TRANSFER,
        Kind.WITHDRAWAL,
        Kind.FEE,
    )  # money charged alone, or for a move, is in none
    return [leg for leg, found in (*legs, *fees) if found.money is None and not (no_figure and leg.asset in FIAT)]


def sought(valued: Valued, currency: str) -> tuple[str, ...]:
    """What an event lacks a price of: its coins, or the currency in which their value is stated."""
    legs = lacking(valued)
    if not legs:
        return ()
    facts, fees = valued.event.facts, valued.event.fees
    abroad = facts.currency not in ("", currency)

    def name(leg: Leg) -> str:
        said = facts.fee_value if leg in fees else facts.value
        return leg.asset if said is None or not abroad else facts.currency

    return tuple(dict.fromkeys(map(name, legs)))


def blanks(valued: Valued) -> tuple[str, ...]:
    """The columns of the transactions CSV that would say it; a fee in a coin of an exchange follows from its value."""
    event, legs = valued.event, lacking(valued)
    follow = {leg.asset for leg in event.legs if leg.asset not in FIAT} if event.kind in LEGS else set()
    if event.kind is Kind.MARGIN and len(event.legs) > 1:
        return ()  # profit or loss in each asset: prices alone can say them
    asked = {
        "value": any(leg not in event.fees for leg in legs),
        "fee_value": any(leg in event.fees and leg.asset not in follow for leg in legs),
    }
    return tuple(column for column, wanted in asked.items() if wanted)


def missing(valued: Valued, currency: str) -> Finding | None:
    """The ``missing_price`` finding of an event, if it lacks a value."""
    names = sought(valued, currency)
    if not names:
        return None
    message = f"no value in {currency} for {', '.join(names)} in this {valued.event.kind}: run prices fetch, or import a price"
    return Finding(
        Severity.ERROR, "missing_price", message, valued.event.source, valued.event.time, valued.event.account
    )
