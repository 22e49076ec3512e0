"""``import`` of Kraken's files, as a user types it, on both databases."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from portfolio_sync.cli.main import main
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.export_file import Sheet, archive, header
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.history import sent
from portfolio_sync.store import accounts, lease, runs
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import raw_ledger, raw_trade
from portfolio_sync.store.upsert import upsert
from portfolio_sync.sync import streams
from tests.store.rows import NOON

FILES = Path(__file__).parents[1] / "data" / "kraken-exports"
TABLES = {"ledgers": "raw_ledger", "trades": "raw_trade"}
SAME = ("id", "refid", "type", "symbol", "amount", "fee", "balance")
SAME_TRADE = ("id", "order_id", "side", "order_type", "price", "cost", "fee", "volume", "margin", "ledgers")


@cache
def life() -> Account:
    return generate(5, 150)


@pytest.fixture
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and an environment without a key."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PORTFOLIO_SYNC_DATABASE_URL", database_url)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(list(arguments))
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    return code, shown.out, shown.err


def imported(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    ended, out, err = run(capsys, "import", *arguments, "--account", "filed", "--json")
    assert ended == code, err
    return json.loads(out)


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the database, run log included."""
    tables = ("account", "sync_run", "stream_state", "lease", "raw_ledger", "raw_trade", "change_row", "finding_row")
    return {table: sorted(rows(engine, f"SELECT * FROM {table}"), key=repr) for table in tables}


def stored(engine: Engine, table: Any, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return sorted(tuple(row[name] for name in names) for row in connection.execute(table.select()).mappings())


def api(account: Account) -> tuple[list[Any], list[Any]]:
    """The account's rows as a sync writes them."""
    return (
        [streams.ledger(row.id, sent(row), Assets()).columns for row in account.ledgers],
        [streams.trade(row.id, sent(row), Assets()).columns for row in account.trades],
    )


def exported(folder: Path, generation: int, form: str = "CSV") -> list[str]:
    paths = []
    for kind in TABLES:
        sheet = Sheet(kind, form, header(kind, generation), Decimal(0), Decimal(10**10), generation, pending_rows=True)
        path = folder / f"{kind}.zip"
        path.write_bytes(archive(life(), sheet))
        paths.append(str(path))
    return paths


def sync_api_rows(engine: Engine, ledger: list[Any]) -> None:
    with writing(engine) as connection:
        account = accounts.get_or_create(connection, "filed", "me").id
        seq = runs.begin(connection, account, "sync", NOON)
        upsert(connection, raw_ledger, ledger, seq=seq, seen_at=NOON, account_id=account)
        runs.end(connection, seq, {"ended_at": NOON, "outcome": "ok"})


@pytest.mark.parametrize("generation", range(1, 7))
def test_a_file_of_each_generation_brings_what_the_api_would(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str], generation: int
) -> None:
    made = imported(capsys, *exported(home, generation, "TSV" if generation % 2 else "CSV"))
    ledger, trades = api(life())
    assert made["new"] == len(ledger) + len(trades)
    assert made["skipped"] == sum(row["type"] in ("deposit", "withdrawal") for row in ledger)
    assert stored(database, raw_ledger, SAME) == sorted(tuple(row[name] for name in SAME) for row in ledger)
    assert stored(database, raw_trade, SAME_TRADE) == sorted(tuple(row[n] for n in SAME_TRADE) for row in trades)


def test_the_same_files_again_change_nothing(home: Path, database: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    paths = exported(home, 6)
    first = imported(capsys, *paths)
    before = contents(database)
    again = imported(capsys, *paths)
    after = contents(database)
    assert (again["new"], again["changed"], again["confirmed"]) == (0, 0, 0)
    assert again["unchanged"] == first["new"]
    assert {name: after[name] for name in TABLES.values()} == {name: before[name] for name in TABLES.values()}
    assert after["change_row"] == []


def test_an_older_file_after_a_newer_one_takes_nothing_away(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(capsys, str(FILES / "ledgers-6.csv"))
    before = contents(database)["raw_ledger"]
    assert imported(capsys, str(FILES / "ledgers-1.csv"))["changed"] == 0
    assert contents(database)["raw_ledger"] == before


def test_a_newer_file_completes_the_rows_of_an_older_one(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(capsys, str(FILES / "ledgers-1.csv"))
    assert imported(capsys, str(FILES / "ledgers-6.csv"))["confirmed"] == 6
    assert rows(database, "SELECT DISTINCT subtype FROM ledger WHERE type = 'trade'") == [("tradespot",)]


def test_the_api_confirms_rows_of_a_file_with_its_finer_times(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = exported(home, 6)
    imported(capsys, *paths)
    sync_api_rows(database, api(life())[0])
    assert rows(database, "SELECT DISTINCT source FROM ledger") == [("api",)]
    assert rows(database, "SELECT count(*) FROM change_log") == [(0,)]
    before = contents(database)["raw_ledger"]
    again = imported(capsys, *paths)
    assert again["conflicts"] == []
    assert contents(database)["raw_ledger"] == before


def test_a_file_that_says_otherwise_than_the_api_needs_a_person(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (FILES / "ledgers-3.csv").read_bytes()
    (home / "edited.csv").write_bytes(whole.replace(b"-500.0000,1.3000", b"-501.0000,1.3000"))
    row_id = "LAAAAA-AAAAA-AAAAA2"
    fields = {"refid": "TBBBBB-BBBBB-BBBBB1", "time": "1614592800.5", "type": "trade", "subtype": "tradespot"}
    fields |= {"aclass": "currency", "asset": "ZEUR", "amount": "-500.0000", "fee": "1.3000", "balance": "498.7000"}
    sync_api_rows(database, [streams.ledger(row_id, fields, Assets()).columns])
    made = imported(capsys, "edited.csv", code=4)
    assert [each["id"] for each in made["conflicts"]] == [row_id]
    assert "amount: edited.csv says '-501.0000', the API said '-500.0000'" in made["conflicts"][0]["message"]
    assert rows(database, "SELECT amount_exact FROM ledger WHERE source = 'api'")[0][0] in ("-500.0000", Decimal(-500))
    found = "SELECT account, severity, source_id FROM finding WHERE code = 'import_conflict'"
    assert rows(database, found) == [("filed", "warning", row_id)]
    imported(capsys, str(FILES / "trades-1.csv"))  # it does not speak of that row
    assert rows(database, found) == [("filed", "warning", row_id)]
    (home / "whole.csv").write_bytes(whole)
    imported(capsys, "whole.csv")
    assert rows(database, found) == []


def test_a_reward_that_the_api_calls_staking_is_the_files_earn_reward(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"refid": "STDDDDD-DDDDD-DDDDD", "time": "1614729600.7", "type": "staking", "subtype": "", "fee": "0"}
    fields |= {"aclass": "currency", "asset": "DOT.S", "amount": "0.1000000000", "balance": "0.1000000000"}
    sync_api_rows(database, [streams.ledger("LAAAAA-AAAAA-AAAAA6", fields, Assets()).columns])
    file = (FILES / "ledgers-6.csv").read_bytes().replace(b'"staking",""', b'"earn","reward"')
    (home / "ledgers.csv").write_bytes(file)
    assert imported(capsys, "ledgers.csv")["conflicts"] == []


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("trades.csv", b"Date,Amount\n1,2\n", "trades.csv: neither a ledgers nor a trades export"),
        ("trades.csv", (FILES / "trades-1.csv").read_bytes()[:-40], "trades.csv, line 2: "),
        ("trades.zip", b"PK\x03\x04oops", "trades.zip: the ZIP is damaged"),
    ],
)
def test_one_bad_file_leaves_the_database_as_it_was(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str], name: str, data: bytes, words: str
) -> None:
    before = contents(database)
    shutil.copy(FILES / "ledgers-6.csv", home)
    (home / name).write_bytes(data)
    code, out, err = run(capsys, "import", "ledgers-6.csv", name, "--account", "filed")
    assert (code, out) == (2, "")
    assert words in err
    assert contents(database) == before


def test_two_formats_in_one_command_are_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "own.csv").write_text("id,time,kind,asset,amount\n")
    shutil.copy(FILES / "ledgers-6.csv", home)
    code, _, err = run(capsys, "import", "own.csv", "ledgers-6.csv", "--account", "filed")
    assert code == 2
    assert "import them one after the other" in err


def test_an_account_that_is_being_synced_is_left_alone(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(database) as connection:
        account = accounts.get_or_create(connection, "filed", "me").id
        lease.acquire(connection, account, "elsewhere:1:x", timedelta(minutes=5))
    before = contents(database)
    code, _, err = run(capsys, "import", str(FILES / "ledgers-6.csv"), "--account", "filed")
    assert code == 2
    assert "elsewhere:1:x" in err
    assert contents(database) == before


def test_the_lease_is_given_back_and_the_run_is_on_record(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(capsys, str(FILES / "ledgers-6.csv"), "--taxpayer", "ann")
    assert rows(database, "SELECT owner FROM lease") == [(None,)]
    assert rows(database, "SELECT kind, outcome, calls, rows_new FROM sync_run") == [("import", "ok", 0, 6)]
    assert rows(database, "SELECT name, taxpayer FROM account") == [("filed", "ann")]


def test_an_account_never_changes_its_taxpayer_by_an_import(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(capsys, str(FILES / "ledgers-6.csv"), "--taxpayer", "ann")
    before = contents(database)
    code, _, err = run(capsys, "import", str(FILES / "ledgers-6.csv"), "--account", "filed", "--taxpayer", "bob")
    assert code == 2
    assert "belongs to taxpayer 'ann', not 'bob'" in err
    assert contents(database) == before


def test_a_name_that_cannot_be_an_account_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "import", str(FILES / "ledgers-6.csv"), "--account", "../x")
    assert code == 2
    assert "cannot be the name of an account" in err


def test_an_account_that_was_never_synced_has_status_proof_and_reports(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "import", *exported(home, 5), "--account", "filed")
    assert code == 0
    assert "skipped, no id" in out
    _, out, _ = run(capsys, "status", "--json")
    rows_of = {each["stream"]: each["rows"] for each in json.loads(out)[0]["streams"]}
    assert rows_of == {"ledgers": len(life().ledgers), "trades": len(life().trades)}
    code, out, _ = run(capsys, "verify", "--json")
    (proof,) = json.loads(out)
    assert (code, proof["state"], proof["breaks"]) == (4, "unknown", [])  # no balances to compare the end with
    assert proof["counts"]["rows"] == len(life().ledgers)
    code, out, _ = run(capsys, "report", "--profile", "us", "--year", "all", "--out", "report", "--json")
    made = json.loads(out)
    assert code == 0
    assert made["accounted_for"] == made["ledger_rows"] == len(life().ledgers)


def test_a_database_that_is_not_there_yet_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTFOLIO_SYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'new' / 'portfolio.db'}")
    assert imported(capsys, str(FILES / "ledgers-1.csv"), str(FILES / "trades-2.tsv"))["new"] == 7
