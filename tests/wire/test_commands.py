"""The commands as a user types them: what they print, and how each mistake ends (one line, its code, no traceback)."""

from __future__ import annotations

import csv
import json
import os
import socket
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from portfolio_sync.cli.main import main
from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from tests.patience import PATIENCE


@cache
def life() -> Account:
    return generate(3, 300)


@pytest.fixture
def exchange() -> Iterator[Sandbox]:
    with Sandbox(life(), limited=False) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, exchange: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a working environment."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "KRAKEN_API_KEY": exchange.key,
        "KRAKEN_API_SECRET": exchange.secret,
        "PORTFOLIO_SYNC_KRAKEN_URL": exchange.url,
        "PORTFOLIO_SYNC_EXCHANGE_PACE": "false",
        "PORTFOLIO_SYNC_EXCHANGE_GIVE_UP_AFTER": "0s",
        "PORTFOLIO_SYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'portfolio.db'}",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


Ran = tuple[int, str, str]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    capsys.readouterr()
    code = main(list(arguments))
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    return code, shown.out, shown.err


def test_the_whole_road_by_hand(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "init")[0] == 0
    code, out, _ = run(capsys, "key", "check")
    assert code == 0
    assert "may see ledger entries" in out
    assert run(capsys, "sync")[0] == 0
    code, out, _ = run(capsys, "status", "--json")
    streams = {row["stream"]: row for row in json.loads(out)[0]["streams"]}
    assert code == 0
    assert streams["ledgers"]["rows"] == 300
    assert set(streams) == {"balances", "ledgers", "trades", "earn", "deposits", "withdrawals"}
    assert run(capsys, "prices", "fetch")[0] == 0
    code, out, _ = run(capsys, "report", "--profile", "us", "--year", "all", "--out", "report", "--json")
    made = json.loads(out)
    assert code == 0
    assert made["accounted_for"] == made["ledger_rows"] == 300
    assert {path.name for path in (home / "report").iterdir()} == set(made["files"])
    assert run(capsys, "portfolio")[0] == 0
    code, out, _ = run(capsys, "sql", "--json", "SELECT count(*) AS n FROM ledger")
    assert json.loads(out) == [{"n": 300}]
    assert run(capsys, "db", "current")[0] == 0
    for path in [*(home / "data").iterdir(), *(home / "report").iterdir(), home / "portfolio-sync.toml"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_report_is_the_same_bytes_twice(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "sync")
    for folder in ("a", "b"):
        assert run(capsys, "report", "--year", "all", "--out", folder)[0] == 0
    for path in (home / "a").iterdir():
        assert path.read_bytes() == (home / "b" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("variable", "value", "command", "code", "words"),
    [
        ("KRAKEN_API_KEY", "nobody", ["sync"], 3, "EAPI:Invalid key"),
        ("KRAKEN_API_SECRET", "not base64!", ["sync"], 2, "not valid base64"),
        ("KRAKEN_API_SECRET", "AAAA", ["sync"], 3, "EAPI:Invalid signature"),
        ("KRAKEN_API_SECRET", "", ["sync"], 2, "no account with an API key"),
        ("PORTFOLIO_SYNC_EXCHANGE_TEIR", "pro", ["status"], 2, "unknown setting"),
        ("PORTFOLIO_SYNC_CONFIG", "nowhere.toml", ["status"], 2, "portfolio-sync init"),
        ("PORTFOLIO_SYNC_DATABASE_URL", "sqlite:////proc/portfolio.db", ["sync"], 2, "/proc/portfolio.db"),
        ("PORTFOLIO_SYNC_DATABASE_URL", "mysql://x", ["sync"], 2, "only sqlite and postgresql"),
        ("PORTFOLIO_SYNC_DATABASE_URL", "postgresql://me:hidden@127.0.0.1:1/x", ["sync"], 2, "cannot connect"),
        ("HOME", "/", ["sync", "--start", "2024-01-02", "--end", "2024-01-01"], 2, "--start must be before --end"),
        ("HOME", "/", ["sync", "--start", "yesterday"], 2, "not a time"),
        ("HOME", "/", ["sync", "--stream", "orders"], 2, "orders"),
        ("HOME", "/", ["sync", "--account", "other"], 2, "no account 'other'"),
        ("HOME", "/", ["status"], 2, "there is no database yet"),
        ("HOME", "/", ["sell"], 2, "No such command"),
    ],
)
def test_each_mistake_is_one_line_and_its_code(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    command: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.setenv(variable, value)
    got, _, err = run(capsys, *command)
    assert (got, words in err) == (code, True), err
    assert "hidden" not in err


def test_corrupt_toml(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "portfolio-sync.toml").write_text("[exchange\n")
    code, _, err = run(capsys, "status")
    assert code == 2
    assert "not valid TOML" in err


def test_a_stopped_exchange(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PORTFOLIO_SYNC_KRAKEN_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    for command in (["sync"], ["key", "check"]):
        code, _, err = run(capsys, *command)
        assert (code, "no connection" in err) == (5, True), err


def test_a_key_that_can_withdraw(home: Path, exchange: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    exchange.facts.permissions = ("query-funds", "query-ledger", "query-closed-trades", "withdraw-funds")
    code, out, err = run(capsys, "key", "check", "--json")
    assert (code, json.loads(out)[0]["refused"]) == (3, ["withdraw-funds"])
    code, _, err = run(capsys, "sync")
    assert code == 3
    assert "withdraw-funds" in err


IMPOSSIBLE = {
    "unknown profile": ["--profile", "atlantis"],
    "method": ["--method", "best"],
    "--year": ["--year", "soon"],
    "pool_scope": ["--set", "pool_scope=moon"],
    "unknown setting": ["--set", "nothing=1"],
    "key=value": ["--set", "pool_scope"],
    "recorded before the sale": ["--profile", "us", "--method", "hifo"],
}


def test_a_report_that_cannot_be(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "sync", "--stream", "balances")
    for words, options in IMPOSSIBLE.items():
        code, _, err = run(capsys, "report", "--out", "r", *options)
        assert (code, words in err) == (2, True), (options, err)
        assert not (home / "r").exists()


def test_a_database_of_a_newer_version(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "db", "upgrade")
    engine = create_engine(os.environ["PORTFOLIO_SYNC_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for command in (["sync"], ["status"], ["db", "upgrade"]):
        code, _, err = run(capsys, *command)
        assert (code, "newer than this program" in err) == (2, True), err


def test_an_unwritable_report_folder_leaves_the_old_report(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "sync", "--stream", "ledgers")
    (home / "file").write_text("in the way")
    code, _, err = run(capsys, "report", "--year", "all", "--out", "file/report")
    assert code == 2
    assert "cannot write the report" in err


def test_prices_from_a_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "p.csv").write_text("symbol,currency,time,rate,source\nBTC,USD,2024-01-01T00:00:00Z,42000.5,me\n")
    assert run(capsys, "prices", "import", "p.csv")[1].startswith("1 prices read, 1 new")
    assert "BTC" in run(capsys, "prices", "list")[1]
    (home / "bad.csv").write_text(
        "symbol,currency,time,rate,source\nETH,USD,2024-01-01,1,x\nBTC,USD,2024-01-01,minus,x\n"
    )
    code, _, err = run(capsys, "prices", "import", "bad.csv")
    assert (code, "row 3" in err) == (2, True)
    assert "ETH" not in run(capsys, "prices", "list")[1]
    (home / "bad.csv").write_text("symbol,currency,time,rate,source\nXBT,USD,2024-01-01,1,x\n")
    code, _, err = run(capsys, "prices", "import", "bad.csv")
    assert (code, "bad.csv, row 2: 'XBT' is Kraken's name: write BTC" in err) == (2, True)
    assert "me" in run(capsys, "prices", "list", "--symbol", "btc")[1]


def test_an_archive_is_read_for_one_of_several_taxpayers_in_the_currency_asked_for(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "t.csv").write_text("id,time,kind,asset,amount\nf1,2024-01-06T11:00:30Z,spend,BTC,0.25\n")
    (home / "XBTCHF_1.csv").write_text("1704538740,1,1,1,37000,1,1\n")
    for name, taxpayer in (("mine", "me"), ("hers", "her")):
        assert run(capsys, "import", "t.csv", "--account", name, "--taxpayer", taxpayer)[0] == 0
    (home / "empty").mkdir()
    code, _, err = run(capsys, "prices", "import", "empty")
    assert (code, "such as XBTUSD_60.csv" in err) == (2, True)
    asked = ("prices", "import", "XBTCHF_1.csv", "--currency", "CHF")
    assert run(capsys, *asked)[0] == 2
    assert run(capsys, *asked, "--taxpayer", "her")[1].startswith("1 prices read for 1 wanted")


def test_profiles_and_rules_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert "us" in run(capsys, "profile", "list")[1]
    assert "1.1012-1(j)" in run(capsys, "profile", "show", "us")[1]
    uk = run(capsys, "profile", "show", "uk")[1]
    assert "annual_exempt_amount = 6000 GBP, years from 2023 to 2023: TCGA 1992 s. 1K" in uk
    assert "trade_fee = split  (one of disposal, acquisition, split)" in uk
    assert "superficial_loss = false  (true or false)" in uk
    assert json.loads(run(capsys, "rules", "list", "--json")[1])["rules"]


def test_the_practice_exchange_says_where_it_is_and_stops_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "portfolio_sync", "sandbox", "--rows", "50", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["url"].startswith("http://127.0.0.1:")
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0


ECB = "Date,USD,JPY,BGN,GBP,\n2024-01-05,1.0921,158.39,1.9558,0.86145,\n2024-01-04,1.0953,158.22,1.9558,0.86273,\n"
SOLD = """id,time,kind,asset,amount,counter_asset,counter_amount
b1,2024-01-04T10:00:00Z,buy,BTC,1,EUR,40000
s1,2024-01-06T10:00:00Z,sell,BTC,0.5,GBP,17229
f1,2024-01-06T11:00:30Z,spend,BTC,0.25,,
"""


def test_rates_of_the_central_bank_and_the_archive_fill_what_a_report_lacks(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "t.csv").write_text(SOLD)
    (home / "XBTUSD_1.csv").write_text("1704538740,1,1,1,44000,1,1\n1704538800,1,1,1,44001,1,1\n")
    assert run(capsys, "import", "t.csv", "--format", "transactions", "--account", "other")[0] == 0
    report = ("report", "--profile", "us", "--year", "all", "--out", "out")
    assert run(capsys, *report)[0] == 0
    assert (home / "out" / "findings.csv").read_text().count("missing_price") == 3
    with zipfile.ZipFile(home / "eurofxref-hist.zip", "w") as archive:
        archive.writestr("eurofxref-hist.csv", ECB)
    assert run(capsys, "prices", "import", "eurofxref-hist.zip")[1].startswith("6 prices read, 6 new")
    assert run(capsys, "prices", "import", "eurofxref-hist.zip")[1].startswith("6 prices read, 0 new")
    code, out, _ = run(capsys, "prices", "import", "XBTUSD_1.csv", "--profile", "us")
    assert (code, out.splitlines()[0].split(" wanted")[0]) == (0, "1 prices read for 3")
    assert run(capsys, *report)[0] == 0
    assert "missing_price" not in (home / "out" / "findings.csv").read_text()
    disposals = list(csv.DictReader((home / "out" / "disposals.csv").read_text().splitlines()))
    assert [(row["proceeds"], row["cost"]) for row in disposals[1:]] == [("11000", "10953")]
    assert "ecb EUR/USD 2024-01-05" in disposals[0]["price_source"]
    assert "kraken:ohlcvt XBTUSD_1.csv BTC/USD 2024-01-06T11:00:00Z" in disposals[1]["price_source"]
