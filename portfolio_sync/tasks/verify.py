"""The completeness proof of stored accounts: run it, keep it, ask for it. No network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Engine

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.clock import Check, never
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import EPOCH, iso
from portfolio_sync.core.period import Period, union
from portfolio_sync.report.frame import finding_id
from portfolio_sync.store import coverage, runs, schema, seals, snapshots
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.derived import PROOF
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.lease import Lease, guard, is_alone
from portfolio_sync.store.write import replace_findings, save_proof
from portfolio_sync.tasks.proving import Done, prove_stored
from portfolio_sync.tasks.standing import detail_of, plain
from portfolio_sync.verify.balance import Snapshot, Stated
from portfolio_sync.verify.certificate import Certificate
from portfolio_sync.verify.proof import Proof, State

BALANCES_DISAGREE = "balances_unsettled"
MOST_STRETCHES = 12


@dataclass(frozen=True, slots=True)
class Verified:
    """One account's proof, with what the coverage says against it."""

    account: str
    state: str
    proof: Proof
    findings: tuple[Finding, ...]
    reread: tuple[Period, ...] = ()
    certificate: Certificate | None = None

    def document(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "state": self.state,
            "counts": dict(sorted(self.proof.counts.items())),
            "breaks": [broken._asdict() | {"gap": broken.gap} for broken in self.proof.breaks],
            "findings": [{"code": f.code, "severity": f.severity.value, "message": f.message} for f in self.findings],
            "reread": [{"start": each.start, "end": each.end} for each in self.reread],
        }

    def lines(self) -> Iterator[str]:
        counted = ", ".join(f"{number:,} {name}" for name, number in sorted(self.proof.counts.items()))
        yield f"{self.account}: {self.state} ({counted or 'no rows'})"
        for finding in self.findings:
            yield f"  {finding.severity.value}: {finding.message}"
        if self.reread:
            start, end = iso(self.reread[0].start), iso(self.reread[-1].end)
            yield f"  read it again: portfolio-sync sync --account {self.account} --start {start} --end {end} --full"


def verify_account(
    engine: Engine,
    account: StoredAccount,
    held: Lease | None = None,
    *,
    settled: bool | None = None,
    whole: bool = True,
    certify: bool = False,
    check: Check = never,
) -> Verified:
    """Prove one account from what is stored, and keep the result. Raises LeaseLost, and what ``check`` raises.

    ``held`` None: without a lease. The result is not kept then where a sync or an import came between: it proves what it wrote.
    ``settled``: the ledger was seen to stand still while the balances were read; None: as the last sync found it. ``whole`` False: go
    on from where an earlier proof stood, as far as no row written since can have changed that. ``certify``: make the certificate, too.
    """
    with reading(engine) as connection:
        seq = runs.newest(connection, account.id)
        known = detail_of(connection, account)
        taken_at = _last_success(connection, account, "balances")
        agreed = (
            settled if settled is not None else bool(taken_at) and known.get("settled_at") == iso(taken_at or EPOCH)
        )
        snapshot = _snapshot(connection, account, taken_at, settled=bool(agreed))
        done = prove_stored(connection, account, snapshot, whole=whole, tally=certify, check=check)
        covered = coverage.periods(connection, account.id, "ledgers")
        gaps = _gaps(connection, account, covered)
    proof = done.proof
    errors = (*gaps, *done.altered)
    state = State.BROKEN if done.altered else State.UNKNOWN if gaps and proof.state is not State.BROKEN else proof.state
    findings = (*errors, *proof.findings)
    page = None
    if done.tallies:
        facts = (account.name, account.taxpayer, account.kraken_id, state.value)
        page = Certificate(*facts, covered, done.tallies, proof, snapshot, findings)
    verified = Verified(account.name, state.value, proof, findings, _reread(proof, done.altered_in), page)
    witnessed = taken_at and (agreed or proof.state in (State.PROVEN, State.WINDOWED))
    unsettled = state is State.UNKNOWN and not gaps and any(f.code == BALANCES_DISAGREE for f in proof.findings)
    with writing(engine) as connection:
        if held:
            guard(connection, held)
        if held or (is_alone(connection, account.id) and runs.newest(connection, account.id) == seq):
            at = iso(taken_at) if taken_at else None
            _keep(connection, account, verified, at if witnessed else None, at if unsettled else None, done)
    return verified


def _reread(proof: Proof, altered: list[Period]) -> tuple[Period, ...]:
    """What a sync reads again: so many stretches at most, else all between them."""
    periods = union([*proof.reread, *altered])
    return tuple(periods) if len(periods) <= MOST_STRETCHES else (Period(periods[0].start, periods[-1].end),)


def _snapshot(
    connection: Connection, account: StoredAccount, taken_at: datetime | None, *, settled: bool
) -> Snapshot | None:
    if taken_at is None:
        return None
    balances = snapshots.latest(connection, schema.raw_balance, account.id).values()
    earn_read = _last_success(connection, account, "earn") is not None
    allocated: dict[str, Decimal] = defaultdict(lambda: ZERO)
    parts: dict[str, list[Decimal]] = defaultdict(list)
    for row in snapshots.latest(connection, schema.raw_earn, account.id).values():
        allocated[row["symbol"]] = EXACT.add(allocated[row["symbol"]], row["amount"])
        parts[row["symbol"]].append(row["amount"])
    stated = tuple(Stated(row["asset"], row["symbol"], row["amount"]) for row in balances)
    return Snapshot(taken_at, stated, dict(allocated) if earn_read else None, settled, parts=parts)


def _gaps(connection: Connection, account: StoredAccount, ledger: list[Period]) -> list[Finding]:
    """What lies between two covered periods was never read; nor what a walk that was cut short has still to read."""
    unread = [f"ledger from {iso(before.end)} to {iso(after.start)}" for before, after in pairwise(ledger)]
    if not ledger and coverage.periods(connection, account.id, "trades"):
        unread.append("ledger")
    for stream, left in coverage.unfinished(connection, account.id).items():
        unread.append(f"history of {stream} before {iso(left)}")
    return [
        Finding(
            Severity.ERROR,
            "history_incomplete",
            f"the {what} was never read completely: run sync",
            account=account.name,
        )
        for what in unread
    ]


def _keep(
    connection: Connection,
    account: StoredAccount,
    verified: Verified,
    settled_at: str | None,
    unsettled_at: str | None,
    done: Done,
) -> None:
    before = detail_of(connection, account)
    detail = {
        "settled_at": settled_at,
        "unsettled_since": unsettled_at and (before.get("unsettled_since") or unsettled_at),
        "counts": dict(verified.proof.counts),
        "rereads": plain(verified.reread),
        "rereads_done": before.get("rereads_done"),
    }
    save_proof(connection, account.id, verified.state, detail, verified.proof.chains.time)
    PROOF.save(connection, account.id, done.state)
    if done.seals is not None:
        seals.replace(connection, account.id, done.seals)
    elif done.written_from:
        seals.break_from(connection, account.id, f"{done.written_from:%Y-%m}")
    found = [_of(finding, account.name) for finding in verified.findings]
    replace_findings(connection, f"verify {account.name}", {finding_id(f): f for f in found})


def _of(finding: Finding, account: str) -> Finding:
    return Finding(finding.severity, finding.code, finding.message, finding.source, finding.time, account)


def _last_success(connection: Connection, account: StoredAccount, stream: str) -> datetime | None:
    state = runs.stream(connection, account.id, stream)
    return state["last_success_at"] if state else None
