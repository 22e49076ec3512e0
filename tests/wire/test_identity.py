"""An account here is one account at Kraken: a new key goes on with its history, another account's is refused."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from portfolio_sync.app import App
from portfolio_sync.errors import AnotherAccount, OverpoweredKey
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.key import ALL_READS
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.settings.sources import load
from portfolio_sync.store.engine import reading
from portfolio_sync.sync.progress import Silent
from portfolio_sync.sync.reading import Request
from portfolio_sync.sync.run import Outcome
from portfolio_sync.tasks.sync import sync_one
from tests.fakes import FakeClock


def sync(folder: Path, exchange: Sandbox, name: str = "main") -> Outcome:
    app = open_app(folder, exchange, name)
    try:
        return sync_one(app, app.accounts([name])[0], Request(), Silent())
    finally:
        app.close()


def open_app(folder: Path, exchange: Sandbox, name: str = "main") -> App:
    url = f"sqlite:///{folder / 'portfolio.db'}"
    toml = (
        f'[database]\nurl = "{url}"\n[exchange]\nurl = "{exchange.url}"\npace = false\n[[accounts]]\nname = "{name}"\n'
    )
    toml += 'key = { env = "KEY" }\nsecret = { env = "SECRET" }\n'
    (folder / "portfolio-sync.toml").write_text(toml)
    environ = {"KEY": exchange.facts.key, "SECRET": exchange.facts.secret}
    return App(load(environ=environ, folder=folder), FakeClock(), print)


def told(folder: Path, exchange: Sandbox, query: str) -> list[tuple[object, ...]]:
    app = open_app(folder, exchange)
    with reading(app.engine) as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    app.close()
    return rows


def test_a_new_key_of_the_account_goes_on_and_a_narrower_one_keeps_what_is_proven(tmp_path: Path) -> None:
    account = generate(2, 120)
    with Sandbox(account, limited=False) as exchange:
        first = sync(tmp_path, exchange)
        assert (first.error, first.proof) == (None, "proven")
        covered = told(tmp_path, exchange, "SELECT stream, covered_from FROM coverage ORDER BY 1, 2")
        exchange.facts = exchange.add_key(query_from=int(account.ledgers[60].at))
        second = sync(tmp_path, exchange)
        assert (second.error, second.rows_new, second.proof) == (None, 0, "proven")
        assert told(tmp_path, exchange, "SELECT stream, covered_from FROM coverage ORDER BY 1, 2") == covered
        assert told(tmp_path, exchange, "SELECT count(*) FROM ledger") == [(120,)]
        assert told(tmp_path, exchange, "SELECT count(*) FROM key_state") == [(2,)]


def test_another_accounts_key_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with Sandbox(generate(2, 60), limited=False) as mine, Sandbox(generate(3, 60), limited=False) as other:
        assert sync(tmp_path, mine).error is None
        refused = sync(tmp_path, other)
        assert isinstance(refused.error, AnotherAccount)
        assert refused.error.exit_code == 3
        assert "belongs to another Kraken account" in str(refused.error)
        assert told(tmp_path, mine, "SELECT count(*) FROM ledger") == [(60,)]
        assert told(tmp_path, mine, "SELECT key_state FROM account") == [("refused: of another Kraken account",)]
        assert other.calls("Ledgers") == other.calls("Balance") == 0
        assert sync(tmp_path, mine).error is None


def test_one_kraken_account_under_two_names_would_count_twice(tmp_path: Path) -> None:
    with Sandbox(generate(2, 60), limited=False) as exchange:
        assert sync(tmp_path, exchange).error is None
        again = sync(tmp_path, exchange, "second")
        assert isinstance(again.error, AnotherAccount)
        assert "stored as 'main' already" in str(again.error)
        assert sync(tmp_path, exchange).error is None


def test_a_server_that_gives_no_id_is_unverified_and_goes_on(tmp_path: Path) -> None:
    with Sandbox(generate(2, 60), limited=False) as exchange:
        assert sync(tmp_path, exchange).error is None
    with Sandbox(generate(3, 60), limited=False, absent=frozenset({"GetApiKeyInfo"})) as old:
        assert sync(tmp_path, old).error is None
        assert told(tmp_path, old, "SELECT key_state, kraken_id IS NULL FROM account") == [("unverified", 0)]


def test_a_key_that_gained_trade_permission_is_asked_nothing_more(tmp_path: Path) -> None:
    with Sandbox(generate(2, 60), limited=False) as exchange:
        assert sync(tmp_path, exchange).error is None
        exchange.facts.permissions = (*ALL_READS, "modify-trades")
        before = exchange.calls()
        refused = sync(tmp_path, exchange)
        assert isinstance(refused.error, OverpoweredKey)
        assert exchange.calls() == before + 1
        assert told(tmp_path, exchange, "SELECT key_state FROM account") == [("refused: may do more than read",)]
