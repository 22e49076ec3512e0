"""How the accounts stand, for ``status``: the facts that the service judges by, and the streams as analysts see them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, text

from portfolio_sync.core.instant import EPOCH, iso, parse_iso
from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.errors import UsageError
from portfolio_sync.store import lease, vitals
from portfolio_sync.store.engine import reading
from portfolio_sync.store.vitals import Vitals

HEADER = ("stream", "rows", "covered_from", "covered_to", "last_success_at", "proof", "error")
FACTS = {
    "streams": "SELECT stream, rows, covered_from, covered_to, last_success_at, proof, error FROM sync_status "
    "WHERE account = :name ORDER BY stream",
    "run": "SELECT started_at, ended_at, outcome, error FROM sync_run WHERE account_id = :id ORDER BY seq DESC LIMIT 1",
    "changed": "SELECT count(*) FROM change_log WHERE account = :name",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One account. ``streams``: rows under ``header``; ``last_run``: also one that is under way or was killed."""

    vitals: Vitals
    streams: tuple[tuple[Any, ...], ...]
    last_run: dict[str, Any] | None
    changed: int
    header: tuple[str, ...] = HEADER

    @property
    def name(self) -> str:
        return self.vitals.account.name

    @property
    def key_state(self) -> str:
        return self.vitals.account.key_state or "never used"

    @property
    def findings(self) -> int:
        return sum(number for (severity, _), number in self.vitals.findings.items() if severity == "error")

    def document(self) -> dict[str, Any]:
        facts = self.vitals
        return {
            "name": self.name,
            "taxpayer": facts.account.taxpayer,
            "key_state": facts.account.key_state,
            "proof": facts.proof,
            "last_run": self.last_run,
            "running": facts.running,
            "next_run_at": facts.next_run_at,
            "changed": self.changed,
            "findings": self.findings,
            "streams": [dict(zip(self.header, row, strict=True)) for row in self.streams],
        }

    def words(self) -> Iterator[str]:
        if self.last_run:
            ended = iso(self.last_run["ended_at"]) if self.last_run["ended_at"] else "still running or killed"
            problem = f": {self.last_run['error']}" if self.last_run["error"] else ""
            yield f"last run {iso(self.last_run['started_at'])} to {ended}, {self.last_run['outcome'] or 'open'}{problem}"
        due = self.vitals.next_run_at
        yield f"next run {iso(due) if due else 'when somebody asks: no serve has planned one'}"
        if self.vitals.running:
            yield f"being synced now by {self.vitals.running}"
        if self.changed:
            yield f"{self.changed:,} changed fields since the rows were first read: see the view change_log"
        if self.findings:
            yield f"{self.findings:,} findings need a person: see the view finding"


def standing(engine: Engine, names: Collection[str] = ()) -> list[Standing]:
    """All accounts of the database, or those named. Raises UsageError for a name that is not there."""
    return standing_and_keys(engine, names)[0]


def standing_and_keys(engine: Engine, names: Collection[str] = ()) -> tuple[list[Standing], dict[str, KeyRecord]]:
    """The same, and what is remembered about every API key by its fingerprint."""
    with reading(engine) as connection:
        every = vitals.every(connection, lease.now(connection)).values()
        unknown = set(names) - {one.account.name for one in every}
        if unknown:
            raise UsageError(f"no account {', '.join(sorted(unknown))} in the database")
        found = [_of(connection, one) for one in every if not names or one.account.name in names]
        return found, vitals.keys(connection)


def _of(connection: Connection, one: Vitals) -> Standing:
    facts = {name: _ask(connection, query, one) for name, query in FACTS.items()}
    streams = tuple((*row[:2], *(_shown_instant(value) for value in row[2:5]), *row[5:]) for row in facts["streams"])
    last_run = _run(facts["run"][0]._asdict()) if facts["run"] else None
    return Standing(one, streams, last_run, facts["changed"][0][0])


def _run(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: row[name] and _instant(row[name]) for name in ("started_at", "ended_at")}


def _ask(connection: Connection, query: str, one: Vitals) -> list[Any]:
    wanted = {"id": one.account.id, "name": one.account.name}
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
