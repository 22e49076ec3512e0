"""Groups in which one thing is given for another: fills, conversions, margin, NFTs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.asset import FIAT
from portfolio_sync.core.event import Kind, Leg
from portfolio_sync.normalize.group import MEANINGLESS, Group
from portfolio_sync.normalize.outcome import Outcome, booked, event, is_coin, leg, problem, warning

# (money given, coins given, money received, coins received) -> what it is.
SHAPES = {
    (True, False, False, True): Kind.BUY,
    (False, True, True, False): Kind.SELL,
    (False, True, False, True): Kind.TRADE,
    (True, False, True, False): Kind.INTERNAL,  # one currency for another: money makes no lots
    (False, False, False, False): Kind.INTERNAL,  # legs that cancel
}


def exchange(group: Group) -> Iterable[Outcome]:
    """A buy, a sell or a trade, by what went and what came. What has one side only is a finding, or coins without a cost."""
    legs, fees = booked(group.rows)
    kind = SHAPES.get(shape(legs))
    if kind and (legs or not fees):
        return [event(group.rows, kind, group.rule.name if legs else "legs that cancel", legs, fees)]
    if is_one_sided_fill(group, legs):
        return one_sided(group)
    if nothing := money_of_nothing(group, legs):
        way = Kind.BUY if legs[0].number > 0 else Kind.SELL
        return [event(group.rows, way, "fill for nothing", [*legs, nothing], fees)]
    return [problem(group.rows, "incomplete_trade", incomplete(group, legs))]


def shape(legs: Iterable[Leg]) -> tuple[bool, bool, bool, bool]:
    sides = {(each.number > 0, each.asset in FIAT) for each in legs}
    return (False, True) in sides, (False, False) in sides, (True, True) in sides, (True, False) in sides


def incomplete(group: Group, legs: Sequence[Leg]) -> str:
    named = ", ".join(str(each.amount) for each in legs) or "nothing but fees"
    return f"the {group.rule.name} with refid {group.rows[0].refid!r} has no two sides ({named}): no effect on any figure; state under their ids what its rows were"


def is_one_sided_fill(group: Group, legs: Sequence[Leg]) -> bool:
    """One row of coins bought under a trade's id: the price was less than the last decimal of the money, or a row is missing."""
    row = group.rows[0]
    known = group.rule.name == "fill" and row.refid not in MEANINGLESS
    return known and len(group.rows) == len(legs) == 1 and is_coin(row.symbol) and row.amount > max(row.fee, ZERO)


def one_sided(group: Group) -> Iterable[Outcome]:
    (row,) = group.rows
    units = row.amount - row.fee
    yield event(group.rows, Kind.DEPOSIT, "fill with one side", [leg(row, units)])
    yield warning(
        group.rows, "one_sided_fill",
        f"the fill with refid {row.refid!r} brought {units} {row.symbol} and its other side is not in the ledger: too small to be booked, or missing; their cost is not known until it is stated",
    )  # fmt: skip


def money_of_nothing(group: Group, legs: Sequence[Leg]) -> Leg | None:
    """The money of a fill that was booked, but as zero: it was less than its last decimal."""
    if group.rule.name != "fill" or len(legs) != 1 or not is_coin(legs[0].asset):
        return None
    booked_as_zero = (row for row in group.rows if row.symbol in FIAT and not row.amount)
    return next((leg(row, ZERO) for row in booked_as_zero), None)


def conversion(group: Group) -> Iterable[Outcome]:
    """A trade at market value. Where nothing but the time joins the rows, they must be just two, one each way."""
    if group.by_time and (len(group.rows) != 2 or group.rows[0].amount * group.rows[1].amount >= 0):
        named = ", ".join(f"{row.amount} {row.symbol}" for row in group.rows)
        return [
            problem(group.rows, "doubtful_conversion", f"what became what is not clear: {named}; state each as a trade")
        ]
    return exchange(group)


def margin(group: Group) -> Iterable[Outcome]:
    """Profit (+) or loss (-) of a position in each asset it was booked in, and what its opening or closing cost."""
    legs, fees = booked(group.rows)
    if not legs and not fees:
        return [event(group.rows, Kind.INTERNAL, "nothing moved")]
    return [event(group.rows, Kind.MARGIN, group.rule.name, legs, fees)]


def nft(group: Group) -> Iterable[Outcome]:
    """Coins spent, or bought with a thing that has no lot: the gain on that thing is not known here."""
    (row,) = group.rows
    units = row.amount - row.fee
    if not is_coin(row.symbol) or not units:
        yield event([row], Kind.INTERNAL, group.rule.name)
    else:
        yield event([row], Kind.SPEND if units < 0 else Kind.BUY, group.rule.name, [leg(row, units)])
    if units > 0:
        yield warning(
            [row], "nft_without_cost",
            f"{units} {row.symbol} came in by {row.type}: what the NFT had cost is not in the ledger, and its gain in no figure",
        )  # fmt: skip
