"""What every import does: the accounts, their leases, one transaction for all files, and afterwards the events and the proof anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Table

from portfolio_sync.app import App
from portfolio_sync.errors import UsageError
from portfolio_sync.settings.model import Account
from portfolio_sync.store import accounts, lease, runs
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease
from portfolio_sync.store.upsert import Upserted, upsert
from portfolio_sync.tasks.standing import proof_of, stand_of
from portfolio_sync.tasks.sync import kept_alive, refresh, take
from portfolio_sync.tasks.verify import verify_account


@dataclass(slots=True)
class ImportRun:
    """One import while its transaction is open. ``seq`` is its number; ``done`` sums up what was written."""

    connection: Connection
    account: StoredAccount
    seq: int
    now: datetime
    done: Upserted = field(default_factory=Upserted)

    def write(self, table: Table, rows: Iterable[Mapping[str, object]], stream: str | None = None) -> Upserted:
        """Merge rows by their key; those of a ``stream`` count among its rows."""
        done = upsert(
            self.connection, table, rows, seq=self.seq, seen_at=self.now, account_id=self.account.id
        )  # fmt: skip
        if stream:
            runs.count_on(self.connection, self.account.id, stream, done.new)
        self.done += done
        return done


Write = Callable[[ImportRun], None]


def run_import(app: App, taxpayer: str | None, writes: Mapping[str, Write]) -> dict[str, str]:
    """Let each account's ``write`` write all there is for it, in one transaction; returns the state of each proof afterwards.

    An account is created if it is new. Whatever a ``write`` raises leaves the database as it was, the accounts included.
    """
    engine = app.writable_engine
    with writing(engine) as connection:
        taken = [
            _written(app, connection, account_of(app, connection, name, taxpayer), writes[name]) for name in writes
        ]
    with ExitStack() as leases:
        for _, held in taken:
            leases.enter_context(kept_alive(app, held))
        for stored, held in taken:
            unproven = stand_of(engine, stored).due
            refresh(app, stored, held)
            if unproven:  # last: where it is missing, whoever comes next makes both anew
                verify_account(engine, stored, held)
    return {stored.name: proof_of(engine, [stored]) for stored, _ in taken}


def _written(app: App, connection: Connection, stored: StoredAccount, write: Write) -> tuple[StoredAccount, Lease]:
    held = take(app, connection, stored)
    seq = runs.begin(connection, stored.id, "import", app.clock.now())
    run = ImportRun(connection, stored, seq, app.clock.now())
    write(run)
    facts = {"ended_at": app.clock.now(), "outcome": "ok", "error": None, "calls": 0}
    runs.end(connection, seq, facts | {"rows_new": run.done.new, "rows_changed": run.done.changed})
    lease.heartbeat(connection, held)
    return stored, held


def account_of(app: App, connection: Connection, name: str, taxpayer: str | None) -> StoredAccount:
    """The account of this name, made if it is new. Raises UsageError for a name that cannot be, or another's account."""
    configured = next((account for account in app.settings.accounts if account.name == name), None)
    stored = accounts.get(connection, name)
    whose = configured.taxpayer if configured else stored.taxpayer if stored else None
    if whose and taxpayer and whose != taxpayer:
        raise UsageError(
            f"account {name} belongs to taxpayer {whose!r}, not {taxpayer!r}: leave --taxpayer out, import into another "
            "account, or name the taxpayer in the settings"
        )
    try:
        wanted = Account(name=name, taxpayer=whose or taxpayer or "me")
    except ValueError:
        raise UsageError(
            f"{name!r} cannot be the name of an account: letters, digits and _ . @ - after a letter or digit, 64 at most"
        ) from None
    return accounts.get_or_create(connection, wanted.name, wanted.taxpayer)
