"""Rows in which one thing comes or goes: deposits, rewards, charges, moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from portfolio_sync.core.amount import ZERO, shortest
from portfolio_sync.core.asset import FEE_CREDIT, FIAT, holding
from portfolio_sync.core.event import Event, Facts, Kind, Leg
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.group import Group
from portfolio_sync.normalize.outcome import EXTERNAL, Outcome, booked, event, is_coin, leg, problem, warning


def funding(group: Group) -> Iterable[Outcome]:
    """Deposits or withdrawals of one refid: what was reversed cancels, the rest are events of their own."""
    waiting: list[LedgerRow] = []
    outcomes: list[Outcome] = []
    for row in group.rows:
        original = next((w for w in waiting if w.amount == -row.amount and w.symbol == row.symbol and row.amount), None)
        if original is None:
            waiting.append(row)
        else:
            waiting.remove(original)
            outcomes.append(charge((original, row), original.fee + row.fee, "reversed", "fee of a reversal"))
    return outcomes + [funded(row) for row in waiting]


def charge(rows: Sequence[LedgerRow], units: Decimal, free: str, charged: str) -> Outcome:
    """Coins used up as a fee. Money has no lots, and nothing charged is nothing moved: rule ``free``."""
    row = rows[0]
    if not units or not is_coin(row.symbol):
        return event(rows, Kind.INTERNAL, free)
    if units < 0:
        return problem(
            rows, "negative_fee", f"{-units} {row.symbol} come out of a {row.type} as a negative fee: say what they are"
        )
    return event(rows, Kind.FEE, charged, [Leg(-units, holding(row.symbol), tuple(each.id for each in rows))])


def funded(row: LedgerRow) -> Outcome:
    arriving = row.type == "deposit"
    if holding(row.symbol) == FEE_CREDIT:
        return event([row], Kind.INTERNAL, "fee credits")
    if row.amount and (row.amount > 0) is not arriving:
        message = f"a {row.type} of {row.amount} {row.symbol} reverses one that is not in the ledger"
        return problem([row], "reversal_without_original", message)
    return came(row, "deposit") if arriving else went(row, Kind.WITHDRAWAL, "withdrawal")


def came(row: LedgerRow, rule: str) -> Outcome:
    """Units that arrived, net of what was held back: a lot whose cost the ledger does not know."""
    units = row.amount - row.fee
    if not row.amount or not units:
        return charge([row], row.fee if not row.amount else ZERO, "nothing moved", "fee alone")
    if units < 0 and is_coin(row.symbol):
        return problem(
            [row], "fee_above_amount", f"{row.amount} {row.symbol} came in and {row.fee} were charged for it"
        )
    return event([row], Kind.DEPOSIT, rule, [leg(row, units)])


def went(row: LedgerRow, kind: Kind, rule: str) -> Outcome:
    """Units that left, and a fee on top; a negative fee lessens what left."""
    if not row.amount:
        return charge([row], row.fee, "nothing moved", "fee alone")
    units = row.amount - min(row.fee, ZERO)
    if units >= 0:
        return problem(
            [row], "fee_above_amount", f"{row.amount} {row.symbol} left and {-row.fee} were given back for it"
        )
    return event([row], kind, rule, [leg(row, units)], [leg(row, row.fee)] if row.fee > 0 else ())


def reward(group: Group) -> Iterable[Outcome]:
    """Income is what arrived: gross less Kraken's commission. A pair of opposite rows is a move."""
    if group.paired:
        return [event(group.rows, Kind.INTERNAL, "opposite rows")]
    return income(group)


def income(group: Group) -> Iterable[Outcome]:
    """What arrived, as income of the rule's type; rewards in money are interest. Fee credits are no asset."""
    (row,) = group.rows
    units = row.amount - row.fee
    if holding(row.symbol) == FEE_CREDIT:
        return [event([row], Kind.INTERNAL, "fee credits")]
    if row.amount < 0 or units < 0:
        message = f"a {row.type} row takes {-units} {row.symbol} away and has no counterpart"
        return [problem([row], "negative_reward", message)]
    if not units:
        return [event([row], Kind.INTERNAL, "nothing received")]
    note = f"gross {shortest(row.amount)}, commission {shortest(row.fee)}" if row.fee else ""
    kind = group.rule.income_type
    if kind == "staking" and row.symbol in FIAT:
        kind = "interest"
    return [event([row], Kind.INCOME, group.rule.name, [leg(row, units)], facts=Facts(income_type=kind, note=note))]


def internal(group: Group) -> Iterable[Outcome]:
    """No effect; but what was charged is used up, and rows of one cause that go both ways must cancel."""
    legs, fees = booked(group.rows)
    both_ways = {row.amount > 0 for row in group.rows if row.amount} == {True, False}
    coins = [replace(each, number=-each.number) for each in fees if is_coin(each.asset)]
    if any(row.fee < 0 and is_coin(row.symbol) for row in group.rows):
        return [
            problem(
                group.rows,
                "negative_fee",
                f"coins come out of this {group.rule.name} as a negative fee: say what they are",
            )
        ]
    if both_ways and legs:
        named = ", ".join(str(each.amount) for each in legs)
        return [
            problem(
                group.rows,
                "move_does_not_cancel",
                f"the rows of this {group.rule.name} leave {named} over: say what they are",
            )
        ]
    if coins:
        return [event(group.rows, Kind.FEE, f"fee of a {group.rule.name}", coins)]
    return [event(group.rows, Kind.INTERNAL, group.rule.name)]


def outside(group: Group) -> Iterable[Outcome]:
    """Lots move to the place, or back from it; what comes back beyond what went is told apart later (``places``)."""
    (row,) = group.rows
    rule, place = group.rule.name, f"{EXTERNAL}{row.account}:{group.rule.place}"
    if not is_coin(row.symbol):
        return [event([row], Kind.INTERNAL, rule)]
    found = came(row, rule) if row.amount > 0 else went(row, Kind.TRANSFER, rule)
    if not isinstance(found, Event) or found.kind not in (Kind.DEPOSIT, Kind.TRANSFER):
        return [found]
    if row.amount < 0:
        return [replace(found, to_wallet=place)]
    back = tuple(replace(each, number=-each.number) for each in found.legs)
    return [replace(found, kind=Kind.TRANSFER, legs=back, wallet=place)]


def unexplained(group: Group) -> Iterable[Outcome]:
    """Neither income nor a sale unless a person says so: coins of unknown cost, or coins that are still the owner's."""
    row = group.rows[0]
    if group.paired:
        yield event(group.rows, Kind.INTERNAL, "opposite rows")
        return
    if holding(row.symbol) == FEE_CREDIT:
        yield event([row], Kind.INTERNAL, "fee credits")
        return
    if row.symbol in FIAT:
        found: Outcome = event([row], Kind.INTERNAL, group.rule.name)
    else:
        found = came(row, group.rule.name) if row.amount > 0 else went(row, Kind.WITHDRAWAL, group.rule.name)
    yield found
    if isinstance(found, Event) and row.amount:
        yield warning([row], "unexplained", unexplained_words(row))


def unexplained_words(row: LedgerRow) -> str:
    what = (
        f"{abs(row.amount)} {row.symbol} {'came in' if row.amount > 0 else 'left'} by a {row.type} that gives no reason"
    )
    if row.symbol in FIAT:
        return f"{what}: counted as neither income nor cost; state it if it is one"
    if row.amount > 0:
        return f"{what}: counted as coins of unknown cost; state an income (airdrop, fork, bonus) or their cost under this id"
    return f"{what}: counted as still yours, outside Kraken; state a sale, a gift or a loss under this id, or a withdrawal if it is none"


def fee(group: Group) -> Iterable[Outcome]:
    """A charge, in coins or in money."""
    (row,) = group.rows
    units = row.fee - row.amount
    if units < 0:
        return [
            problem(
                [row],
                "negative_fee",
                f"a {row.type} gives {-units} {row.symbol} instead of charging: say what they are",
            )
        ]
    if not units:
        return [event([row], Kind.INTERNAL, "nothing moved")]
    return [event([row], Kind.FEE, group.rule.name, [leg(row, -units)])]
