"""The completeness proof of one account: the chains hold, the trades are joined, the ends are the balances.

- ``proven``: every chain begins at zero, nothing is broken, and the ends equal a settled balance snapshot.
- ``windowed``: the same of what a key's query window shows; what lies before it cannot be known.
- ``broken``: a chain, a join or a balance contradicts; the first broken row says where to read again.
- ``unknown``: nothing contradicts, but the end is not witnessed: no balance snapshot, one older than the newest row, or one that
  was not taken between two equal ledger heads and disagrees. A missing last row cannot be seen then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from portfolio_sync.core.amount import shortest
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import iso
from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.period import Period, union
from portfolio_sync.verify.balance import Earn, Snapshot, compare, moves_left
from portfolio_sync.verify.chain import extend
from portfolio_sync.verify.checkpoint import Checkpoint, checkpoint
from portfolio_sync.verify.join import NEAR, JoinState, close, join, settle
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
    """``chains`` can be kept and gone on from. ``reread``: the intervals in which the breaks lie, as far as they are known."""

    state: State
    chains: ChainState
    breaks: tuple[Break, ...] = ()
    findings: tuple[Finding, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    earn: Earn = Earn.INSIDE
    reread: tuple[Period, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()


def prove(
    rows: Iterable[LedgerRow],
    trades: Iterable[TradeRow] | None,
    snapshot: Snapshot | None,
    *,
    chains: ChainState | None = None,
    joined: JoinState | None = None,
    marks: Sequence[datetime] = (),
    passed: Sequence[Checkpoint] = (),
    watch: Callable[[LedgerRow], None] = lambda _: None,
) -> Proof:
    """Prove one account from its rows and trades, both sorted by (time, id); they are read once and not kept.

    ``trades`` None: not read, so not joined. ``chains`` and ``joined``: what a checkpoint holds, then rows and trades begin at its
    ``read_from``; or new ones that say what is known (``windowed``, the periods read without gaps). ``marks``: instants, oldest
    first, up to which checkpoints are set; one more is set at the end. ``passed``: those set before. ``watch`` sees each row in the order of the chains.
    """
    chains = ChainState() if chains is None else chains
    joined = JoinState() if joined is None else joined
    walk: Iterable[LedgerRow] = rows if trades is None else join(joined, rows, trades)
    checkpoints = [*passed]
    for _, part in groupby(walk, key=lambda row: bisect_left(marks, row.time)):
        for row in extend(chains, part):
            watch(row)
        checkpoints.append(settled(chains, joined))
    close(joined)
    return conclude(chains, joined if trades is not None else None, snapshot, checkpoints)


def settled(chains: ChainState, joined: JoinState) -> Checkpoint:
    """A checkpoint after the last row that was chained."""
    assert chains.time is not None  # a row was chained
    settle(joined, chains.time - NEAR)
    return checkpoint(chains, joined)


def conclude(
    chains: ChainState, joined: JoinState | None, snapshot: Snapshot | None, checkpoints: Sequence[Checkpoint] = ()
) -> Proof:
    """What the chains, the join and the snapshot say together."""
    ends, earn, found = _witness(chains, snapshot)
    errors = [*map(_broken, chains.breaks), *_rounded_alone(chains), *(joined.findings if joined else ())]
    findings = [*errors, *found, *moves_left(chains)]
    if joined is None:
        findings.append(_not_joined(chains))
        ends = State.UNKNOWN if chains.counts["rows_of_trades"] else ends
    state = State.BROKEN if chains.counts["breaks"] or errors else ends
    counts = chains.counts + (joined.counts if joined else Counter())
    again = _reread(chains.breaks, errors)
    return Proof(state, chains, tuple(chains.breaks), tuple(findings), counts, earn, again, tuple(checkpoints))


def _not_joined(chains: ChainState) -> Finding:
    said = "the trades were not read: ledger rows are not joined to them"
    return Finding(Severity.WARNING if chains.counts["rows_of_trades"] else Severity.INFO, "trades_not_read", said)


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


def _reread(breaks: list[Break], errors: list[Finding]) -> tuple[Period, ...]:
    """Each from the last row that is certain to the row that is not explained."""
    spans = [(broken.before_time or broken.time, broken.time) for broken in breaks]
    spans += [(error.time, error.time) for error in errors if error.time]
    return tuple(union(Period(first - AROUND, last + AROUND) for first, last in spans))
