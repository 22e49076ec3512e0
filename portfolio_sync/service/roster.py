"""Which accounts this process serves, and with which settings: both are taken up anew when files change or on SIGHUP.

A run keeps the settings it began with. A key that the exchange refuses rests: it is tried once an hour, at each start of
the service, on SIGHUP, and as soon as the files it comes from change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random

from sqlalchemy import Connection

from portfolio_sync.app import App
from portfolio_sync.errors import KeyRefused, PortfolioSyncError, SettingsError
from portfolio_sync.service.plan import REST, keep_plans
from portfolio_sync.service.schedule import next_run
from portfolio_sync.service.watch import Mark, Watch, marks
from portfolio_sync.settings.model import Account
from portfolio_sync.settings.secrets import files_of
from portfolio_sync.settings.sources import Loaded
from portfolio_sync.store import lease as leases
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import writing
from portfolio_sync.tasks.sync import stored_account

PINNED = ("database", "log", "notify", "service")
"""Sections that a running service cannot change."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Served:
    """An account of the settings, its row in the database, the application with these settings; ``keys``: its files' marks."""

    account: Account
    stored: StoredAccount
    app: App
    keys: tuple[Mark, ...] = ()


class Roster(Collection[int]):
    """The served accounts by their number in the database. Raises SettingsError where the settings cannot be served."""

    def __init__(self, app: App, chance: Random, say: Say) -> None:
        require_servable(app)
        _ = app.writable_engine  # opened before it is shared: one pool of connections for all that comes
        self._app = app.with_settings(app.loaded, _each_once(app.warn))
        self._chance, self._say = chance, say
        self._served: dict[int, Served] = {}
        self._asked = threading.Event()
        self._pending = False
        self._changed_keys: set[int] = set()
        self._settings = Watch(self._app.loaded.files)
        self._keys: dict[int, Watch] = {}
        self._take_up(self._app)

    def __iter__(self) -> Iterator[int]:
        return iter(tuple(self._served))  # the clock's thread puts another dictionary in its place

    def __len__(self) -> int:
        return len(self._served)

    def __contains__(self, account: object) -> bool:
        return account in self._served

    def accounts(self) -> dict[int, Account]:
        """The settings of the served accounts."""
        return {number: one.account for number, one in self._served.items()}

    def start(self, account: int) -> Served:
        """The account as it stands for a run that begins now."""
        one = self._served[account]
        return replace(one, keys=self._marks(one))

    def due_after(self, one: Served, error: PortfolioSyncError | None, now: datetime) -> datetime | None:
        """When the account is due again after a run; None where it is no longer served."""
        current = self._served.get(one.stored.id)
        if current is None:
            return None
        sync = current.account.sync
        due = next_run(sync.schedule, sync.jitter, now, self._chance)
        if not isinstance(error, KeyRefused) or error.key_state is None:
            return due
        if current.app is not one.app or self._marks(one) != one.keys:
            return now  # another key came while the old one failed
        self._say(f"{one.account.name}: the key rests until it is changed; it is tried again once an hour")
        return max(due, now + REST)

    # --- changes ---

    def ask(self) -> None:
        """Take the settings up anew at the next look (SIGHUP)."""
        self._asked.set()

    def look(self) -> None:
        """Take up what changed since the last look. Raises PortfolioSyncError where the database is away: it looks again."""
        if self._settings.changed() or self._asked.is_set():
            self._asked.clear()
            self._pending = True
        if self._pending:
            self._reload()
            self._pending = False
        self._changed_keys |= {number for number, watch in self._keys.items() if watch.changed()}
        if self._changed_keys:
            self._try_now(self._changed_keys & set(self._served))
            self._changed_keys = set()

    def _reload(self) -> None:
        try:
            app = self._app.with_settings(self._pinned(self._app.loaded.again(self._app.warn)))
            before = {number: one.account.name for number, one in self._served.items()}
            self._take_up(app)
        except SettingsError as error:
            self._say(f"the changed settings are not taken up, the old ones go on: {error}")
            return
        gone = sorted(name for number, name in before.items() if number not in self._served)
        new = sorted(one.account.name for number, one in self._served.items() if number not in before)
        told = [f"{word}: {', '.join(names)}" for word, names in (("new", new), ("no longer served", gone)) if names]
        self._say("; ".join([f"settings taken up: serving {len(self)} account(s)", *told]))

    def _pinned(self, loaded: Loaded) -> Loaded:
        old = self._app.settings
        for section in PINNED:
            if getattr(loaded.settings, section) != getattr(old, section):
                self._say(f"[{section}] takes effect at the next start of the service")
        pinned = {section: getattr(old, section) for section in PINNED}
        return replace(loaded, settings=loaded.settings.model_copy(update=pinned))

    def _take_up(self, app: App) -> None:
        """Know every account, check every schedule, plan the runs; all or nothing."""
        served = [Served(account, stored_account(app, account), app) for account in app.accounts_with_key()]
        with writing(app.writable_engine) as connection:
            now = leases.now(connection)
            for one in sorted(served, key=lambda one: one.stored.id):  # one order: several processes may start at once
                self._plan(connection, one, now)
            for number in self._served.keys() - {one.stored.id for one in served}:
                leases.schedule(connection, number, None)
        self._app = app
        self._served = {one.stored.id: one for one in served}
        self._keys = {one.stored.id: Watch(_files(one)) for one in served}

    def _plan(self, connection: Connection, one: Served, now: datetime) -> None:
        """At once where no run ever was, spread by the jitter; no later than a changed schedule wants; a resting key now."""
        jitter = one.account.sync.jitter
        latest = next_run(one.account.sync.schedule, jitter, now, self._chance)
        leases.plan(connection, one.stored.id, now + jitter * self._chance.random(), latest)
        if one.stored.key_rests:
            leases.schedule(connection, one.stored.id, now)

    def _try_now(self, numbers: Collection[int]) -> None:
        with writing(self._app.writable_engine) as connection:
            for number in sorted(numbers):
                leases.schedule(connection, number, leases.now(connection))
        for number in sorted(numbers):
            self._say(f"{self._served[number].account.name}: its key file changed: syncing with it now")

    def keep_plans(self) -> None:
        """No account waits longer than its schedule, or the rest of its key, says, whatever a clock once said."""
        known = {number: one.account for number, one in self._served.items()}
        keep_plans(self._app.writable_engine, known, self._app.settings.service.lease, self._chance, self._say)

    def _marks(self, one: Served) -> tuple[Mark, ...]:
        return marks(_files(one))


def require_servable(app: App) -> None:
    """Raises SettingsError where there is no account with a key, or a schedule that never comes due. Asks no database."""
    for account in app.accounts_with_key():
        next_run(account.sync.schedule, account.sync.jitter, app.clock.now(), Random())


def _files(one: Served) -> tuple[Path, ...]:
    loaded = one.app.loaded
    return tuple(files_of(one.account, loaded.environ, loaded.folder))


def _each_once(warn: Say) -> Say:
    """A service runs for years: what it was warned of once it need not hear at each run."""
    heard: set[str] = set()

    def once(message: str) -> None:
        if message not in heard:
            heard.add(message)
            warn(message)

    return once
