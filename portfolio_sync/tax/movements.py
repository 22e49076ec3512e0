"""Valued events become movements of lots: a function for each kind, the profile's conventions applied here and only here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

from portfolio_sync.core.amount import ZERO, minus, plus
from portfolio_sync.core.asset import FEE_CREDIT, FIAT
from portfolio_sync.core.event import Event, Kind, Leg
from portfolio_sync.core.lot import Act, Movement, share
from portfolio_sync.pricing.value import Value, Valued, size
from portfolio_sync.tax.profile import (
    BuyFee,
    CryptoFee,
    GiftIn,
    GiftOut,
    IncomeCost,
    Method,
    Profile,
    SellFee,
    TradeFee,
    TransferFee,
)

EXTERNAL = "external:"
HALF = Decimal("0.5")


class Charged(NamedTuple):
    """The fees of an event: their worth in money (None: not known), and the coins among them."""

    money: Decimal | None
    coins: tuple[tuple[Leg, Value], ...]


NO_FEES = Charged(ZERO, ())


def is_coin(asset: str, profile: Profile) -> bool:
    return asset not in FIAT and asset not in (FEE_CREDIT, profile.currency)


def movements(valued: Valued, profile: Profile) -> Iterator[Movement]:
    """The movements of one event in the order in which they count: what it is about first, its fees after."""
    kind = KINDS.get(valued.event.kind)
    return kind(valued, profile) if kind else iter(())


def charged(valued: Valued, profile: Profile) -> Charged:
    """Coins that leave in the disposal itself, or whose value is deducted nowhere, are no cost."""
    if not valued.fees:
        return NO_FEES
    money: Decimal | None = ZERO
    coins = []
    for leg, worth in zip(valued.event.fees, valued.fees, strict=True):
        coin = is_coin(leg.asset, profile)
        if coin:
            coins.append((leg, worth))
        if not coin or profile.crypto_fee is CryptoFee.SEPARATE_DISPOSAL:
            money = plus(money, worth.money)
    return Charged(money, tuple(coins))


def movement(
    act: Act, event: Event, leg: Leg, money: Decimal | None, source: str, *, kind: str = "", **more: object
) -> Movement:
    wallet = event.wallet or event.account
    return Movement(
        act, event.time, leg.asset, size(leg.number), money, kind or event.kind.value, event.account, wallet, leg.ids, event.id, source, **more,  # type: ignore[arg-type]  # the names of Movement
    )  # fmt: skip


def coin_legs(valued: Valued, profile: Profile, *, received: bool) -> list[tuple[Leg, Value]]:
    return [
        (leg, worth) for leg, worth in zip(valued.event.legs, valued.legs, strict=True)
        if (leg.number > 0) is received and is_coin(leg.asset, profile)
    ]  # fmt: skip


def parts(total: Decimal | None, legs: list[tuple[Leg, Value]]) -> list[Decimal | None]:
    """A fee over several legs in proportion to their values; the last takes the exact rest."""
    if len(legs) == 1 or total is None:
        return [total] * len(legs)
    worth = [value.money for _, value in legs]
    if None in worth or not sum(known for known in worth if known):
        return [None] * len(legs) if total else [ZERO] * len(legs)
    rest, weight, shares = total, sum((w for w in worth if w), ZERO), list[Decimal | None]()
    for w in worth:
        part = share(rest, w, weight) if w and weight else ZERO
        shares.append(part)
        rest, weight = rest - part, weight - (w or ZERO)
    return shares


def acquisitions(valued: Valued, profile: Profile, fee: Decimal | None) -> Iterator[Movement]:
    legs = coin_legs(valued, profile, received=True)
    for (leg, worth), fee_part in zip(legs, parts(fee, legs), strict=True):
        yield movement(Act.ACQUIRE, valued.event, leg, plus(worth.money, fee_part), worth.source, price=worth.money)


def disposals(valued: Valued, profile: Profile, fees: Charged, deducted: Decimal | None) -> Iterator[Movement]:
    """What is given, net of the fee or with the fee shown as cost; the fee coins with it where the profile says so."""
    legs = coin_legs(valued, profile, received=False)
    for (leg, worth), fee_part in zip(legs, parts(deducted, legs), strict=True):
        with_it = fee_in(leg, fees, profile)
        as_cost = profile.sell_fee is SellFee.COST
        yield movement(
            Act.DISPOSE, valued.event, Leg(leg.number - with_it, leg.asset, leg.ids) if with_it else leg,
            worth.money if as_cost else minus(worth.money, fee_part), worth.source, price=worth.money,
            extra_cost=fee_part if as_cost and fee_part else None, picks=valued.event.facts.lots,
        )  # fmt: skip


def fee_in(leg: Leg, fees: Charged, profile: Profile) -> Decimal:
    """The coins of a fee that leave together with a leg."""
    if not fees.coins or profile.crypto_fee is not CryptoFee.IN_DISPOSAL:
        return ZERO
    return next((fee.number for fee, _ in fees.coins if fee.asset == leg.asset), ZERO)


def fee_coins(valued: Valued, profile: Profile, fees: Charged) -> Iterator[Movement]:
    """Coins paid as a fee are disposed of at their value; those held back from coins just received, out of that very lot."""
    event = valued.event
    if not fees.coins:
        return
    given, received = {leg.asset for leg in event.given}, {leg.asset: leg.ids[0] for leg in event.received}
    for leg, worth in fees.coins:
        inside = profile.crypto_fee is CryptoFee.IN_DISPOSAL
        if inside and leg.asset in given:
            continue
        own = ((received[leg.asset], leg.number),) if profile.withheld_fee_own_lot and leg.asset in received else ()
        yield movement(
            Act.DISPOSE, event, leg, ZERO if inside else worth.money, worth.source, kind=Kind.FEE.value, picks=own
        )


def buy(valued: Valued, profile: Profile) -> Iterator[Movement]:
    fees = charged(valued, profile)
    yield from acquisitions(valued, profile, joining(fees, profile))
    yield from fee_coins(valued, profile, fees)


def joining(fees: Charged, profile: Profile) -> Decimal | None:
    """What of a purchase's fees is cost. France counts prices paid in money alone: coins held back were paid for already."""
    if profile.buy_fee is BuyFee.IGNORE:
        return ZERO
    money = fees.money
    if profile.method is Method.FR_PAMC and profile.crypto_fee is CryptoFee.SEPARATE_DISPOSAL:
        for _, worth in fees.coins:
            money = minus(money, worth.money)
    return money


def sell(valued: Valued, profile: Profile) -> Iterator[Movement]:
    fees = charged(valued, profile)
    yield from disposals(valued, profile, fees, ZERO if profile.sell_fee is SellFee.IGNORE else fees.money)
    yield from fee_coins(valued, profile, fees)


def margin(valued: Valued, profile: Profile) -> Iterator[Movement]:
    """Coins won on a position come at their value, coins lost or charged go at it; its gain or loss is ``tax.margin``'s."""
    fees = charged(valued, profile)
    yield from acquisitions(valued, profile, ZERO)
    yield from disposals(valued, profile, fees, ZERO)
    yield from fee_coins(valued, profile, fees)


# The part of a coin-for-coin trade's fee that belongs to the coin given; the rest is cost of what is received.
GIVEN_PART = {TradeFee.DISPOSAL: Decimal(1), TradeFee.SPLIT: HALF, TradeFee.ACQUISITION: ZERO}


def trade(valued: Valued, profile: Profile) -> Iterator[Movement]:
    fees = charged(valued, profile)
    given = None if fees.money is None else fees.money * GIVEN_PART[profile.trade_fee]
    yield from disposals(valued, profile, fees, given)
    yield from acquisitions(valued, profile, minus(fees.money, given))
    yield from fee_coins(valued, profile, fees)


def income(valued: Valued, profile: Profile) -> Iterator[Movement]:
    cost = valued.event.facts.cost
    if cost is None and profile.income_cost is IncomeCost.ZERO:
        cost = ZERO
    for leg, worth in coin_legs(valued, profile, received=True):
        money = worth.money if cost is None else cost
        yield movement(Act.ACQUIRE, valued.event, leg, money, worth.source, price=money)


def gift_in(valued: Valued, profile: Profile) -> Iterator[Movement]:
    """The giver's cost and date, with a lower market value at receipt as the cost for a loss (IRC 1015); or that value alone."""
    facts = valued.event.facts
    for leg, worth in coin_legs(valued, profile, received=True):
        if profile.gift_basis is GiftIn.FMV:
            yield movement(Act.ACQUIRE, valued.event, leg, worth.money, worth.source, price=worth.money)
            continue
        less = minus(worth.money, facts.cost)
        two_bases = profile.gift_basis is GiftIn.TWO_BASES and less is not None and less < 0
        yield movement(
            Act.ACQUIRE, valued.event, leg, facts.cost, "stated", acquired=facts.acquired, price=facts.cost,
            gift_value=worth.money if two_bases else None,
        )  # fmt: skip


def gift_out(valued: Valued, profile: Profile) -> Iterator[Movement]:
    """At its value a disposal like any other, less what it took to make it; else units leave, and the fee coins beside them."""
    if profile.gift_out is GiftOut.FMV:
        yield from sell(valued, profile)
        return
    fees = charged(valued, profile)
    for gift in disposals(valued, profile, fees, ZERO):
        yield gift._replace(act=Act.GIVE, money=None, price=None)
    yield from fee_coins(valued, profile, fees)


def lost(valued: Valued, profile: Profile) -> Iterator[Movement]:
    for leg, _ in coin_legs(valued, profile, received=False):
        yield movement(Act.GIVE, valued.event, leg, None, "", picks=valued.event.facts.lots)


def deposit(valued: Valued, profile: Profile) -> Iterator[Movement]:
    """Coins from outside: a lot of unknown cost, unless its cost is stated."""
    facts = valued.event.facts
    for leg, _ in coin_legs(valued, profile, received=True):
        source = "" if facts.cost is None else "stated"
        yield movement(Act.ACQUIRE, valued.event, leg, facts.cost, source, acquired=facts.acquired, price=facts.cost)


def withdrawal(valued: Valued, profile: Profile) -> Iterator[Movement]:
    """Coins sent out stay the taxpayer's: the lots move, with date and cost, to a wallet outside."""
    yield from moved(valued, profile, EXTERNAL + valued.event.account)


def transfer(valued: Valued, profile: Profile) -> Iterator[Movement]:
    yield from moved(valued, profile, valued.event.to_wallet or valued.event.account)


def moved(valued: Valued, profile: Profile, to_wallet: str) -> Iterator[Movement]:
    for leg, _ in coin_legs(valued, profile, received=False):
        yield movement(Act.MOVE, valued.event, leg, None, "", to_wallet=to_wallet, picks=valued.event.facts.lots)
    for leg, worth in zip(valued.event.fees, valued.fees, strict=True):
        if is_coin(leg.asset, profile):
            act = Act.DISPOSE if profile.transfer_fee is TransferFee.DISPOSAL else Act.GIVE
            yield movement(
                act, valued.event, leg, worth.money if act is Act.DISPOSE else None, worth.source, kind="transfer_fee"
            )


KINDS: dict[Kind, Callable[[Valued, Profile], Iterator[Movement]]] = {
    Kind.BUY: buy,
    Kind.SELL: sell,
    Kind.TRADE: trade,
    Kind.SPEND: sell,
    Kind.FEE: sell,
    Kind.MARGIN: margin,
    Kind.INCOME: income,
    Kind.GIFT_IN: gift_in,
    Kind.GIFT_OUT: gift_out,
    Kind.LOST: lost,
    Kind.DEPOSIT: deposit,
    Kind.WITHDRAWAL: withdrawal,
    Kind.TRANSFER: transfer,
}
