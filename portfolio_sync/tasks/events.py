"""The events that analysts see of an account: derived anew from where rows were written since, a stretch of time at a time.

So memory follows the length of a stretch, and a sync that brought fifty rows does not pay for the million before them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine

from portfolio_sync.core.clock import Check, never
from portfolio_sync.core.cycles import without_cycle_search
from portfolio_sync.core.event import Event
from portfolio_sync.core.instant import month_start
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.rules import STANDARD, Rules
from portfolio_sync.normalize.stretches import LOOK_BACK, far_events, far_types, last_quiet, near_events, quiet_before
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.value import value_all
from portfolio_sync.report.rows import event_rows
from portfolio_sync.store import read, runs, transactions, transfers
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.derived import EVENTS, Kept
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.lease import Lease, guard
from portfolio_sync.store.write import replace_events
from portfolio_sync.tasks.books import Subject, events_basis, lookup_of, normalized_of
from portfolio_sync.tax.profile import Profile
from portfolio_sync.verify.chain import extend
from portfolio_sync.verify.state import ChainState

STRETCH = 20_000  # rows


@dataclass(frozen=True, slots=True)
class Plan:
    """``far``: the events of far rows, whole. ``since``: where to begin; None: at the first row."""

    rules: Rules
    lookup: Lookup
    far: tuple[Event, ...]
    state: Mapping[str, Any]
    since: datetime | None


@without_cycle_search()
def refresh_events(engine: Engine, account: StoredAccount, held: Lease, profile: Profile, check: Check = never) -> None:
    """Derive the account's events anew, valued in the profile's currency; no lots, no gains.

    Raises LeaseLost, and what ``check`` raises: then the next call does what is left.
    """
    with reading(engine) as connection:
        stated = transactions.are_there(connection, account.id)
        plan = None if stated else _plan(connection, account, profile)
    if plan is None:
        _at_once(engine, account, held, profile, check)
    else:
        _in_stretches(engine, account, held, plan, check)
    with writing(engine) as connection:
        guard(connection, held)
        EVENTS.save(connection, account.id, plan.state if plan else {})


def _plan(connection: Connection, account: StoredAccount, profile: Profile) -> Plan:
    rules = STANDARD.with_(profile.rules)
    marks = transfers.marks(connection, {account.id: account.name}, upto_seq=runs.newest(connection, account.id))
    far = far_events(read.ledger_rows(connection, account.id, types=far_types(rules)), rules, marks)
    state = {"basis": events_basis(connection, profile), "far": _by_month(far)}
    since = _begin(connection, account, EVENTS.load(connection, account.id), state)
    return Plan(rules, lookup_of(connection, profile), far, state, since)


def _by_month(events: Iterable[Event]) -> dict[str, str]:
    digests: dict[str, Any] = defaultdict(sha256)
    for event in events:
        digests[f"{event.time:%Y-%m}"].update(repr(event).encode())
    return {month: digest.hexdigest() for month, digest in sorted(digests.items())}


def _begin(
    connection: Connection, account: StoredAccount, kept: Kept | None, state: Mapping[str, Any]
) -> datetime | None:
    """The last quiet moment before the month of the first row written since, if no older event can be another."""
    if kept is None or kept.touched_from is None or kept.state.get("basis") != state["basis"]:
        return None
    month = month_start(kept.touched_from)
    if _older(kept.state["far"], month) != _older(state["far"], month):
        return None
    before = read.ledger_rows(connection, account.id, month - LOOK_BACK, month)
    return quiet_before(before, month)


def _older(far: Mapping[str, str], month: datetime) -> dict[str, str]:
    return {name: digest for name, digest in far.items() if name < f"{month:%Y-%m}"}


def _in_stretches(engine: Engine, account: StoredAccount, held: Lease, plan: Plan, check: Check) -> None:
    chains, begin, more = ChainState(windowed=plan.since is not None), plan.since, True
    while more:
        check()
        with reading(engine) as connection:
            rows, end = _stretch(connection, account, begin)
        events = [*near_events(extend(chains, rows), plan.rules), *_between(plan.far, begin, end)]
        shown = event_rows(value_all(events, plan.lookup).events, plan.lookup.currency)
        with writing(engine) as connection:
            guard(connection, held)
            replace_events(connection, account.name, shown, begin, end)
        begin, more = end, end is not None


def _stretch(
    connection: Connection, account: StoredAccount, begin: datetime | None
) -> tuple[list[LedgerRow], datetime | None]:
    """Rows from ``begin`` on, and when the next stretch begins; None: these are all."""
    limit = STRETCH
    while True:
        rows = list(read.ledger_rows(connection, account.id, begin, limit=limit))
        if len(rows) < limit:
            return rows, None
        if place := last_quiet(rows):
            return rows[:place], rows[place].time
        limit *= 2


def _between(events: Iterable[Event], begin: datetime | None, end: datetime | None) -> list[Event]:
    return [each for each in events if (begin is None or begin <= each.time) and (end is None or each.time < end)]


def _at_once(engine: Engine, account: StoredAccount, held: Lease, profile: Profile, check: Check = never) -> None:
    """With what a person stated, which can make any row anything."""
    with reading(engine) as connection:
        seq = runs.settled(connection, [account.id])
        subject = Subject(account.taxpayer, (account,))
        normalized, lookup = normalized_of(connection, subject, profile, seq, None, check=check)
    check()
    valuation = value_all(normalized.events, lookup)
    with writing(engine) as connection:
        guard(connection, held)
        replace_events(connection, account.name, event_rows(valuation.events, profile.currency))
