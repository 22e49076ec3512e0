"""How the accounts stand, for ``status``: read from the same views that analysts use."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, text

from portfolio_sync.core.instant import EPOCH, iso, parse_iso
from portfolio_sync.errors import UsageError
from portfolio_sync.store import accounts
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import reading

HEADER = ("stream", "rows", "covered_from", "covered_to", "last_success_at", "proof", "error")
FACTS = {
    "streams": "SELECT stream, rows, covered_from, covered_to, last_success_at, proof, error FROM sync_status "
    "WHERE account = :name ORDER BY stream",
    "run": "SELECT started_at, ended_at, outcome, error FROM sync_run WHERE account_id = :id ORDER BY seq DESC LIMIT 1",
    "lease": "SELECT owner, next_run_at FROM lease WHERE account_id = :id",
    "changed": "SELECT count(*) FROM change_log WHERE account = :name",
    "findings": "SELECT count(*) FROM finding WHERE account = :name AND severity = 'error'",
    "proof": "SELECT state FROM proof WHERE account_id = :id AND asset = '' AND wallet = ''",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One account. ``streams``: rows under ``header``."""

    name: str
    taxpayer: str
    key_state: str | None
    proof: str
    streams: tuple[tuple[Any, ...], ...]
    last_run: dict[str, Any] | None
    running: str | None
    next_run_at: datetime | None
    changed: int
    findings: int
    header: tuple[str, ...] = HEADER

    def document(self) -> dict[str, Any]:
        names = ("name", "taxpayer", "key_state", "proof", "last_run", "running", "next_run_at", "changed", "findings")
        streams = [dict(zip(self.header, row, strict=True)) for row in self.streams]
        return {name: getattr(self, name) for name in names} | {"streams": streams}

    def words(self) -> Iterator[str]:
        if self.last_run:
            ended = iso(self.last_run["ended_at"]) if self.last_run["ended_at"] else "still running or killed"
            problem = f": {self.last_run['error']}" if self.last_run["error"] else ""
            yield f"last run {iso(self.last_run['started_at'])} to {ended}, {self.last_run['outcome'] or 'open'}{problem}"
        yield f"next run {iso(self.next_run_at) if self.next_run_at else 'when somebody asks: no serve has planned one'}"
        if self.running:
            yield f"being synced now by {self.running}"
        if self.changed:
            yield f"{self.changed:,} changed fields since the rows were first read: see the view change_log"
        if self.findings:
            yield f"{self.findings:,} findings need a person: see the view finding"


def standing(engine: Engine, names: Collection[str] = ()) -> list[Standing]:
    """All accounts of the database, or those named. Raises UsageError for a name that is not there."""
    with reading(engine) as connection:
        every = accounts.every(connection)
        unknown = set(names) - {account.name for account in every}
        if unknown:
            raise UsageError(f"no account {', '.join(sorted(unknown))} in the database")
        return [_of(connection, account) for account in every if not names or account.name in names]


def _of(connection: Connection, account: StoredAccount) -> Standing:
    facts = {name: _ask(connection, query, account) for name, query in FACTS.items()}
    lease = facts["lease"][0] if facts["lease"] else None
    streams = tuple((*row[:2], *(_shown_instant(value) for value in row[2:5]), *row[5:]) for row in facts["streams"])
    return Standing(
        account.name,
        account.taxpayer,
        account.key_state,
        facts["proof"][0][0] if facts["proof"] else "unknown",
        streams,
        _run(facts["run"][0]._asdict()) if facts["run"] else None,
        lease.owner if lease else None,
        _instant(lease.next_run_at) if lease and lease.next_run_at else None,
        facts["changed"][0][0],
        facts["findings"][0][0],
    )


def _run(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: row[name] and _instant(row[name]) for name in ("started_at", "ended_at")}


def _ask(connection: Connection, query: str, account: StoredAccount) -> list[Any]:
    wanted = {"id": account.id, "name": account.name}
    given = {name: value for name, value in wanted.items() if f":{name}" in query}
    return list(connection.execute(text(query).bindparams(*(bindparam(name) for name in given)), given))


def _instant(value: str | datetime) -> datetime:
    """SQLite's views give text."""
    return parse_iso(value) if isinstance(value, str) else value


def _shown_instant(value: str | datetime | None) -> datetime | str | None:
    if value is None:
        return None
    instant = _instant(value)
    return "the beginning" if instant == EPOCH else instant
