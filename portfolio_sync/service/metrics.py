"""What Prometheus reads: the accounts from the database, and what this process counted itself. The table: docs/monitoring.md."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from portfolio_sync import __version__
from portfolio_sync.core.instant import to_unix
from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.kraken.throttle import TIERS, CallCounter, Tier
from portfolio_sync.service.health import Health
from portfolio_sync.settings.model import Account
from portfolio_sync.store.alerts import Alert
from portfolio_sync.store.vitals import Vitals
from portfolio_sync.tasks.standing import STATES

if TYPE_CHECKING:
    from prometheus_client.core import Metric

NAME = "portfolio_sync_"


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the database. ``accounts``, ``health``, ``keys``: of those that this process serves, by their number."""

    now: datetime
    vitals: Mapping[int, Vitals]
    accounts: Mapping[int, Account]
    health: Mapping[int, Health]
    keys: Mapping[int, KeyRecord]
    alerts: Iterable[Alert]


class Counters:
    """What this process counts from its start on."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter

        self.registry = CollectorRegistry(auto_describe=False)

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(NAME + name, about, labels, registry=self.registry)

        self.calls = counter("api_calls", "Calls to the exchange by how they ended", "account", "outcome")
        self.runs = counter("runs", "Syncs by how they ended", "account", "outcome")
        self.lease_losses = counter("lease_losses", "Syncs that another process took over", "account")
        self.notifications = counter("notifications", "Notifications sent, by outcome", "outcome")
        for outcome in ("ok", "failed"):
            self.notifications.labels(outcome)


def render(counters: Counters, reading: Reading | None) -> str:
    """The page. ``reading`` None: the database does not answer; what this process knows alone is told."""
    from prometheus_client import CollectorRegistry, generate_latest

    of_accounts = CollectorRegistry(auto_describe=False)
    of_accounts.register(_Accounts(reading))
    return (generate_latest(counters.registry) + generate_latest(of_accounts)).decode()


def content_type() -> str:
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

    return CONTENT_TYPE_PLAIN_0_0_4


class _Accounts:
    def __init__(self, reading: Reading | None) -> None:
        self.reading = reading

    def collect(self) -> Iterator[Metric]:
        yield _family("build_info", "Version of this program", ("version", "python"), [((__version__, platform.python_version()), 1)])  # fmt: skip
        yield _family("database_up", "Whether the database answered", (), [((), int(self.reading is not None))])
        if self.reading is not None:
            for name, (about, labels, samples) in _table(self.reading).items():
                yield _family(name, about, labels, samples)


Sample = tuple[tuple[str, ...], float]


def _family(name: str, about: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(NAME + name, about, labels=labels)
    for values, figure in samples:
        family.add_metric(values, figure)
    return family


def _table(reading: Reading) -> dict[str, tuple[str, tuple[str, ...], list[Sample]]]:
    one, stream = ("account",), ("account", "stream")
    every = [(vitals.account.name, vitals) for vitals in reading.vitals.values()]
    served = [(reading.vitals[number].account.name, number) for number in reading.health]
    streams = [((name, each), facts) for name, vitals in every for each, facts in vitals.streams.items()]
    names = {number: vitals.account.name for number, vitals in reading.vitals.items()}
    health = reading.health
    return {
        "last_success_timestamp_seconds": ("When a stream was last read to its end", stream, [
            (labels, _unix(facts.last_success_at)) for labels, facts in streams if facts.last_success_at
        ]),
        "rows": ("Rows stored", stream, [(labels, facts.rows) for labels, facts in streams]),
        "lag_seconds": ("How long ago the account was last synced", one, [
            ((name,), _unix(reading.now) - _unix(at)) for name, number in served if (at := health[number].synced_at)
        ]),
        "stale": ("Whether the account missed too many runs, or never was synced", one, [
            ((name,), float(bool({"stale", "never-synced"} & health[number].reasons.keys()))) for name, number in served
        ]),
        "ready": ("Whether the account is fresh and proven and its key in use", one, [
            ((name,), float(health[number].ready)) for name, number in served
        ]),
        "proof_state": ("1 for the state that the proof is in", ("account", "state"), [
            ((name, state), float(vitals.proof == state)) for name, vitals in every for state in STATES
        ]),
        "findings": ("What needs a person", ("account", "severity", "code"), [
            ((name, *kind), number) for name, vitals in every for kind, number in vitals.findings.items()
        ]),
        "last_run": ("1 for how the newest sync ended", ("account", "outcome"), [
            ((name, vitals.outcome), 1) for name, vitals in every if vitals.outcome
        ]),
        "running": ("Whether somebody syncs the account now", one, [
            ((name,), float(vitals.running is not None)) for name, vitals in every
        ]),
        "alert": ("1 for what is the matter with an account", ("account", "alert"), [
            ((names[alert.account_id], alert.alert), 1) for alert in reading.alerts if alert.ended_at is None
        ]),
        "key_valid_until_timestamp_seconds": ("When the API key expires", one, [
            ((name,), _unix(vitals.account.valid_until)) for name, vitals in every if vitals.account.valid_until
        ]),
        "key_parked_until_timestamp_seconds": ("Until when the key is locked out", one, [
            ((name,), _unix(until)) for name, number in served if (until := _parked(reading, number))
        ]),
        "call_counter_level": ("The exchange's call counter, by our estimate", one, [
            ((name,), _level(reading, number)) for name, number in served if number in reading.keys
        ]),
        "call_counter_limit": ("Where the exchange refuses further calls", one, [
            ((name,), float(_tier(reading, number).most)) for name, number in served
        ]),
    }  # fmt: skip


def _unix(instant: datetime) -> float:
    return float(to_unix(instant))


def _parked(reading: Reading, number: int) -> datetime | None:
    key = reading.keys.get(number)
    return key.parked_until if key and key.parked_until and key.parked_until > reading.now else None


def _tier(reading: Reading, number: int) -> Tier:
    return TIERS[reading.accounts[number].exchange.tier]


def _level(reading: Reading, number: int) -> float:
    key = reading.keys[number]
    return float(CallCounter(_tier(reading, number), key.level, key.level_at).after(reading.now).level)
