"""The service takes up new keys and settings while it runs; a key that died rests until it is changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from portfolio_sync.app import App
from portfolio_sync.errors import InvalidKey, Unreachable
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.key import ALL_READS, Key
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.service.plan import REST
from portfolio_sync.service.roster import Roster
from portfolio_sync.settings.sources import load
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.tasks.status import standing
from tests.fakes import FakeClock
from tests.patience import PATIENCE
from tests.wire.test_serve import heard

HEAD = """\
[database]
url = "{database}"
[exchange]
url = "{url}"
pace = false
give_up_after = "0s"
[sync]
schedule = "every {every}"
jitter = "0s"
streams = ["balances"]
"""
ACCOUNT = '[[accounts]]\nname = "{name}"\nkey_file = "{name}.key"\n'


def private(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o600)
    new.replace(path)


def hand_over(folder: Path, name: str, key: Key) -> None:
    private(folder / f"{name}.key", f"{key.key}\n{key.secret}\n")


class Desk:
    """A folder with settings, and the roster that reads them."""

    def __init__(self, folder: Path, database: str, url: str) -> None:
        self.folder, self.head = folder, HEAD.format(database=database, url=url, every="1h")
        self.said: list[str] = []

    def settle(self, *names: str, more: str = "") -> None:
        private(
            self.folder / "portfolio-sync.toml",
            self.head + more + "".join(ACCOUNT.format(name=name) for name in names),
        )

    def roster(self) -> Roster:
        app = App(load(environ={}, folder=self.folder), FakeClock(), self.said.append)
        return Roster(app, Random(1), self.said.append)


def look(roster: Roster) -> None:
    for _ in range(3):  # a change counts when two looks agree
        roster.look()


def names(roster: Roster) -> list[str]:
    return sorted(roster.start(number).account.name for number in roster)


def due(roster: Roster, number: int) -> bool:
    with reading(roster.start(number).app.writable_engine) as connection:
        row = connection.exec_driver_sql(f"SELECT next_run_at FROM lease WHERE account_id = {number}").one()
        if row[0] is None:
            return False
    with writing(roster.start(number).app.writable_engine) as connection:
        got = leases.claim_due(connection, "somebody:1", REST, 1, among=[number])
        for one in got:
            leases.release(connection, one, next_run_at=leases.now(connection) + REST, outcome="ok")
    return bool(got)


def test_accounts_come_and_go_and_a_broken_file_leaves_the_old_settings(database_url: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, database_url, "http://127.0.0.1:9")
    desk.settle("a", "b")
    roster = desk.roster()
    a = next(number for number in roster if roster.start(number).account.name == "a")
    desk.settle("b", "c")
    look(roster)
    assert names(roster) == ["b", "c"]
    assert desk.said[-1] == "settings taken up: serving 2 account(s); new: c; no longer served: a"
    assert a not in roster
    for broken in ("[exchange]\ntier = 'gold'\n", "no toml", "[[accounts]]\nname = 'c'\n"):
        private(tmp_path / "portfolio-sync.toml", broken)
        look(roster)
        assert desk.said[-1].startswith("the changed settings are not taken up, the old ones go on: ")
        assert names(roster) == ["b", "c"]
    (tmp_path / "portfolio-sync.toml").unlink()
    look(roster)
    assert names(roster) == ["b", "c"]
    desk.settle("a", more="[service]\nworkers = 9\n")
    look(roster)
    assert names(roster) == ["a"]
    assert "[service] takes effect at the next start of the service" in desk.said
    said = len(desk.said)
    look(roster)
    assert len(desk.said) == said
    roster.ask()
    roster.look()
    assert desk.said[-1] == "settings taken up: serving 1 account(s)"
    roster.start(a).app.close()


def test_a_refused_key_rests_until_its_file_changes(database_url: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, database_url, "http://127.0.0.1:9")
    desk.settle("a")
    private(tmp_path / "a.key", "old\nAAAA\n")
    roster = desk.roster()
    (number,) = roster
    assert due(roster, number)
    one = roster.start(number)
    with reading(one.app.writable_engine) as connection:
        now = leases.now(connection)
    assert roster.due_after(one, Unreachable("away"), now) == now + REST  # the schedule's own hour
    resting = roster.due_after(one, InvalidKey("dead"), now)
    assert resting == now + REST
    assert desk.said == ["a: the key rests until it is changed; it is tried again once an hour"]
    look(roster)
    assert not due(roster, number)
    private(tmp_path / "a.key", "new\nAAAA\n")
    look(roster)
    assert desk.said[-1] == "a: its key file changed: syncing with it now"
    assert due(roster, number)
    assert roster.due_after(one, InvalidKey("dead"), now) == now  # the run had begun with the old one
    one.app.close()


def test_a_file_half_written_is_not_taken_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'p.db'}", "http://127.0.0.1:9")
    desk.settle("a", "b")
    roster = desk.roster()
    with (tmp_path / "portfolio-sync.toml").open("w") as file:
        file.write(desk.head + ACCOUNT.format(name="a"))
        file.flush()
        roster.look()
        assert names(roster) == ["a", "b"]
        file.write(ACCOUNT.format(name="b") + ACCOUNT.format(name="c"))
    look(roster)
    assert names(roster) == ["a", "b", "c"]
    assert [line for line in desk.said if "taken up" in line] == ["settings taken up: serving 3 account(s); new: c"]
    roster.start(next(iter(roster))).app.close()


@contextmanager
def serving(folder: Path, exchange: Sandbox) -> Iterator[subprocess.Popen[str]]:
    settings = HEAD.format(database="sqlite:///portfolio.db", url=exchange.url, every="1s")
    private(folder / "portfolio-sync.toml", settings + ACCOUNT.format(name="main"))
    command = [sys.executable, "-m", "portfolio_sync", "serve"]
    with subprocess.Popen(command, cwd=folder, env=os.environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_running_service_changes_keys_without_a_stop(tmp_path: Path) -> None:
    """Revoked: one more call, then silence; a new key in the file: on it goes; trade permission: nothing is asked with it."""
    with Sandbox(generate(2, 60), limited=False) as exchange:
        hand_over(tmp_path, "main", exchange.facts)
        with serving(tmp_path, exchange) as process:
            heard(process, "main: 0 new")
            exchange.facts.known = False
            heard(process, "Invalid key", "main: the key rests")
            calls = exchange.calls()
            time.sleep(1)
            assert exchange.calls() == calls
            second = exchange.add_key()
            hand_over(tmp_path, "main", second)
            heard(process, "main: its key file changed", "0 changed")
            second.permissions = (*ALL_READS, "modify-trades")
            heard(process, "modify-trades", "main: the key rests")
            calls = exchange.calls()
            time.sleep(1)
            assert exchange.calls() == calls
            assert exchange.requests[-1].method == "GetApiKeyInfo"
            second.permissions = ALL_READS
            process.send_signal(signal.SIGHUP)
            heard(process, "settings taken up: serving 1 account(s)", "0 changed")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE) == 0
    app = App(load(environ={}, folder=tmp_path), FakeClock(), print)
    assert [one.key_state for one in standing(app.engine)] == ["read-only"]
    app.close()
