"""A running ``serve`` says how its accounts do: in its answers, its log and its notifications, and all of them agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from portfolio_sync.app import App
from portfolio_sync.core.instant import parse_iso
from portfolio_sync.errors import OverpoweredKey
from portfolio_sync.sandbox.faults import Fault
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.key import ALL_READS
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.settings.sources import load
from portfolio_sync.sync.key import AGAIN_AFTER_CALLS
from portfolio_sync.sync.reading import Request
from portfolio_sync.tasks.sync import look_at_key, stored_account
from tests.fakes import FakeClock
from tests.patience import wait_for
from tests.wire.conftest import Set
from tests.wire.service import SETTINGS, Service, account, serving
from tests.wire.test_alerts import Hook, hook
from tests.wire.truth import rows_of

__all__ = ["hook"]
TRADING = (*ALL_READS, "modify-trades")
NOTIFY = '[notify]\nurls = [{ env = "HOOK" }]\n'


def command(folder: Path, url: str, *arguments: str) -> tuple[int, str]:
    """One command beside the service: its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "portfolio_sync", *arguments],
        cwd=folder, env=os.environ | {"PORTFOLIO_SYNC_DATABASE_URL": url, "HOOK": "json://127.0.0.1:9/"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def metrics(service: Service) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    page = service.get("/metrics")[1]
    return {
        (sample.name.removeprefix("portfolio_sync_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def at(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


@pytest.fixture
def exchanges() -> Iterator[dict[str, Sandbox]]:
    """Of three accounts: all is well, a row of the ledger is missing, the key may trade."""
    whole = generate(4, 150)
    moved = next(row for row in whole.ledgers[50:] if Decimal(row.fields["amount"]) != Decimal(row.fields["fee"]))
    torn = replace(whole, ledgers=[row for row in whole.ledgers if row is not moved], iban="AA00 N84G TORN")
    with ExitStack() as stack:
        yield {
            "fine": stack.enter_context(Sandbox(whole, limited=False)),
            "torn": stack.enter_context(Sandbox(torn, limited=False)),
            "able": stack.enter_context(Sandbox(generate(5, 20), limited=False, key_facts={"permissions": TRADING})),
        }


def test_what_it_answers_of_several_accounts_is_what_the_database_holds(
    database_url: str, exchanges: dict[str, Sandbox], tmp_path: Path
) -> None:
    settings = SETTINGS.format(url="http://127.0.0.1:9", schedule="every 1h")
    for name, exchange in exchanges.items():
        settings += account(name, exchange.facts, tmp_path) + f'url = "{exchange.url}"\n'
    with serving(tmp_path, settings, database_url) as service:
        service.hear("serving 3 account(s)")
        wait_for(lambda: sum(v for (name, _), v in metrics(service).items() if name == "runs_total") == 3)
        status, answer = service.ready()
        assert (status, answer["ready"], answer["database"]) == (503, False, "ok")
        reasons = answer["accounts"]
        assert {name: list(codes) for name, codes in reasons.items()} == {
            "fine": [], "torn": ["proof"], "able": ["never-synced", "key-refused", "proof"],
        }  # fmt: skip
        assert "modify-trades" in reasons["able"]["key-refused"]
        page = metrics(service)
        for name, exchange in exchanges.items():
            assert page[at("ready", account=name)] == (not reasons[name])
            calls = sum(
                value for key, value in page.items() if key[0] == "api_calls_total" and ("account", name) in key[1]
            )
            assert calls == len(exchange.requests), name
        for name, stream, rows, success, proof in rows_of(
            database_url, "SELECT account, stream, rows, last_success_at, proof FROM sync_status"
        ):
            assert page.get(at("rows", account=name, stream=stream), 0) == rows
            if success is not None:
                assert page[at("last_success_timestamp_seconds", account=name, stream=stream)] == unix(success)
            if stream == "ledgers":
                assert page[at("proof_state", account=name, state=proof)] == 1
        for name, severity, code, number in rows_of(
            database_url,
            "SELECT account, severity, code, count(*) FROM finding WHERE account IS NOT NULL GROUP BY 1, 2, 3",
        ):
            assert page[at("findings", account=name, severity=severity, code=code)] == number
        assert page[at("runs_total", account="able", outcome="error")] == 1
        assert page[at("last_run", account="torn", outcome="ok")] == 1
        wait_for(lambda: metrics(service).get(at("alert", account="able", alert="key-refused")) == 1)
        code, shown = command(tmp_path, database_url, "status", "--json")
        assert code == 0
        assert {one["name"]: list(one["troubles"]) for one in json.loads(shown)} == {
            name: list(codes) for name, codes in reasons.items()
        }
        service.stop()
    levels = {(line["account"], line["level"]) for line in service.said(" calls")}
    assert levels == {("fine", "info"), ("torn", "error"), ("able", "error")}
    told = {(line["account"], line["alert"]): line["level"] for line in service.lines if "alert" in line}
    assert told.items() >= {("torn", "unproven"): "error", ("able", "key-refused"): "error"}.items()


def unix(instant: Any) -> float:
    return (instant if isinstance(instant, datetime) else parse_iso(instant)).timestamp()


def test_a_key_that_learns_to_trade_stops_its_account_at_once_and_is_told_once(tmp_path: Path, hook: Hook) -> None:
    url = f"sqlite:///{tmp_path / 'p.db'}"
    with Sandbox(generate(2, 60), limited=False) as exchange:
        settings = SETTINGS.format(url=exchange.url, schedule="every 1s") + NOTIFY
        settings += account("main", exchange.facts, tmp_path)
        with serving(tmp_path, settings, url, HOOK=f"json://127.0.0.1:{hook.server_port}/") as service:
            service.hear("0 new")
            wait_for(lambda: service.ready()[0] == 200)
            exchange.facts.permissions = TRADING
            learnt = len(exchange.requests)
            line = service.hear("modify-trades")
            assert (line["level"], line["account"]) == ("error", "main")
            wait_for(lambda: hook.titles != [])
            status, answer = service.ready()
            assert (status, list(answer["accounts"]["main"])) == (503, ["key-refused"])
            methods = [request.method for request in exchange.requests[learnt:]]
            asked = methods.index("GetApiKeyInfo")  # what was under way when it learnt may end
            assert set(methods[asked:]) == {"GetApiKeyInfo"}
            code, shown = command(tmp_path, url, "status", "--json")
            assert (code, list(json.loads(shown)[0]["troubles"])) == (0, ["key-refused"])
            assert "key-refused" in command(tmp_path, url, "status")[1]
            assert command(tmp_path, url, "key", "check")[0] == 3
            assert hook.titles == ["portfolio-sync: main: its API key is refused"]
            exchange.facts.permissions = ALL_READS
            assert command(tmp_path, url, "key", "check")[0] == 0  # and it rests no longer
            service.hear("0 new")
            wait_for(lambda: len(hook.titles) == 2)
            assert hook.titles[1] == "portfolio-sync: main: its API key works again"
            assert service.ready()[0] == 200
            service.stop()


def test_a_key_that_learns_to_trade_in_the_middle_of_a_long_run_ends_it_soon(stage: Set) -> None:
    on = stage(
        generate(6, 3_000, end=FakeClock().unix() - 7200), {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}, limited=False
    )

    def learn() -> None:
        on.exchange.facts.permissions = TRADING

    on.exchange.faults.append(Fault(method="TradesHistory", nth=20, act=learn))
    error = on.sync(Request(via="pages")).error
    assert isinstance(error, OverpoweredKey)
    assert 20 < on.exchange.calls() <= 2 + AGAIN_AFTER_CALLS + 20
    assert [request.method for request in on.exchange.requests][-1] == "GetApiKeyInfo"
    assert rows_of(on.database_url, "SELECT key_state FROM account")[0][0] == OverpoweredKey.key_state


@pytest.mark.parametrize(
    ("permissions", "state"), [(ALL_READS, "read-only"), (TRADING, "refused: may do more than read")]
)
def test_a_look_at_the_key_is_noted_as_a_sync_notes_it(
    stage: Set, database: Engine, permissions: tuple[str, ...], state: str
) -> None:
    on = stage(generate(5, 5), {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}, limited=False)
    on.exchange.facts.permissions = permissions
    app = App(load(environ=on.environ, folder=on.folder), on.clock, print)
    look_at_key(app, app.accounts()[0], print)
    stored = stored_account(app, app.accounts()[0])
    assert (stored.key_state, stored.kraken_id is not None) == (state, state == "read-only")
    app.close()
