"""``serve`` starts whatever is away, waits and says so; what no waiting can mend ends it at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from portfolio_sync.app import App
from portfolio_sync.errors import DatabaseAway, DatabaseError
from portfolio_sync.sandbox.faults import Fault, Trouble
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.service.start import LONGEST, Start
from portfolio_sync.settings.sources import load
from tests import postgres
from tests.fakes import FakeClock
from tests.patience import wait_for
from tests.wire.service import SETTINGS, account, serving
from tests.wire.truth import assert_same


def test_a_database_that_comes_up_late_is_waited_for_and_readyz_says_so(tmp_path: Path) -> None:
    with postgres.own_server() as server, Sandbox(generate(2, 100), limited=False) as exchange:
        server.stop()
        settings = SETTINGS.format(url=exchange.url, schedule="every 1s") + account("main", exchange.facts, tmp_path)
        with serving(tmp_path, settings, server.url) as service:
            assert service.hear("waiting for the database")["level"] == "warning"
            status, answer = service.ready()
            assert (status, answer["ready"]) == (503, False)
            assert "cannot connect" in answer["database"]
            assert service.get("/healthz")[0] == 503
            assert "portfolio_sync_database_up 0.0" in service.get("/metrics")[1]
            server.start()
            service.hear("serving 1 account(s)")
            service.hear("0 new")
            wait_for(lambda: service.ready() == (200, {"ready": True, "database": "ok", "accounts": {"main": {}}}))
            service.stop()
            said = [line["message"] for line in service.said("waiting for the database")]
            assert len(set(said)) == len(said) <= 3  # away, perhaps starting up, perhaps away in other words
        assert_same(server.url, exchange.account)


def test_sigterm_ends_the_waiting(tmp_path: Path) -> None:
    with Sandbox(generate(2, 10)) as exchange:
        settings = SETTINGS.format(url=exchange.url, schedule="every 1s") + account("main", exchange.facts, tmp_path)
        with serving(tmp_path, settings, f"postgresql://nobody@/none?host={tmp_path}") as service:
            service.hear("waiting for the database")
            assert service.stop() < 5


def test_an_exchange_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    with Sandbox(generate(2, 100), limited=False) as exchange:
        exchange.faults.append(Fault(Trouble.RESET, times=100_000))
        settings = SETTINGS.format(url=exchange.url, schedule="every 1s") + account("main", exchange.facts, tmp_path)
        url = f"sqlite:///{tmp_path / 'p.db'}"
        with serving(tmp_path, settings, url) as service:
            line = service.hear("no usable answer")
            assert (line["level"], line["account"]) == ("warning", "main")
            status, answer = service.ready()
            assert (status, list(answer["accounts"]["main"])) == (503, ["never-synced", "proof"])
            exchange.faults.clear()
            service.hear("0 new")
            wait_for(lambda: service.ready()[0] == 200)
            service.stop()
        assert_same(url, exchange.account)


@pytest.mark.parametrize(
    ("settings", "database", "words"),
    [
        ("", "sqlite:///p.db", "no account with an API key"),
        ('[sync]\nschedule = "99 * * * *"\n', "postgresql://nobody@/none?host=/nowhere", "is not a cron line"),
        ('[notify]\nurls = [{ env = "NOT_SET" }]\n', "postgresql://nobody@/none?host=/nowhere", "[notify] urls"),
        ("", "mysql://host/name", "only sqlite and postgresql"),
    ],
)
def test_wrong_settings_end_it_at_once_whatever_is_away(
    tmp_path: Path, settings: str, database: str, words: str
) -> None:
    (tmp_path / "main.key").touch(mode=0o600)
    (tmp_path / "main.key").write_text("key\nc2VjcmV0\n")
    entry = "" if "no account" in words else '[[accounts]]\nname = "main"\nkey_file = "main.key"\n'
    (tmp_path / "portfolio-sync.toml").write_text(f'[service]\nlisten = "off"\n{settings}{entry}')
    done = subprocess.run(
        [sys.executable, "-m", "portfolio_sync", "serve"],
        cwd=tmp_path, env={"PATH": "", "PYTHONPATH": ":".join(sys.path), "PORTFOLIO_SYNC_DATABASE_URL": database},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_a_database_that_refuses_the_login_is_not_waited_for(tmp_path: Path) -> None:
    with postgres.own_server() as server:
        for url in (server.url.replace("postgres@", "stranger@"), server.url.replace("/postgres?", "/missing?")):
            with pytest.raises(DatabaseError) as refused:
                starting(tmp_path, url).wait(lambda _: True)
            assert not isinstance(refused.value, DatabaseAway)
            assert "does not exist" in str(refused.value)


def test_the_waits_grow_longer_up_to_a_minute(tmp_path: Path) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) == 9

    start = starting(tmp_path, f"postgresql://nobody@/none?host={tmp_path}")
    assert start.wait(wait) is None
    assert waited == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST]
    with pytest.raises(DatabaseAway, match="cannot connect"):
        start.accounts()


def starting(folder: Path, url: str) -> Start:
    environ = {"KRAKEN_API_KEY": "k", "KRAKEN_API_SECRET": "c2VjcmV0", "PORTFOLIO_SYNC_DATABASE_URL": url}
    return Start(App(load(environ=environ, folder=folder), FakeClock(), print), print)
