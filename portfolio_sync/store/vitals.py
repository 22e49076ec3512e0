"""How accounts do, in as few queries as there are kinds of facts: for the service's endpoints, its alerts and ``status``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from portfolio_sync.core.instant import parse_iso
from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.store import accounts
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.schema import account, finding_row, key_state, lease, proof, stream_state, sync_run

STREAMS = ("balances", "ledgers", "trades", "earn", "deposits", "withdrawals")


@dataclass(frozen=True, slots=True)
class StreamVitals:
    """``error``: why the key may not read it."""

    rows: int
    last_success_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Vitals:
    """One account. ``outcome``, ``error``, ``ended_at``: of its newest sync that ended; ``running``: somebody has its lease.

    ``last_outcome``: how the service's newest run ended, also one that failed before it could be numbered.
    """

    account: StoredAccount
    streams: Mapping[str, StreamVitals]
    proof: str
    outcome: str | None = None
    error: str | None = None
    ended_at: datetime | None = None
    running: str | None = None
    next_run_at: datetime | None = None
    last_outcome: str | None = None
    findings: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(severity, code) -> how many"""
    unsettled_since: datetime | None = None
    """Since when rows were booked each time while the balances were read, so that nothing is proven and nothing is wrong."""


def every(connection: Connection, now: datetime) -> dict[int, Vitals]:
    """All accounts of the database by their number."""
    streams, proofs, leases, runs = (
        _streams(connection),
        _proofs(connection),
        _leases(connection, now),
        _runs(connection),
    )
    findings = _findings(connection)
    return {
        one.id: Vitals(
            one, streams[one.id], **proofs.get(one.id, {"proof": "unknown"}), **runs.get(one.id, {}),
            **leases.get(one.id, {}), findings=findings[one.name],
        )
        for one in accounts.every(connection)
    }  # fmt: skip


def keys(connection: Connection) -> dict[str, KeyRecord]:
    """What is remembered about every API key, by its fingerprint."""
    return {
        row.fingerprint: KeyRecord(int(row.last_nonce), row.level, row.level_at, row.parked_until)
        for row in connection.execute(select(key_state))
    }


def answers(connection: Connection) -> None:
    """The least that shows that the database answers."""
    connection.execute(select(account.c.id).limit(1)).all()


def _streams(connection: Connection) -> Mapping[int, dict[str, StreamVitals]]:
    found: dict[int, dict[str, StreamVitals]] = defaultdict(dict)
    s = stream_state.c
    for row in connection.execute(select(stream_state).where(s.stream.in_(STREAMS)).order_by(s.stream)):
        found[row.account_id][row.stream] = StreamVitals(row.rows, row.last_success_at, row.error)
    return found


def _proofs(connection: Connection) -> dict[int, dict[str, Any]]:
    p = proof.c
    whole = select(p.account_id, p.state, p.detail).where(p.asset == "", p.wallet == "")
    return {
        row.account_id: {
            "proof": row.state,
            "unsettled_since": parse_iso(since) if (since := row.detail.get("unsettled_since")) else None,
        }
        for row in connection.execute(whole)
    }


def _leases(connection: Connection, now: datetime) -> dict[int, dict[str, Any]]:
    return {
        row.account_id: {
            "running": row.owner if row.owner and row.until > now else None,
            "next_run_at": row.next_run_at,
            "last_outcome": row.last_outcome,
        }
        for row in connection.execute(select(lease))
    }


def _runs(connection: Connection) -> dict[int, dict[str, Any]]:
    """The newest sync of each account that ended by itself: found from the end of the log, however long that is."""
    r = sync_run.alias("r").c
    newest = (
        select(func.max(r.seq))
        .where(r.account_id == account.c.id, r.kind == "sync", r.outcome.is_not(None), r.outcome != "abandoned")
        .correlate(account)
        .scalar_subquery()
    )
    query = select(sync_run).where(sync_run.c.seq.in_(select(newest).select_from(account)))
    return {
        row.account_id: {"outcome": row.outcome, "error": row.error, "ended_at": row.ended_at}
        for row in connection.execute(query)
    }


def _findings(connection: Connection) -> Mapping[str | None, dict[tuple[str, str], int]]:
    """Each once, in whatever scopes it stands, as the view ``finding`` shows them."""
    f = finding_row.c
    once = select(f.id, f.account, f.severity, f.code).distinct().subquery().c
    query = select(once.account, once.severity, once.code, func.count().label("number"))
    found: dict[str | None, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in connection.execute(query.group_by(once.account, once.severity, once.code)):
        found[row.account][row.severity, row.code] = row.number
    return found
