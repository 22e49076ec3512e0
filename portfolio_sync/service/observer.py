"""Watch the accounts while the service runs: answer who asks how they do, and tell people when that changes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus

from sqlalchemy import Connection

from portfolio_sync.app import App
from portfolio_sync.core.log import about, log
from portfolio_sync.core.redact import redact
from portfolio_sync.errors import PortfolioSyncError
from portfolio_sync.kraken.client import Client
from portfolio_sync.service import metrics
from portfolio_sync.service.bounded import Bounded
from portfolio_sync.service.endpoints import Answer, Answers, Listener
from portfolio_sync.service.health import ALERTS, LEVELS, judge
from portfolio_sync.service.metrics import Counters, Reading
from portfolio_sync.service.notify import Channel, channels_of, tell_all
from portfolio_sync.settings.model import Account, address_of
from portfolio_sync.store import alerts, vitals
from portfolio_sync.store import lease as leases
from portfolio_sync.store.alerts import Alert
from portfolio_sync.store.engine import open_engine, reading, writing

LOOK_EVERY = timedelta(seconds=15)
RETRY = timedelta(minutes=5)
PATIENCE = 2.0  # seconds
CONNECTIONS = 4
JSON = "application/json"
Served = Callable[[], Mapping[int, Account]]
"""The accounts that this process serves now, by their number in the database."""


class Observer:
    """Told of every run; looks itself now and then. Has connections of its own: what hangs here hinders no sync."""

    def __init__(
        self,
        app: App,
        served: Served,
        channels: Sequence[Channel] | None = None,
        clock: Callable[[Connection], datetime] = leases.now,
    ) -> None:
        """Raises SettingsError for a channel that cannot work."""
        self.app, self.served, self.clock = app, served, clock
        self.channels = channels_of(app) if channels is None else channels
        self.engine = open_engine(app.database_url, connections=CONNECTIONS)
        self.counters = Counters()
        self._bounded = Bounded(PATIENCE)
        self._fingerprints: dict[str, str] = {}
        self._stop, self._poke = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="observer", daemon=True)
        self._listener: Listener | None = None

    # --- for the service ---

    def listen(self) -> None:
        """Answer from now on. Raises SettingsError where the port is in use."""
        address = address_of(self.app.settings.service.listen)
        if address:
            self._listener = Listener(*address, self.answers)
            log.info("listening on %s", self._listener.url)

    def start(self) -> None:
        """Look after the accounts."""
        self._thread.start()

    def ran(self, account: str, ended: str, client: Client | None) -> None:
        """A run of this process has ended: ``ok``, ``error``, ``stopped`` or ``lost``."""
        self.counters.runs.labels(account, ended).inc()
        if ended == "lost":
            self.counters.lease_losses.labels(account).inc()
        if client is not None:
            for outcome, number in client.outcomes.items():
                self.counters.calls.labels(account, outcome).inc(number)
            if client.credentials is not None:
                self._fingerprints[account] = client.credentials.fingerprint
        self._poke.set()

    def close(self) -> None:
        """Answer and look no more."""
        if self._listener:
            self._listener.close()
        self._stop.set()
        self._poke.set()
        if self._thread.is_alive():
            self._thread.join(timeout=PATIENCE)
        self.engine.dispose()

    # --- who asks ---

    @property
    def answers(self) -> Answers:
        return {"/healthz": self.healthz, "/readyz": self.readyz, "/metrics": self.metrics}

    def healthz(self) -> Answer:
        """The process answers, and the database does."""
        try:
            self._bounded.ask(self._ping)
        except Exception as error:  # noqa: BLE001 - whatever is the matter with the database, that is the answer
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, _problem(error) + "\n")
        return Answer(HTTPStatus.OK, "ok\n")

    def readyz(self) -> Answer:
        """Every served account is fresh and proven; else why not."""
        try:
            found = self._bounded.ask(self.read)
        except Exception as error:  # noqa: BLE001 - as above
            return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"ready": False, "database": _problem(error), "accounts": {}})
        reasons = {
            found.vitals[number].account.name: {code: redact(words) for code, words in health.reasons.items()}
            for number, health in found.health.items()
        }
        ready = not any(reasons.values())
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _json(status, {"ready": ready, "database": "ok", "accounts": reasons})

    def metrics(self) -> Answer:
        found = None
        try:
            found = self._bounded.ask(self.read)
        except Exception as error:  # noqa: BLE001 - as above; database_up says so
            log.debug("/metrics without the database: %s", _problem(error))
        return Answer(HTTPStatus.OK, metrics.render(self.counters, found), metrics.content_type())

    def _ping(self) -> None:
        with reading(self.engine) as connection:
            vitals.answers(connection)

    # --- looking ---

    def read(self) -> Reading:
        """How all accounts do at this moment."""
        served = dict(self.served())
        with reading(self.engine) as connection:
            now = self.clock(connection)
            known, records = vitals.every(connection, now), vitals.keys(connection)
            told = alerts.every(connection, list(known))
        keys = {number: records[print_] for number, one in served.items() if (print_ := self._print_of(one)) in records}
        health = {
            number: judge(known[number], one, self.app.settings.service.stale_after, now, keys.get(number))
            for number, one in served.items()
            if number in known
        }
        return Reading(now, known, served, health, keys, told)

    def look(self) -> None:
        """Note what changed, and tell who is to be told. Raises PortfolioSyncError where the database is away."""
        found = self.read()
        known = {(each.account_id, each.alert): each for each in found.alerts}
        changes = [
            (number, alert, words)
            for number, health in found.health.items()
            for alert, words in health.alerts.items()
            if _differs(known.get((number, alert)), words)
        ]
        if changes:
            with writing(self.engine) as connection:
                for number, alert, words in changes:
                    self._note(connection, number, alert, words, found.now)
            for number, alert, words in changes:
                _log_change(found.vitals[number].account.name, alert, words, known.get((number, alert)))
        if changes or found.alerts:
            self._tell(found)

    def _note(self, connection: Connection, number: int, alert: str, words: str | None, now: datetime) -> None:
        if words is None:
            alerts.end(connection, number, alert, now)
        else:
            alerts.begin(connection, number, alert, redact(words), now)

    def _tell(self, found: Reading) -> None:
        until = time.monotonic() + LOOK_EVERY.total_seconds()
        while not self._stop.is_set() and (alert := self._claim(found)):
            self._tell_one(alert, found.vitals[alert.account_id].account.name)
            if time.monotonic() > until:
                self._poke.set()  # the others after another look
                return

    def _claim(self, found: Reading) -> Alert | None:
        with writing(self.engine) as connection:
            now = self.clock(connection)
            return alerts.claim(connection, list(found.health), [channel.name for channel in self.channels], now)

    def _tell_one(self, alert: Alert, account: str) -> None:
        asked = [channel for channel in self.channels if channel.name in alert.untold([channel.name])]
        title, text = words_of(alert, account)
        with about(account=account, alert=alert.alert):
            heard = tell_all(asked, title, text)
        self.counters.notifications.labels("ok").inc(len(heard))
        self.counters.notifications.labels("failed").inc(len(asked) - len(heard))
        with writing(self.engine) as connection:
            now = self.clock(connection)
            alerts.note_told(connection, alert, heard, now, now + RETRY if len(heard) < len(asked) else None)

    def _watch(self) -> None:
        said = ""
        while not self._stop.is_set():
            try:
                self.look()
                said = ""
            except Exception as error:  # noqa: BLE001 - watching goes on, whatever one look runs into
                if (problem := _problem(error)) != said:  # not every 15 seconds the same
                    log.warning("cannot look after the accounts: %s", problem)
                said = problem
            self._poke.wait(LOOK_EVERY.total_seconds())
            self._poke.clear()

    # --- whose key is whose ---

    def _print_of(self, account: Account) -> str:
        """The fingerprint of the account's key, empty where it cannot be read."""
        if account.name not in self._fingerprints:
            with suppress(PortfolioSyncError):
                self._fingerprints[account.name] = self.app.credentials(account).fingerprint
        return self._fingerprints.get(account.name, "")


def words_of(alert: Alert, account: str) -> tuple[str, str]:
    """Title and text of a notification."""
    begins, ends = ALERTS.get(alert.alert, (alert.alert, f"{alert.alert} is over"))
    title = f"portfolio-sync: {account} {ends if alert.ended_at else begins}".replace(" its ", ": its ")
    return title, f"It was: {alert.message}" if alert.ended_at else alert.message


def _log_change(account: str, alert: str, words: str | None, known: Alert | None) -> None:
    """Once when it begins and once when it ends, as people are told."""
    begins, ends = ALERTS[alert]
    with about(account=account, alert=alert):
        if words is None:
            log.info(ends)
        elif known is None or known.ended_at is not None:
            log.log(LEVELS[alert], "%s: %s", begins, words)


def _differs(known: Alert | None, words: str | None) -> bool:
    on = known is not None and known.ended_at is None
    if words is None:
        return on
    return not on or (known is not None and known.message != redact(words))


def _problem(error: Exception) -> str:
    return redact(str(error) if isinstance(error, PortfolioSyncError) else type(error).__name__)


def _json(status: HTTPStatus, document: Mapping[str, object]) -> Answer:
    return Answer(status, json.dumps(document, ensure_ascii=False, indent=2) + "\n", JSON)
