"""What one sync writes and asks of the database, always under its lease: each commit is whole, or does not happen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from portfolio_sync.core.clock import Clock
from portfolio_sync.core.instant import EPOCH
from portfolio_sync.core.period import Period, union
from portfolio_sync.errors import KeyRefused, PortfolioSyncError
from portfolio_sync.kraken.key import KeyInfo
from portfolio_sync.store import accounts, coverage, export_job, history, runs, schema, snapshots
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.export_job import ExportJob
from portfolio_sync.store.lease import Lease, guard, heartbeat
from portfolio_sync.store.standing import standing
from portfolio_sync.store.strike import strike
from portfolio_sync.store.upsert import Upserted, upsert
from portfolio_sync.sync.identity import identified, require_own
from portfolio_sync.sync.streams import Record, Stream
from portfolio_sync.sync.walk import Position


class Book:
    """One account's rows during one sync. ``rows_new`` and ``rows_changed`` count what this sync brought.

    How the streams stand is read once, and then known: under the lease nobody else changes it. ``keep_runs``: how long
    the log keeps syncs that brought nothing.
    """

    def __init__(
        self, engine: Engine, account: StoredAccount, lease: Lease, clock: Clock, keep_runs: timedelta
    ) -> None:
        self.engine, self.lease, self.clock, self.keep_runs = engine, lease, clock, keep_runs
        self.rows_new = self.rows_changed = 0
        self._to_note: dict[str, dict[str, object]] = {}
        with self._writing() as connection:
            self.seq = runs.begin(connection, account.id, "sync", clock.now())
            self.account = accounts.get(connection, account.name) or account
            self._standing = standing(connection, account.id)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction under the lease. What is to be noted of the streams goes with it."""
        noted = dict(self._to_note)
        with writing(self.engine) as connection:
            guard(connection, self.lease)
            for key, facts in noted.items():
                runs.set_stream(connection, self.account.id, key, facts)
            yield connection
        for key in noted:
            del self._to_note[key]

    # --- what was read ---

    def commit(self, stream: Stream, rows: Sequence[Record]) -> int:
        """Rows outside of any walk. Returns how many were new or changed."""
        with self._writing() as connection:
            done = self._write(connection, stream, [row.columns for row in rows])
        return done.new + done.changed

    def commit_page(
        self, stream: Stream, rows: Sequence[Record], key: str, read: Period | None, position: Position | None
    ) -> None:
        """A page of a walk: its rows, the period they complete and the walk's position, together."""
        with self._writing() as connection:
            self._write(connection, stream, [row.columns for row in rows])
            if read is not None:
                coverage.add(connection, self.account.id, key, read)
            if position or self.position(key):
                coverage.set_position(connection, self.account.id, key, position)
        self._covers(key, read, position)

    def commit_report(
        self, stream: Stream, rows: Iterable[Mapping[str, object]], key: str, read: Period, job: ExportJob
    ) -> Upserted:
        """All rows of an export report, the period they complete and how ``job`` stands then, together.

        Whatever ``rows`` raises leaves everything as it was.
        """
        with self._writing() as connection:
            done = self._write(connection, stream, rows)
            coverage.add(connection, self.account.id, key, read)
            coverage.set_position(connection, self.account.id, key, None)
            export_job.keep(connection, self.account.id, job)
            heartbeat(connection, self.lease)  # so many rows take longer than a lease
        self._covers(key, read, None)
        self._standing.jobs[job.report] = job
        return done

    def _covers(self, key: str, read: Period | None, position: Position | None) -> None:
        self._standing.covered[key] = union([*self.coverage(key), *([read] if read else [])])
        self._standing.positions.pop(key, None)
        if position:
            self._standing.positions[key] = asdict(position)

    def _write(self, connection: Connection, stream: Stream, rows: Iterable[Mapping[str, object]]) -> Upserted:
        done = upsert(
            connection,
            schema.metadata.tables[stream.table],
            rows,
            seq=self.seq,
            seen_at=self.clock.now(),
            account_id=self.account.id,
        )
        self._brought(connection, stream, done.new)
        self.rows_changed += done.changed
        return done

    def strike(self, stream: Stream, period: Period, shown_ids: Collection[str], aclass: str) -> list[str]:
        """Take out our rows of ``period`` that are not among ``shown_ids``; returns their ids."""
        table = schema.metadata.tables[stream.table]
        with self._writing() as connection:
            struck = strike(
                connection,
                table,
                self.account.id,
                period,
                shown_ids,
                aclass=aclass,
                seq=self.seq,
                seen_at=self.clock.now(),
            )
            runs.count_on(connection, self.account.id, stream.name, -len(struck))
        self.rows_changed += len(struck)
        return struck

    def _brought(self, connection: Connection, stream: Stream, new: int) -> None:
        """Count on, in the transaction of the rows: nobody ever counts a whole history for a sync that finds nothing."""
        self.rows_new += new
        runs.count_on(connection, self.account.id, stream.name, new)

    def snapshot(self, stream: Stream, rows: Sequence[Record], now: datetime) -> int:
        """A whole snapshot; returns how many rows differ from the last one."""
        with self._writing() as connection:
            records = [row.columns for row in rows]
            changed = snapshots.store_changes(
                connection, schema.metadata.tables[stream.table], self.account.id, now, self.seq, records
            )
            self._brought(connection, stream, changed)
        return changed

    # --- what is there ---

    def coverage(self, key: str) -> list[Period]:
        return list(self._standing.covered.get(key, ()))

    def uncover_after(self, key: str, now: datetime) -> None:
        """What was noted as read beyond the exchange's ``now`` was noted while its clock was ahead: forget it."""
        covered = self.coverage(key)
        if covered and covered[-1].end > now:
            kept = [part for each in covered if (part := each.clamp(Period(EPOCH, now)))]
            with self._writing() as connection:
                coverage.replace(connection, self.account.id, key, kept)
            self._standing.covered[key] = kept

    def position(self, key: str) -> Position | None:
        """Where an unfinished walk stands."""
        found = self._standing.positions.get(key)
        return Position(**found) if found else None

    def count(self, table: str, period: Period, aclass: str = "") -> int:
        """Our rows of the period; of the ledger those of one asset class."""
        with reading(self.engine) as connection:
            if table == schema.raw_ledger.name:
                return history.count_class(connection, self.account.id, period, aclass)
            return history.count(connection, schema.metadata.tables[table], self.account.id, period)

    def quiet_second(self, table: str, period: Period, margin: timedelta) -> datetime | None:
        with reading(self.engine) as connection:
            return history.quiet_second(connection, schema.metadata.tables[table], self.account.id, period, margin)

    def holds(self, aclass: str) -> bool:
        with reading(self.engine) as connection:
            return history.holds_class(connection, self.account.id, aclass)

    def open_transfer_before(self, direction: str, time: datetime, final: Collection[str]) -> bool:
        with reading(self.engine) as connection:
            return history.open_transfer_before(connection, self.account.id, direction, time, final)

    # --- the export report under way ---

    def export_job(self, report: str) -> ExportJob | None:
        return self._standing.jobs.get(report)

    def keep_export(self, job: ExportJob) -> None:
        with self._writing() as connection:
            export_job.keep(connection, self.account.id, job)
        self._standing.jobs[job.report] = job

    def forget_export(self, report: str) -> None:
        with self._writing() as connection:
            export_job.forget(connection, self.account.id, report)
        self._standing.jobs.pop(report, None)

    # --- how the account and its streams stand ---

    def identify(self, info: KeyInfo | None) -> None:
        """Keep what the key says about itself. Raises KeyRefused where it is another account's key."""
        if (said := identified(self.account, info)) != self.account:
            with self._writing() as connection:
                require_own(connection, self.account, info)
                accounts.note_key(connection, said)
            self.account = said

    def deep_due(self, stream: str, now: datetime, every: timedelta) -> bool:
        state = self._state(stream)
        return state is None or state["last_deep_at"] is None or now - state["last_deep_at"] >= every

    def counts_seen(self, key: str) -> tuple[int, int] | None:
        """The last pair of (the exchange's count, ours) that was looked into."""
        state = self._state(key)
        return (state["counted"], state["rows"]) if state else None

    def remember_counts(self, key: str, theirs: int, ours: int) -> None:
        self._set(key, counted=theirs, rows=ours)

    def succeeded(self, stream: Stream, now: datetime, *, deep: bool) -> None:
        facts: dict[str, object] = {"last_success_at": now, "error": None, "error_at": None}
        self._set(stream.name, **facts, **({"last_deep_at": now} if deep else {}))

    def failed(self, stream: str, error: PortfolioSyncError, now: datetime) -> None:
        self._set(stream, error=str(error), error_at=now)

    def _state(self, key: str) -> Mapping[str, Any] | None:
        return self._standing.states.get(key)

    def _set(self, key: str, **facts: object) -> None:
        """Noted with the next commit, at the latest that which closes the run."""
        self._to_note[key] = self._to_note.get(key, {}) | facts
        unknown = dict.fromkeys(("last_deep_at", "counted", "rows"))
        self._standing.states[key] = unknown | self._standing.states.get(key, {}) | facts

    def close(self, outcome: str, error: PortfolioSyncError | None, calls: int) -> None:
        """End the run in the log: ``ok``, ``error`` or ``stopped``. Raises LeaseLost: then its successor has ended it."""
        facts = {
            "ended_at": self.clock.now(),
            "outcome": outcome,
            "error": str(error) if error else None,
            "calls": calls,
            "rows_new": self.rows_new,
            "rows_changed": self.rows_changed,
        }
        with self._writing() as connection:
            runs.end(connection, self.seq, facts)
            runs.prune(connection, self.account.id, self.clock.now() - self.keep_runs)
            if isinstance(error, KeyRefused) and error.key_state:
                accounts.note_key_state(connection, self.account.id, error.key_state)
