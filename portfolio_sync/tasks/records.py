"""Record what a taxpayer decides about lots, with the time he did: standing orders, and lots named for a sale."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, select

from portfolio_sync.app import App
from portfolio_sync.core.amount import EXACT, parse_decimal
from portfolio_sync.core.record import Recorded, RecordedOrder, RecordedPick
from portfolio_sync.errors import UsageError
from portfolio_sync.store import accounts, records
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import raw_ledger, raw_transaction
from portfolio_sync.tax.profile import LOT_ORDERS


@dataclass(frozen=True, slots=True)
class Order:
    """A standing order and whose it is."""

    taxpayer: str
    order: RecordedOrder


def set_method(app: App, method: str, start: datetime, account: str | None, taxpayer: str | None) -> Order:
    """Record a standing order, now. Raises UsageError for a method that is no order of lots, an unknown account or taxpayer."""
    if method not in LOT_ORDERS:
        raise UsageError(f"{method!r} is no order of lots that can be chosen; one of {', '.join(LOT_ORDERS)}")
    with writing(app.writable_engine) as connection:
        whose = taxpayer_of(app, connection, account, taxpayer)
        order = RecordedOrder(method, start, app.clock.now(), account or "")
        records.add_order(connection, whose, order)
    return Order(whose, order)


def pick(
    app: App, sale: str, lots: Sequence[tuple[str, Decimal]], taxpayer: str | None, *, not_yet: bool
) -> tuple[RecordedPick, ...]:
    """Record which lots go in a sale, now; a later list for the same sale takes its place. Raises UsageError.

    ``not_yet``: the sale need not be stored: it is named in advance, by the id of its order or of a transaction to come.
    """
    with writing(app.writable_engine) as connection:
        whose = taxpayer_of(app, connection, None, taxpayer)
        mine = [account.id for account in accounts.every(connection) if account.taxpayer == whose]
        refuse_unknown(connection, mine, {lot for lot, _ in lots} if not_yet else {sale, *(lot for lot, _ in lots)})
        refuse_too_many(connection, mine, sale, lots)
        now = app.clock.now()
        picks = tuple(RecordedPick(sale, lot, amount, now) for lot, amount in lots)
        records.add_picks(connection, whose, picks)
    return picks


def refuse_unknown(connection: Connection, mine: Sequence[int], ids: Collection[str]) -> None:
    unknown = sorted(name for name, rows in records.rows_named(connection, mine, ids).items() if not rows)
    if unknown:
        raise UsageError(
            f"nothing is stored under {', '.join(unknown)}: give ids of ledger rows, trades, orders or imported transactions "
            "(--not-yet for a sale that is still to come)"
        )


def refuse_too_many(
    connection: Connection, mine: Sequence[int], sale: str, lots: Sequence[tuple[str, Decimal]]
) -> None:
    """No more units than the rows of the sale let go of in any one asset."""
    rows = records.rows_named(connection, mine, [sale])[sale]
    r, t = raw_ledger.c, raw_transaction.c
    booked = select(r.amount).where(r.account_id.in_(mine), r.id.in_(rows))
    stated = select(t.amount).where(t.account_id.in_(mine), t.id.in_(rows))
    gone = [abs(amount) for amount in connection.scalars(booked) if amount < 0]
    gone += [abs(amount) for amount in connection.scalars(stated) if amount is not None]
    picked = Decimal(0)
    for _, amount in lots:
        picked = EXACT.add(picked, amount)
    if gone and picked > sum(gone, Decimal(0)):
        raise UsageError(f"{picked} units were picked, {sale} is about {max(gone)}")


def parse_pick(text: str) -> tuple[str, Decimal]:
    """``LOT:AMOUNT``, the amount a plain decimal above zero. Raises UsageError."""
    lot, colon, amount = text.rpartition(":")
    try:
        number = parse_decimal(amount) if set(amount) <= set("0123456789.") else Decimal(0)
    except ValueError:
        number = Decimal(0)
    if not (colon and lot) or number <= 0:
        raise UsageError(f"{text!r}: write LOT:AMOUNT with a plain decimal above zero, such as L4UESK-KG3EQ-UFO4T5:0.5")
    return lot, number


def listed(app: App, taxpayer: str | None) -> dict[str, Recorded]:
    """All that is on record, by taxpayer. Raises UsageError for a taxpayer that is not known."""
    with reading(app.engine) as connection:
        every = [taxpayer_of(app, connection, None, taxpayer)] if taxpayer else sorted(taxpayers(app, connection))
        return {whose: records.recorded(connection, whose) for whose in every}


def taxpayers(app: App, connection: Connection) -> set[str]:
    stored = {account.taxpayer for account in accounts.every(connection)}
    return stored | {account.taxpayer for account in app.settings.accounts}


def taxpayer_of(app: App, connection: Connection, account: str | None, taxpayer: str | None) -> str:
    """Whose record it is. Raises UsageError where that is not known, or not clear."""
    stored = {one.name: one.taxpayer for one in accounts.every(connection)}
    known = {one.name: one.taxpayer for one in app.settings.accounts} | stored
    if account and account not in known:
        raise UsageError(f"no account {account!r}; there are: {', '.join(sorted(known)) or 'none'}")
    choice = {known[account]} if account else set(known.values())
    if taxpayer and taxpayer not in choice:
        raise UsageError(f"no taxpayer {taxpayer!r} here; there are: {', '.join(sorted(choice)) or 'none'}")
    if taxpayer:
        return taxpayer
    if len(choice) != 1:
        raise UsageError(
            f"of several taxpayers choose one with --taxpayer: {', '.join(sorted(choice))}"
            if choice
            else "there is no account yet: sync or import one first"
        )
    return choice.pop()
