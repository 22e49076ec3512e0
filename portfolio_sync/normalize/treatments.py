"""How a group of one treatment is read: a function each, from rows to events or findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from portfolio_sync.core.amount import ZERO, shortest
from portfolio_sync.core.asset import FEE_CREDIT, FIAT, holding
from portfolio_sync.core.event import NOTHING_STATED, Event, Facts, Kind, Leg, content_id
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.group import Group
from portfolio_sync.normalize.rules import Treatment

Outcome = Event | Finding

# (money given, coins given, money received, coins received) -> what it is.
SHAPES = {
    (True, False, False, True): Kind.BUY,
    (False, True, True, False): Kind.SELL,
    (False, True, False, True): Kind.TRADE,
    (True, False, True, False): Kind.INTERNAL,  # one currency for another: money makes no lots
    (False, False, False, False): Kind.INTERNAL,  # legs that cancel
}


def event(
    rows: Sequence[LedgerRow],
    kind: Kind,
    rule: str,
    legs: Iterable[Leg],
    fees: Iterable[Leg] = (),
    facts: Facts = NOTHING_STATED,
) -> Event:
    """An event of these rows, at the time of the first."""
    first, source = rows[0], tuple([row.id for row in rows])
    return Event(
        content_id("E", first.account, *source),
        first.account,
        first.time,
        kind,
        tuple(legs),
        tuple(fees),
        source,
        rule,
        facts=facts,
    )


def problem(rows: Sequence[LedgerRow], code: str, message: str) -> Finding:
    return Finding(Severity.ERROR, code, message, tuple(row.id for row in rows), rows[0].time, rows[0].account)


def leg(row: LedgerRow, number: Decimal) -> Leg:
    return Leg(number, holding(row.symbol), (row.id,))


def exchange(group: Group) -> Iterable[Outcome]:
    """Legs are summed by holding: a fill out of two wallets is one fill, legs that cancel are none."""
    legs: dict[str, Leg] = {}
    fees: dict[str, Leg] = {}
    for row in group.rows:
        asset = holding(row.symbol)
        amount, fee = row.amount, row.fee
        if asset == FEE_CREDIT:
            amount, fee = ZERO, fee - amount  # credits spent, however they are booked
        elif fee < 0:
            amount, fee = amount - fee, ZERO  # a rebate is part of what is received
        add(legs, asset, amount, row.id)
        add(fees, asset, fee, row.id)
    left = [found for found in legs.values() if found.number]
    kind = SHAPES.get(shape(left))
    charged = [found for found in fees.values() if found.number]
    if kind is None or (charged and not left):
        return [problem(group.rows, "incomplete_trade", incomplete(group, left))]
    return [event(group.rows, kind, group.rule.name if left else "legs that cancel", left, charged)]


def add(sums: dict[str, Leg], asset: str, number: Decimal, row_id: str) -> None:
    if number:
        known = sums.get(asset)
        sums[asset] = (
            Leg(known.number + number, asset, (*known.ids, row_id)) if known else Leg(number, asset, (row_id,))
        )


def shape(legs: Iterable[Leg]) -> tuple[bool, bool, bool, bool]:
    sides = {(found.number > 0, found.asset in FIAT) for found in legs}
    return (False, True) in sides, (False, False) in sides, (True, True) in sides, (True, False) in sides


def incomplete(group: Group, legs: Sequence[Leg]) -> str:
    named = ", ".join(str(found.amount) for found in legs) or "nothing but fees"
    return (
        f"the {group.rule.name} with refid {group.rows[0].refid!r} has no two sides ({named}): no effect on any figure"
    )


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
            outcomes += reversed_(original, row)
    return outcomes + [funded(row) for row in waiting]


def reversed_(original: LedgerRow, reversal: LedgerRow) -> list[Outcome]:
    rows, kept = (original, reversal), original.fee + reversal.fee
    if kept and original.symbol not in FIAT:
        return [
            event(
                rows, Kind.FEE, "fee of a reversal", [Leg(-kept, holding(original.symbol), (original.id, reversal.id))]
            )
        ]
    return [event(rows, Kind.INTERNAL, "reversed", [])]


def funded(row: LedgerRow) -> Outcome:
    arriving = row.type == "deposit"
    coin = holding(row.symbol) not in FIAT
    if holding(row.symbol) == FEE_CREDIT:
        return event([row], Kind.INTERNAL, "fee credits", [])
    if not row.amount:
        if row.fee and coin:
            return event([row], Kind.FEE, "fee alone", [leg(row, -row.fee)])
        return event([row], Kind.INTERNAL, "nothing moved", [])
    if (row.amount > 0) is not arriving:
        return problem(
            [row],
            "reversal_without_original",
            f"a {row.type} of {row.amount} {row.symbol} reverses one that is not in the ledger",
        )
    if arriving:
        return event([row], Kind.DEPOSIT, "deposit", [leg(row, row.amount - row.fee)])
    return event([row], Kind.WITHDRAWAL, "withdrawal", [leg(row, row.amount)], [leg(row, row.fee)] if row.fee else ())


def reward(group: Group) -> Iterable[Outcome]:
    """Income is what arrived: gross less Kraken's commission. A pair of opposite rows is a move."""
    row = group.rows[0]
    if group.paired:
        return [event(group.rows, Kind.INTERNAL, "opposite rows", [])]
    net = row.amount - row.fee
    if row.amount < 0 or net < 0:
        return [
            problem([row], "negative_reward", f"a {row.type} row takes {-net} {row.symbol} away and has no counterpart")
        ]
    if not net:
        return [event([row], Kind.INTERNAL, "nothing received", [])]
    note = f"gross {shortest(row.amount)}, commission {shortest(row.fee)}" if row.fee else ""
    income_type = "interest" if holding(row.symbol) in FIAT else group.rule.income_type
    return [
        event([row], Kind.INCOME, group.rule.name, [leg(row, net)], facts=Facts(income_type=income_type, note=note))
    ]


def internal(group: Group) -> Iterable[Outcome]:
    return [event(group.rows, Kind.INTERNAL, group.rule.name, [])]


TREATMENTS: dict[Treatment, Callable[[Group], Iterable[Outcome]]] = {
    Treatment.EXCHANGE: exchange,
    Treatment.FUNDING: funding,
    Treatment.REWARD: reward,
    Treatment.INTERNAL: internal,
}
