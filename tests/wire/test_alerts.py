"""Trouble is told once, by whichever process notices it, over a real webhook; and once more when it is over."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from portfolio_sync.app import App
from portfolio_sync.core.instant import iso
from portfolio_sync.service.notify import Channel
from portfolio_sync.service.observer import Observer
from portfolio_sync.settings.sources import load
from portfolio_sync.store import accounts, runs
from portfolio_sync.store.engine import writing
from portfolio_sync.store.schema import account as account_table
from portfolio_sync.store.schema import proof
from tests.fakes import FakeClock

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
STREAMS = ("balances", "ledgers", "trades", "earn", "deposits", "withdrawals")


class Hook(HTTPServer):
    """Keeps what it was told; refuses while ``broken``."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.broken = False
        super().__init__(("127.0.0.1", 0), HookHandler)


class HookHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = self.server
        assert isinstance(hook, Hook)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not hook.broken:
            hook.titles.append(body["title"])
        self.send_response(500 if hook.broken else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class World:
    def __init__(self, database: Engine, url: str, folder: Path, hook: Hook) -> None:
        (folder / "portfolio-sync.toml").write_text('[notify]\nurls = [{ env = "HOOK" }]\n')
        environ = {
            "KRAKEN_API_KEY": "k", "KRAKEN_API_SECRET": "c2VjcmV0LW9mLXRoaXM=", "PORTFOLIO_SYNC_DATABASE_URL": url,
            "HOOK": f"json://user:webhook-password@127.0.0.1:{hook.server_port}/",
        }  # fmt: skip
        self.app = App(load(environ=environ, folder=folder), FakeClock(), print)
        self.database, self.now = database, NOW
        with writing(database) as connection:
            self.id = accounts.get_or_create(connection, "main", "me").id
            connection.execute(
                proof.insert().values(account_id=self.id, asset="", wallet="", state="proven", detail={})
            )
        self.synced()

    def synced(self) -> None:
        with writing(self.database) as connection:
            seq = runs.begin(connection, self.id, "sync", self.now)
            facts = {"ended_at": self.now, "outcome": "ok", "calls": 1, "rows_new": 0, "rows_changed": 0}
            runs.end(connection, seq, facts)
            for stream in STREAMS:
                runs.set_stream(connection, self.id, stream, {"last_success_at": self.now})

    def write(self, **facts: object) -> None:
        with writing(self.database) as connection:
            connection.execute(account_table.update().values(**facts))

    def process(self, *channels: Channel) -> Observer:
        """Another ``serve``, as far as it observes. ``channels``: others than those of the settings."""

        def clock(_: Connection) -> datetime:
            return self.now

        return Observer(self.app, lambda: {self.id: self.app.accounts()[0]}, channels or None, clock)


@pytest.fixture
def world(database: Engine, database_url: str, tmp_path: Path, hook: Hook) -> Iterator[World]:
    made = World(database, database_url, tmp_path, hook)
    yield made
    made.app.close()


def test_each_change_is_told_once_by_one_of_two_processes(world: World, hook: Hook) -> None:
    one, two = world.process(), world.process()
    for step in (timedelta(0), timedelta(hours=1), timedelta(minutes=1)):
        world.now += step
        one.look()
        two.look()
    assert hook.titles == ["portfolio-sync: main is stale"]
    assert one.readyz().status == 503
    world.synced()
    two.look()
    one.look()
    assert hook.titles[1:] == ["portfolio-sync: main is fresh again"]
    assert one.readyz().status == 200
    one.close()
    two.close()
    again = world.process()
    again.look()
    assert len(hook.titles) == 2
    again.close()


def test_a_refused_key_and_an_expiry_are_told(world: World, hook: Hook) -> None:
    process = world.process()
    world.write(key_state="refused: may do more than read", valid_until=NOW + timedelta(days=13))
    process.look()
    assert sorted(hook.titles) == [
        "portfolio-sync: main: its API key expires soon",
        "portfolio-sync: main: its API key is refused",
    ]
    assert "key-refused" in process.readyz().body
    process.close()


def test_a_failing_channel_is_tried_again_later_and_its_url_never_shown(
    world: World, hook: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    process, hook.broken = world.process(), True
    world.now += timedelta(hours=1)
    process.look()
    hook.broken = False
    process.look()
    assert hook.titles == []
    world.now += timedelta(minutes=5)
    process.look()
    assert hook.titles == ["portfolio-sync: main is stale"]
    page = process.metrics().body
    assert 'portfolio_sync_notifications_total{outcome="failed"} 1.0' in page
    assert 'portfolio_sync_alert{account="main",alert="stale"} 1.0' in page
    assert "webhook-password" not in page + capsys.readouterr().err
    process.close()


def test_many_alerts_over_a_slow_channel_are_told_once_each(world: World) -> None:
    titles: list[str] = []

    def slow(title: str, _: str) -> bool:
        titles.append(title)
        world.now += timedelta(seconds=90)  # less than a claim lasts; two of them are more
        if len(titles) == 2:
            other.look()
        return True

    one, other = (world.process(Channel("slow", slow)) for _ in range(2))
    world.write(key_state="refused: may do more than read", valid_until=NOW + timedelta(days=13))
    one.look()
    assert len(titles) == len(set(titles)) == 2
    one.close()
    other.close()


def test_an_account_too_busy_to_be_proven_is_told_when_it_stays_so(world: World, hook: Hook) -> None:
    with writing(world.database) as connection:
        busy = {"state": "unknown", "detail": {"unsettled_since": iso(NOW)}}
        connection.execute(proof.update().values(**busy))
    process = world.process()
    process.look()
    assert process.readyz().status == 503
    assert hook.titles == []
    world.now += timedelta(hours=1)
    world.synced()
    process.look()
    assert hook.titles == ["portfolio-sync: main is not proven"]
    process.close()
