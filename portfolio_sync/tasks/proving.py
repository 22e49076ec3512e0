"""Feed stored rows to the proof: the whole history, or what came after the last checkpoint that still holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from portfolio_sync.core.clock import Check, never, until_stopped
from portfolio_sync.core.cycles import without_cycle_search
from portfolio_sync.core.finding import Finding
from portfolio_sync.core.instant import MICROSECOND, iso, next_month, parse_iso
from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.period import Period
from portfolio_sync.core.stored import R, Raw, Stored
from portfolio_sync.store import read
from portfolio_sync.store import seals as stored_seals
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.derived import PROOF, Kept
from portfolio_sync.store.history import missing_of_events
from portfolio_sync.tasks.known import Known, readings
from portfolio_sync.verify import seal
from portfolio_sync.verify.balance import Snapshot
from portfolio_sync.verify.certificate import Tallies, counted_trades
from portfolio_sync.verify.checkpoint import Checkpoint, marks, thinned, usable
from portfolio_sync.verify.join import JoinState
from portfolio_sync.verify.plain import advance
from portfolio_sync.verify.proof import Proof, State, prove, settled
from portfolio_sync.verify.state import ChainState

SEALED_EVERY = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Done:
    """``state``: for the next proof. ``altered``: months whose rows something else wrote to; ``altered_in``: those months.

    ``tallies``: over which rows, of a proof from the beginning. ``seals``: of all months; None: those before ``written_from`` stand.
    """

    proof: Proof
    state: Mapping[str, Any]
    altered: tuple[Finding, ...] = ()
    tallies: Tallies | None = None
    seals: seal.Kept | None = None
    written_from: datetime | None = None

    @property
    def altered_in(self) -> list[Period]:
        return [Period(found.time, next_month(found.time)) for found in self.altered if found.time]


@without_cycle_search()
def prove_stored(
    connection: Connection,
    account: StoredAccount,
    snapshot: Snapshot | None,
    *,
    whole: bool,
    tally: bool = False,
    check: Check = never,
) -> Done:
    """Prove what is stored of the account. Imported files may complete what a key's window hides: that is tried first."""
    kept = PROOF.load(connection, account.id)
    every = list(readings(connection, account))
    if not whole and kept and (done := _go_on(connection, account, snapshot, every, kept, check)):
        return done
    for known in every[:-1]:
        done = _from_the_beginning(connection, account, snapshot, known, kept, check, tally=tally)
        if done.proof.state is not State.BROKEN:
            return done
    return _from_the_beginning(connection, account, snapshot, every[-1], kept, check, tally=tally)


def _go_on(
    connection: Connection,
    account: StoredAccount,
    snapshot: Snapshot | None,
    every: list[Known],
    kept: Kept,
    check: Check,
) -> Done | None:
    known = next((each for each in every if each.basis == kept.state.get("basis")), None)
    points = [Checkpoint.from_json(each) for each in kept.state.get("checkpoints", ())]
    good = usable(points, kept.touched_from)
    states = good[-1].restore(known.trades, known.ledger) if known and good else None
    if known is None or states is None or _is_due(kept.state, good[-1].time):
        return None
    proof = _prove(connection, account, snapshot, known, states, check, since=good[-1].read_from)
    state = _state(known, [*good, *proof.checkpoints], kept.state["whole_to"])
    return Done(proof, state, written_from=kept.touched_from)


def _from_the_beginning(
    connection: Connection,
    account: StoredAccount,
    snapshot: Snapshot | None,
    known: Known,
    kept: Kept | None,
    check: Check,
    *,
    tally: bool,
) -> Done:
    seals: seal.Seals = {}
    tallies = Tallies() if tally else None
    states = ChainState(windowed=known.windowed), JoinState(known.trades, known.ledger)
    proof = _prove(connection, account, snapshot, known, states, check, seals=seals, tallies=tallies)
    sealed = seal.closed(seals)
    same = kept is not None and kept.state.get("basis") == known.basis
    before = _seals_left(connection, account, kept) if kept and same else {}
    altered = tuple(_altered(connection, account, before, sealed))
    whole_to = iso(proof.chains.time) if proof.chains.time else None
    # what was altered stays so until it is read again: the old seals are kept
    left = before if altered else sealed
    return Done(proof, _state(known, proof.checkpoints, whole_to), altered, tallies, left)


def _prove(
    connection: Connection,
    account: StoredAccount,
    snapshot: Snapshot | None,
    known: Known,
    states: tuple[ChainState, JoinState],
    check: Check,
    *,
    since: datetime | None = None,
    seals: seal.Seals | None = None,
    tallies: Tallies | None = None,
) -> Proof:
    """``since``: go on from there. From the beginning all rows up to the first checkpoint are looked at by columns."""
    opened = partial(_opened, connection, account, known, check, seals)
    chains, joined = states
    begin = max(since or known.ledger.start, known.ledger.start)
    at = marks(read.newest_ledger_time(connection, account.id)) if since is None else ()
    passed = []
    if at and tallies is None:
        border = max(begin, at[0] + MICROSECOND)
        with opened(begin, None, border) as (ledger, trades):
            advance(chains, joined, ledger, trades)
        passed = [settled(chains, joined)] if chains.time else []
        begin = since = border
    with opened(begin, since, None) as (ledger, trades):
        rows = map(ledger.make, ledger.rows)
        fills: Iterator[TradeRow] | None = None if trades is None else map(trades.make, trades.rows)
        if tallies is not None:
            fills = fills and counted_trades(tallies, fills)
        watch = {} if tallies is None else {"watch": tallies.ledger_row}
        return prove(rows, fills, snapshot, chains=chains, joined=joined, marks=at, passed=passed, **watch)


@contextmanager
def _opened(
    connection: Connection,
    account: StoredAccount,
    known: Known,
    check: Check,
    seals: seal.Seals | None,
    begin: datetime,
    since: datetime | None,
    before: datetime | None,
) -> Iterator[tuple[Stored[LedgerRow], Stored[TradeRow] | None]]:
    """The ledger from ``begin`` and the trades from ``since``, both older than ``before``, sealed as they are read."""
    with ExitStack() as stack:

        def stored(source: read.Source[R], kind: str, since: datetime | None) -> Stored[R]:
            found = read.stored(connection, source, account.id, since=since, before=before)
            chunks: Iterator[list[Raw]] = stack.enter_context(closing(until_stopped(found.chunks, check, every=1)))
            found = replace(found, chunks=chunks)
            return found if seals is None else replace(found, chunks=seal.sealing(seals, kind, found))

        ledger = stored(read.LEDGER, "ledger", begin)
        yield ledger, None if known.trades is None else stored(read.TRADE, "trade", since)


def _state(known: Known, points: Sequence[Checkpoint], whole_to: str | None) -> dict[str, Any]:
    return {"basis": known.basis, "checkpoints": [each.to_json() for each in thinned(points)], "whole_to": whole_to}


def _altered(connection: Connection, account: StoredAccount, before: seal.Kept, sealed: seal.Kept) -> Iterator[Finding]:
    def stored(kind: str, start: datetime) -> Stored[Any]:
        source: read.Source[Any] = read.LEDGER if kind == "ledger" else read.TRADE
        return read.stored(connection, source, account.id, since=start, before=next_month(start))

    def gone(start: datetime) -> list[str]:
        return missing_of_events(connection, account, Period(start, next_month(start)))

    return seal.altered(before, sealed, stored, gone)


def _seals_left(connection: Connection, account: StoredAccount, kept: Kept) -> dict[str, seal.KeptSeal]:
    """Those of months to which nothing was written since."""
    written = f"{kept.touched_from:%Y-%m}" if kept.touched_from else None
    return {name: seal.KeptSeal(*said) for name, said in stored_seals.load(connection, account.id, written).items()}


def _is_due(kept: Mapping[str, Any], time: datetime) -> bool:
    """Now and then the whole history is proven again, so that what has become old is sealed, too."""
    whole_to = kept.get("whole_to")
    return whole_to is None or time - parse_iso(whole_to) > SEALED_EVERY
