"""What a person states about a ledger row: its cost, its value, or that it was something else than its type says.

Units and time are always the ledger's. A statement that cannot be true of its row changes nothing and is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from decimal import Decimal

from portfolio_sync.core.amount import ZERO, Amount, shortest
from portfolio_sync.core.asset import holding
from portfolio_sync.core.event import Event, Facts, Kind, Leg, content_id
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.core.transaction import FILL_IN, PRICE_OF, Transaction
from portfolio_sync.normalize.group import Group
from portfolio_sync.normalize.outcome import EXTERNAL
from portfolio_sync.normalize.rules import Treatment
from portfolio_sync.normalize.transactions import CHARGED, EXCHANGES, SIGN, by_legs, facts_of, to_events

Outcome = Event | Finding | Group
"""A group stands for its rows, for which there is no rule."""
Stated = tuple[str, Transaction]
"""The name of an account, and what was imported into it."""
LEDGER_ID = re.compile(r"L[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")
OTHER_HALF = "this row was one half of a move; the other has no effect still: state what that one was, too"
STATES_NOTHING = (None, "", ())
NOT_ABOUT_MONEY = {"note", "currency"}


class Refused(ValueError):
    """A statement that cannot be true of its row; says why and what to do."""


class Statements:
    """All imported transactions, those about a ledger row found by its account and id; ``notes`` for the reader gather here.

    ``parts``: those about some of the units of a row that came back from another place, by account and row id.
    """

    def __init__(self, stated: Iterable[Stated]) -> None:
        self.about = {(account, one.id): one for account, one in stated}
        self.parts: dict[tuple[str, str], Transaction] = {}
        self.notes: list[Finding] = []

    def of(self, group: Group) -> dict[str, Transaction]:
        """Those about the rows of a group, by row id; each is handed out once, and those about a part are kept as such."""
        told: dict[str, Transaction] = {}
        for row in group.rows if self.about else ():
            one = self.about.pop((row.account, row.id), None)
            if one and group.rule.treatment is Treatment.OUTSIDE and is_part(row, one):
                self.parts[row.account, row.id] = one
                self.notes.append(
                    note(
                        Severity.INFO,
                        "overridden",
                        row,
                        f"{one.amount} {row.symbol} of it count as {one.kind}, as was stated{why(one)}",
                    )
                )
            elif one:
                told[row.id] = one
        return told

    def free(self) -> Iterator[Event]:
        """The events of those that speak of no ledger row. Call it when all rows have been asked for."""
        for (account, one_id), one in self.about.items():
            if LEDGER_ID.fullmatch(one_id):
                message = f"{one_id} has the form of a ledger id, but account {account} has no such row: counted as a {one.kind} of its own; sync or import the row, or give it another id"
                self.notes.append(
                    Finding(Severity.WARNING, "override_without_row", message, (one_id,), one.time, account)
                )
            yield from to_events(one, account)


def overridden(
    found: Group, told: dict[str, Transaction], read: Callable[[Group], Sequence[Outcome]], notes: list[Finding]
) -> list[Outcome]:
    """The outcomes of a group, some rows of which were spoken of.

    A statement of the kind that the rows have anyway adds to their event; any other makes an event of that row alone, and the
    rest of the group is read without it.
    """
    as_booked = list(read(found))
    rows = {row.id: row for row in found.rows}
    apart: dict[str, Event] = {}
    heard: set[str] = set()
    for row_id, one in told.items():
        place = next((n for n, outcome in enumerate(as_booked) if agrees(outcome, row_id, one)), None)
        try:
            if place is None:
                apart[row_id] = event_of(rows[row_id], one)
                notes.extend(reclassified(apart[row_id], rows[row_id], one))
                if found.rule.treatment is Treatment.INTERNAL:
                    notes.append(note(Severity.WARNING, "half_of_a_move", rows[row_id], OTHER_HALF))
            else:
                event = as_booked[place]
                assert isinstance(event, Event)
                as_booked[place] = supplemented(event, one)
                said = list(supplements(event, rows[row_id], one))
                notes.extend(said)
                if said or one.kind is Kind.WITHDRAWAL:  # the others stand in the worklist, perhaps not filled in yet
                    heard.add(row_id)
        except Refused as error:
            notes.append(note(Severity.ERROR, "override_refused", rows[row_id], str(error)))
    as_booked = [outcome for outcome in as_booked if not is_answered(outcome, heard)]
    if not apart:
        return as_booked
    left = {row_id: one for row_id, one in told.items() if row_id not in apart}
    rest = Group(found.rule, [row for row in found.rows if row.id not in apart])
    return [*(overridden(rest, left, read, []) if rest.rows else ()), *apart.values()]


def is_answered(outcome: Outcome, heard: set[str]) -> bool:
    """A warning that asks for what has now been stated."""
    return (
        isinstance(outcome, Finding) and outcome.severity is Severity.WARNING and not heard.isdisjoint(outcome.source)
    )


def agrees(outcome: Outcome, row_id: str, one: Transaction) -> bool:
    return isinstance(outcome, Event) and outcome.kind is one.kind and row_id in outcome.source


# --- the same kind: what the ledger does not say is added --------------------------------------------------------------


def supplemented(event: Event, one: Transaction) -> Event:
    if holding(one.asset) not in {leg.asset for leg in (*event.legs, *event.fees)}:
        raise Refused(f"it has no {one.asset}: name the asset of the ledger row")
    return replace(event, facts=merged(event.facts, facts_of(one)))


def merged(known: Facts, told: Facts) -> Facts:
    said = {field.name: getattr(told, field.name) for field in fields(Facts)}
    return replace(known, **{name: value for name, value in said.items() if value not in STATES_NOTHING})


def supplements(event: Event, row: LedgerRow, one: Transaction) -> Iterator[Finding]:
    facts = facts_of(one)
    said = [f.name for f in fields(Facts) if getattr(facts, f.name) not in STATES_NOTHING]
    if said := [name for name in said if name not in NOT_ABOUT_MONEY]:
        yield note(Severity.INFO, "supplemented", row, f"stated for this {one.kind}: {', '.join(said)}{why(one)}")
    units = {abs(leg.number) for leg in event.legs if leg.asset == holding(one.asset)}
    yield from differing(units, row, one)


# --- a part of what came back from another place -----------------------------------------------------------------------


def is_part(row: LedgerRow, one: Transaction) -> bool:
    """Fewer units than came, and of the kind that coins come by."""
    some = one.amount is not None and 0 < one.amount < row.amount - row.fee
    return some and SIGN.get(one.kind, 0) > 0 and one.asset in (row.asset, row.symbol, holding(row.symbol))


def stated_part(event: Event, one: Transaction) -> Event:
    (leg,) = event.legs
    return replace(
        event, id=content_id("E", event.account, *event.source, "stated"), kind=opened(one), wallet="", rule="stated",
        legs=(Leg(one.amount or ZERO, leg.asset, leg.ids),), facts=facts_of(one),
    )  # fmt: skip


def opened(one: Transaction) -> Kind:
    """A buy at a stated cost opens a lot."""
    return Kind.DEPOSIT if one.kind is Kind.BUY and one.cost is not None else one.kind


# --- another kind ------------------------------------------------------------------------------------------------------


def event_of(row: LedgerRow, one: Transaction) -> Event:
    """The event of one row as a person says it was. Raises Refused."""
    asset, kind = holding(row.symbol), one.kind
    if one.asset not in (row.asset, row.symbol, asset):
        raise Refused(f"it is a row of {row.symbol}, not of {one.asset}: name the asset of the ledger row")
    arriving = row.amount > 0 or (not row.amount and row.fee < 0)
    if kind is Kind.MARGIN:
        return made(row, one, Kind.INTERNAL, ())
    sign = -1 if kind is Kind.WITHDRAWAL else SIGN[kind]
    if kind is not Kind.TRANSFER and arriving is not (sign > 0):
        way = "came in" if arriving else "went out"
        raise Refused(f"{shortest(abs(row.amount))} {row.symbol} {way}, which no {kind} does: choose another kind")
    number, fee = units(row, kind, arriving=arriving)
    ids = (row.id,)
    legs = [Leg(sign * number, asset, ids)] if number else []
    if one.counter_asset and one.counter_amount and kind in EXCHANGES:
        legs.append(Leg(-sign * one.counter_amount, one.counter_asset, ids))
    fees = [Leg(fee, asset, ids)] if fee else []
    if not fees and one.fee and one.fee_asset and kind in CHARGED:
        fees = [Leg(one.fee, one.fee_asset, ids)]
    return made(row, one, by_legs(opened(one), legs), legs, fees)


def units(row: LedgerRow, kind: Kind, *, arriving: bool) -> tuple[Decimal, Decimal]:
    """Units that count, and the fee that stays one; where the kind knows no fee, all that left is of that kind."""
    net = abs(row.amount - row.fee)
    separate = kind is Kind.TRANSFER or (not arriving and (kind in CHARGED or kind is Kind.WITHDRAWAL))
    if not separate or row.fee <= 0:
        return net, ZERO
    return (net if arriving else abs(row.amount)), row.fee


def made(row: LedgerRow, one: Transaction, kind: Kind, legs: Sequence[Leg], fees: Sequence[Leg] = ()) -> Event:
    """A transfer's wallet that is not named lies outside Kraken: where withdrawn coins wait to come back."""
    wallet = to_wallet = ""
    if kind is Kind.TRANSFER and row.amount > 0:
        wallet = outside(one.wallet, row.account)
    elif kind is Kind.TRANSFER:
        to_wallet = outside(one.to_wallet, row.account)
    return Event(
        content_id("E", row.account, row.id), row.account, row.time, kind, tuple(legs), tuple(fees), (row.id,),
        "stated", wallet, to_wallet, facts_of(one),
    )  # fmt: skip


def outside(wallet: str, account: str) -> str:
    return wallet if wallet not in ("", account) else EXTERNAL + account


def reclassified(event: Event, row: LedgerRow, one: Transaction) -> Iterator[Finding]:
    named = "/".join(filter(None, (row.type, row.subtype))) or "no type"
    what = Amount(row.amount, row.symbol)
    yield note(Severity.INFO, "overridden", row, f"{named} of {what} counts as {one.kind}, as was stated{why(one)}")
    yield from differing({abs(leg.number) for leg in event.legs[:1]}, row, one)


def differing(units_: set[Decimal], row: LedgerRow, one: Transaction) -> Iterator[Finding]:
    if one.amount is not None and units_ and one.amount not in units_:
        booked = " or ".join(shortest(number) for number in sorted(units_))
        yield note(
            Severity.WARNING, "override_differs", row,
            f"{shortest(one.amount)} {one.asset} were stated, the ledger has {booked}: the ledger's units count; check the statement",
        )  # fmt: skip


def why(one: Transaction) -> str:
    return f": {one.note}" if one.note and not one.note.startswith((FILL_IN, PRICE_OF)) else ""


def note(severity: Severity, code: str, row: LedgerRow, message: str) -> Finding:
    text = f"the statement about {row.id} is not followed: {message}" if severity is Severity.ERROR else message
    return Finding(severity, code, text, (row.id,), row.time, row.account)
