"""Whoever lost the account's lease writes nothing more for it and asks the exchange nothing more, wherever it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from portfolio_sync.cli.main import main
from portfolio_sync.sandbox.faults import Fault
from portfolio_sync.store import accounts, runs, schema
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import open_engine, reading, writing
from portfolio_sync.store.lease import LeaseLost
from portfolio_sync.sync.reading import Request
from portfolio_sync.tasks import events
from portfolio_sync.tasks import verify as proofs
from portfolio_sync.tasks.proving import prove_stored
from portfolio_sync.tasks.verify import verify_account
from tests.wire.conftest import Set, Stage
from tests.wire.test_sync import deposit, quick

METHODS = (
    "GetApiKeyInfo", "TradesHistory", "Ledgers", "BalanceEx", "Earn/Allocations", "DepositStatus", "WithdrawStatus",
)  # fmt: skip


class Thief:
    """Takes the account over, as another process does from one that was frozen; remembers how things stood then."""

    def __init__(self, on: Stage, engine: Engine) -> None:
        self.on, self.engine = on, engine
        self.calls = -1
        self.found: dict[str, list[str]] = {}

    def steal(self) -> None:
        if self.calls < 0:
            with writing(self.engine) as connection:
                connection.execute(schema.lease.update().values(owner="other", fence=schema.lease.c.fence + 1))
            self.calls, self.found = self.on.exchange.calls(), everything(self.engine)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stolen(*args: Any, **named: Any) -> Any:
            self.steal()
            return function(*args, **named)

        return stolen


def everything(engine: Engine) -> dict[str, list[str]]:
    with reading(engine) as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in schema.metadata.tables.values()
        }


@pytest.fixture
def thief(stage: Set) -> Iterator[Thief]:
    on = quick(stage)
    engine = open_engine(on.database_url)
    yield Thief(on, engine)
    engine.dispose()


@pytest.mark.parametrize("method", METHODS)
def test_a_sync_ends_at_the_call_in_which_it_lost_the_account(thief: Thief, method: str) -> None:
    thief.on.exchange.faults.append(Fault(None, method, act=thief.steal))
    outcome = thief.on.sync()
    assert isinstance(outcome.error, LeaseLost)
    assert everything(thief.engine) == thief.found
    assert thief.on.exchange.calls() == thief.calls + 1  # the one that was under way


@pytest.mark.parametrize(("module", "step"), [(proofs, "prove_stored"), (events, "value_all")])
def test_a_proof_and_events_of_one_who_lost_the_account_are_not_kept(
    thief: Thief, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    monkeypatch.setattr(module, step, thief.before(getattr(module, step)))
    assert isinstance(thief.on.sync().error, LeaseLost)
    assert everything(thief.engine) == thief.found
    assert thief.on.exchange.calls() == thief.calls


def test_an_export_under_way_is_left_to_the_successor(thief: Thief) -> None:
    thief.on.exchange.faults.append(Fault(None, "AddExport", act=thief.steal))
    assert isinstance(thief.on.sync(Request(via="export")).error, LeaseLost)
    assert everything(thief.engine) == thief.found


def account_of(engine: Engine) -> StoredAccount:
    with reading(engine) as connection:
        found = accounts.get(connection, "main")
    assert found is not None
    return found


def test_a_verify_beside_a_sync_shows_its_proof_and_leaves_what_is_kept(
    thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert thief.on.sync().proof == "proven"
    main_account = account_of(thief.engine)
    monkeypatch.setattr(proofs, "prove_stored", thief.before(prove_stored))
    thief.on.exchange.book(deposit(1, thief.on.clock.unix() - 60))
    assert verify_account(thief.engine, main_account).state == "proven"
    assert everything(thief.engine) == thief.found


def test_a_verify_that_a_whole_sync_overtook_leaves_what_is_kept(thief: Thief, monkeypatch: pytest.MonkeyPatch) -> None:
    assert thief.on.sync().proof == "proven"
    main_account, found = account_of(thief.engine), {}

    def overtaken(*args: Any, **named: Any) -> Any:
        with writing(thief.engine) as connection:
            seq = runs.begin(connection, main_account.id, "sync", thief.on.clock.now())
            runs.end(connection, seq, {"ended_at": thief.on.clock.now()})
        found.update(everything(thief.engine))
        return prove_stored(*args, **named)

    monkeypatch.setattr(proofs, "prove_stored", overtaken)
    verify_account(thief.engine, main_account)
    assert everything(thief.engine) == found


def test_a_report_beside_a_sync_leaves_the_events_to_it(
    thief: Thief, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    thief.on.sync()
    for name, value in thief.on.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with writing(thief.engine) as connection:
        connection.execute(schema.event_row.delete())
    arguments = ["report", "--quiet", "--profile", "generic", "--year", "all", "--out"]
    thief.steal()
    assert main([*arguments, str(tmp_path / "first")]) == 0
    assert everything(thief.engine)["event_row"] == []
    with writing(thief.engine) as connection:
        connection.execute(schema.lease.update().values(owner=None))
    assert main([*arguments, str(tmp_path / "second")]) == 0
    assert everything(thief.engine)["event_row"]
