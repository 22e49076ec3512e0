"""The completeness proof of one account: the chains hold, the trades are joined, the ends are the balances.

- ``proven``: every chain begins at zero, nothing is broken, and the ends equal a settled balance snapshot.
- ``windowed``: the same of what a key's query window shows; what lies before it cannot be known.
- ``broken``: a chain, a join or a balance contradicts; the first broken row says where to read again.
- ``unknown``: nothing contradicts, but the end is not witnessed: no balance snapshot, one older than the newest row, or one that
  was not taken between two equal ledger heads and disagrees. A missing last row cannot be seen then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from portfolio_sync.core.amount import shortest
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import iso
from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.period import Period
from portfolio_sync.verify.balance import Earn, Snapshot, compare, moves_left
from portfolio_sync.verify.chain import extend
from portfolio_sync.verify.join import JoinState, close, join
from portfolio_sync.verify.state import Break, ChainState

AROUND = timedelta(seconds=1)
"""Read again by whole seconds: the server cuts fractions."""


class State(StrEnum):
    PROVEN = "proven"
    WINDOWED = "windowed"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Proof:
    """``chains`` can be kept and gone on from. ``reread``: the interval in which the first break lies, if one is known."""

    state: State
    chains: ChainState
    breaks: tuple[Break, ...] = ()
    findings: tuple[Finding, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    earn: Earn = Earn.INSIDE
    reread: Period | None = None


def prove(
    rows: Iterable[LedgerRow],
    trades: Iterable[TradeRow] | None,
    snapshot: Snapshot | None,
    *,
    chains: ChainState | None = None,
    trades_known: Period | None = None,
    ledger_known: Period | None = None,
) -> Proof:
    """Prove one account from its rows and trades, both sorted by (time, id); they are read once and not kept.

    ``trades`` None: not read, so not joined. ``trades_known`` and ``ledger_known``: the periods read without gaps (None: all), so that a
    fill at their edge is not missed. ``chains``: what an earlier proof left (or ``ChainState(windowed=True)`` for a key with
    a query window); then ``rows`` may begin at its ``time``, and trades likewise.
    """
    chains = ChainState() if chains is None else chains
    joined = JoinState(trades=trades_known, ledger=ledger_known)
    walk: Iterable[LedgerRow] = rows if trades is None else join(joined, rows, trades)
    for _ in extend(chains, walk):
        pass
    close(joined)
    return conclude(chains, joined if trades is not None else None, snapshot)


def conclude(chains: ChainState, joined: JoinState | None, snapshot: Snapshot | None) -> Proof:
    """What the chains, the join and the snapshot say together."""
    ends, earn, found = _witness(chains, snapshot)
    errors = [*map(_broken, chains.breaks), *_rounded_alone(chains), *(joined.findings if joined else ())]
    findings = [*errors, *found, *moves_left(chains)]
    if joined is None:
        findings.append(
            Finding(Severity.INFO, "trades_not_read", "the trades were not read: ledger rows are not joined to them")
        )
    state = State.BROKEN if chains.counts["breaks"] or errors else ends
    counts = chains.counts + (joined.counts if joined else Counter())
    return Proof(state, chains, tuple(chains.breaks), tuple(findings), counts, earn, _reread(chains.breaks, errors))


def _witness(chains: ChainState, snapshot: Snapshot | None) -> tuple[State, Earn, list[Finding]]:
    """The best state that the balances allow."""
    if snapshot is None:
        return State.UNKNOWN, Earn.INSIDE, [_unwitnessed("no_balances", "no balances were read", chains)]
    if chains.time is not None and snapshot.taken_at < chains.time:
        said = f"the balances of {iso(snapshot.taken_at)} are older than the newest row"
        return State.UNKNOWN, Earn.INSIDE, [_unwitnessed("balances_outdated", said, chains)]
    earn, found = compare(chains, snapshot)
    if not found:
        return State.WINDOWED if chains.windowed else State.PROVEN, earn, []
    if snapshot.settled:
        return State.BROKEN, earn, found
    said = "the balances disagree, and rows may have been booked while they were read"
    return State.UNKNOWN, earn, [_unwitnessed("balances_unsettled", said, chains)]


def _unwitnessed(code: str, said: str, chains: ChainState) -> Finding:
    return Finding(
        Severity.WARNING, code, f"{said}: that the newest rows are all there is not proven", time=chains.time
    )


def _broken(broken: Break) -> Finding:
    message = (
        f"the {broken.symbol} chain breaks at {broken.row} ({iso(broken.time)}): the balance before it was "
        f"{shortest(broken.found)}, known is {shortest(broken.expected)}: {shortest(broken.gap)} {broken.symbol} unexplained"
    )
    return Finding(
        Severity.ERROR,
        "chain_broken",
        message,
        tuple(filter(None, (broken.row, broken.before, broken.after))),
        broken.time,
    )


def _rounded_alone(chains: ChainState) -> list[Finding]:
    if chains.rounding.odd_rows != 1:
        return []
    message = f"{chains.rounding.odd} alone is not rounded to the nearest: its fee, its amount or its balance is wrong"
    return [Finding(Severity.ERROR, "rounding_differs", message, (chains.rounding.odd,))]


def _reread(breaks: list[Break], errors: list[Finding]) -> Period | None:
    """From the last row that is certain to the row that is not explained."""
    if breaks:
        first = min(breaks, key=lambda broken: broken.time)
        return Period((first.before_time or first.time) - AROUND, first.time + AROUND)
    times: Iterator[datetime] = (error.time for error in errors if error.time)
    first_time = min(times, default=None)
    return Period(first_time - AROUND, first_time + AROUND) if first_time else None
