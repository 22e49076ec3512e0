"""Imported transactions: what went in comes back, in order, as it stood after any run; and through the import command."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from portfolio_sync.cli.main import main
from portfolio_sync.core.event import Kind
from portfolio_sync.core.transaction import Transaction
from portfolio_sync.store import accounts, runs, schema
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import raw_transaction
from portfolio_sync.store.transactions import booked, booked_elsewhere, row_of, transactions
from portfolio_sync.store.upsert import Upserted, upsert
from portfolio_sync.tasks.books import close, subject_of
from portfolio_sync.tax.profiles import GENERIC
from tests.store.rows import DAY, NOON, ledger_row

FULL = Transaction(
    "s1", NOON, Kind.TRADE, "BTC", Decimal("0.50"), Decimal(100), "ETH", Decimal("7.000000000000000001"), Decimal(99), Decimal("0.1"), "BNB",
    Decimal(3), "Ledger", "Trezor", "staking", Decimal(0), NOON - DAY, (("t1", Decimal("0.25")), ("t:2", Decimal("0.25"))), Decimal(5000),
    "EUR", 'ünï "quoted"',
)  # fmt: skip
BARE = Transaction("t1", NOON - DAY, Kind.BUY, "BTC", Decimal(1))


@pytest.fixture
def connection(database: Engine) -> Any:
    with writing(database) as connection:
        yield connection


def main_account(connection: Connection) -> StoredAccount:
    return accounts.get_or_create(connection, "main", "me")


def put(connection: Connection, *found: tuple[Transaction, int]) -> tuple[int, Upserted]:
    """One import; returns its number."""
    account = main_account(connection)
    seq = runs.begin(connection, account.id, "import", NOON)
    rows = [row_of(one, place) for one, place in found]
    done = upsert(connection, raw_transaction, rows, seq=seq, seen_at=NOON, account_id=account.id)
    runs.end(connection, seq, {"ended_at": NOON})
    return seq, done


def test_a_transaction_comes_back_as_it_went_in(connection: Connection) -> None:
    put(connection, (FULL, 0), (BARE, 0))
    assert transactions(connection, main_account(connection).id) == [BARE, FULL]


def test_the_same_again_changes_nothing(connection: Connection) -> None:
    put(connection, (FULL, 0), (BARE, 0))
    assert put(connection, (FULL, 0), (BARE, 0))[1] == Upserted(unchanged=2)


def test_transactions_of_one_time_come_by_place_then_id(connection: Connection) -> None:
    put(
        connection,
        *(
            (Transaction(name, NOON, Kind.BUY, "BTC", Decimal(1)), place)
            for name, place in (("c", 1), ("b", 2), ("a", 2))
        ),
    )
    assert [one.id for one in transactions(connection, main_account(connection).id)] == ["c", "a", "b"]


def test_a_frozen_input_has_them_as_they_stood(connection: Connection) -> None:
    """Every column changed, from something to nothing and back, the place in the order too."""
    bare = Transaction("s1", NOON + DAY, Kind.LOST, "ETH")
    versions = [(FULL, 0), (bare, 5), (FULL, 3)]
    seqs = [put(connection, version)[0] for version in versions]
    later, _ = put(connection, (BARE, 0))
    account = main_account(connection).id
    for seq, (version, _) in zip(seqs, versions, strict=True):
        assert transactions(connection, account, upto_seq=seq) == [version]
    assert transactions(connection, account, upto_seq=later) == [BARE, FULL]


def test_ledger_rows_are_told_from_own_ids_and_from_those_of_other_accounts(connection: Connection) -> None:
    mine, second = main_account(connection), accounts.get_or_create(connection, "second", "me")
    stranger = accounts.get_or_create(connection, "stranger", "her")
    for account, row_id in ((mine, "L1"), (second, "L2"), (stranger, "L3")):
        upsert(connection, schema.raw_ledger, [ledger_row(row_id)], seq=1, seen_at=NOON, account_id=account.id)
    ids = ["L1", "L2", "L3", "t1", *(f"x{n}" for n in range(1200))]
    assert booked(connection, mine.id, ids) == {"L1": NOON}
    assert list(booked_elsewhere(connection, mine.id, ids)) == [("L2", "second")]


# --- through the command -----------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTFOLIO_SYNC_DATABASE_URL", database_url)
    return tmp_path


LEDGER = "txid,refid,time,type,subtype,aclass,asset,wallet,amount,fee,balance\n"
ROWS = {
    "LDEPOS-00000-000001": "{},R1,2024-01-01 00:00:00,deposit,,currency,BTC,spot / main,2,0,2\n",
    "LREWAR-00000-000002": "{},R2,2024-02-01 00:00:00,mystery,,currency,BTC,spot / main,1,0,3\n",
    "LWITHD-00000-000003": "{},R3,2024-03-01 00:00:00,withdrawal,,currency,BTC,spot / main,-1,0.1,1.9\n",
}
DEPOSIT, MYSTERY, WITHDRAWAL = ROWS


def kraken(home: Path, account: str = "main") -> None:
    read_in(home, *(row.format(row_id) for row_id, row in ROWS.items()), account=account)


def read_in(home: Path, *lines: str, account: str = "main") -> None:
    """With these lines of a ledgers file imported."""
    (home / "ledgers.csv").write_text(LEDGER + "".join(lines))
    assert main(["import", "ledgers.csv", "--account", account]) == 0


def own(home: Path, *rows: dict[str, str], account: str = "main", name: str = "own.csv") -> int:
    header = list(dict.fromkeys(column for row in rows for column in row))
    with (home / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    return main(["import", name, "--account", account])


def said(row_id: str, kind: str, amount: str, **more: str) -> dict[str, str]:
    return {"id": row_id, "time": "2024-05-01T12:00:00Z", "kind": kind, "asset": "BTC", "amount": amount} | more


def report(home: Path, *more: str) -> Path:
    asked = ["--profile", "generic", "--currency", "EUR", "--year", "all", *more]
    assert main(["report", *asked, "--out", str(home / "out")]) == 0
    return home / "out"


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def stored(database: Engine, query: str) -> list[tuple[Any, ...]]:
    with reading(database) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_an_account_that_is_new_is_made_and_needs_no_key(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert own(home, said("t1", "buy", "1", value="100"), account="ledger-nano") == 0
    assert "ledger-nano: 1 new transactions, 0 changed" in capsys.readouterr().out
    assert stored(database, "SELECT name, taxpayer FROM account") == [("ledger-nano", "me")]
    assert stored(database, "SELECT kind, ledger_ids FROM event") == [("buy", "t1")]


def test_a_file_without_an_end_of_its_last_line_is_whole(home: Path) -> None:
    (home / "own.csv").write_text(
        "id,time,kind,asset,amount,value,note\nt1,2024-05-01T12:00:00Z,buy,BTC,1,100,two words"
    )
    assert main(["import", "own.csv", "--account", "a"]) == 0


def test_a_mistake_in_any_file_leaves_the_database_as_it_was(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    own(home, said("t1", "buy", "1", value="100"), account="a", name="good.csv")
    before = stored(database, "SELECT * FROM raw_transaction")
    (home / "bad.csv").write_text("id,time,kind,asset,amount,value\nt2,2024-05-01T12:00:00Z,buy,BTC,1.0.0,5\n")
    (home / "more.csv").write_text("id,time,kind,asset,amount,value\nt3,2024-05-01T12:00:00Z,buy,BTC,1,5\n")
    assert main(["import", "more.csv", "bad.csv", "--account", "b"]) == 2
    assert "bad.csv, line 2, column amount: '1.0.0' is not a number" in capsys.readouterr().err
    assert stored(database, "SELECT * FROM raw_transaction") == before
    assert stored(database, "SELECT name FROM account") == [("a",)]


def test_one_id_in_two_files_of_an_import_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv", "b.csv"):
        own(home, said("t1", "buy", "1", value="100"), name=name)
    assert main(["import", "a.csv", "b.csv", "--account", "main"]) == 2
    assert "b.csv, line 2, column id: 't1' is that of a.csv, line 2, too" in capsys.readouterr().err


def test_a_changed_line_is_changed_with_its_old_version_on_record(
    home: Path, database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    later = {"time": "2024-06-01T00:00:00Z"}
    own(home, said("t1", "buy", "1", value="100"), said("t2", "buy", "2", value="200") | later)
    capsys.readouterr()
    own(home, said("t2", "buy", "2", value="250") | later, said("t3", "buy", "3", value="1"))
    assert "1 new transactions, 1 changed" in capsys.readouterr().out
    assert stored(database, "SELECT row_id, field, old, new FROM change_log") == [("t2", "value", "200", "250")]
    assert [str(v) for (v,) in stored(database, "SELECT value_exact FROM event ORDER BY ledger_ids")] == [
        "100",
        "250",
        "1",
    ]


def test_statements_about_ledger_rows_change_the_report_and_are_listed_in_it(home: Path) -> None:
    kraken(home)
    before = report(home)
    assert [row["cost"] for row in table(before, "open_lots.csv")] == ["", ""]
    assert {row["code"] for row in table(before, "findings.csv")} >= {"unclassified"}
    assert own(
        home,
        said(DEPOSIT, "deposit", "2", cost="100", acquired="2020-01-01T00:00:00Z", currency="EUR"),
        said(MYSTERY, "income", "1", value="70", income_type="airdrop"),
        said(WITHDRAWAL, "spend", "1", value="300", note="a bicycle"),
    ) == 0  # fmt: skip
    after = report(home)
    disposals = [
        (row["kind"], row["quantity"], row["cost"], row["acquired_at"]) for row in table(after, "disposals.csv")
    ]
    assert disposals[0] == ("spend", "1", "50", "2020-01-01T00:00:00Z")
    assert [(row["value"], row["income_type"], row["source_id"]) for row in table(after, "income.csv")] == [
        ("70", "airdrop", MYSTERY)
    ]
    findings = {row["source_id"]: row for row in table(after, "findings.csv")}
    assert (findings[WITHDRAWAL]["code"], findings[WITHDRAWAL]["severity"]) == ("overridden", "info")
    assert findings[WITHDRAWAL]["message"].endswith("a bicycle")
    summary = {row["item"]: row["amount"] for row in table(after, "summary.csv") if not row["asset"]}
    assert (summary["ledger_rows"], summary["ledger_rows_event"], summary["ledger_rows_finding"]) == ("3", "3", "0")


def test_the_worklist_filled_in_is_a_transactions_file(home: Path) -> None:
    kraken(home)
    rows = table(report(home), "worklist.csv")
    assert DEPOSIT in {row["id"] for row in rows}
    filled = [row | {"cost": "80", "acquired": "2021-01-01T00:00:00Z"} for row in rows if row["kind"] == "deposit"]
    assert own(home, *rows) == 0
    assert own(home, *filled) == 0
    lots = table(report(home), "open_lots.csv")
    assert {row["acquired_id"] for row in lots if row["acquired_at"] == "2021-01-01T00:00:00Z"} >= {DEPOSIT}


def test_what_the_worklist_asks_for_is_enough(home: Path) -> None:
    """A withdrawal lacks the value of its fee alone; of a sale for another currency neither side nor fee has one."""
    sold = (
        "LSOLD0-00000-000004,T1,2024-04-01 00:00:00,trade,,currency,BTC,spot / main,-0.5,0,1.4\n"
        "LMONEY-00000-000005,T1,2024-04-01 00:00:00,trade,,currency,CHF,spot / main,50,0.1,49.9\n"
    )
    read_in(home, *(ROWS[i].format(i) for i in (DEPOSIT, WITHDRAWAL)), sold)
    rows = table(report(home), "worklist.csv")
    asked = {row["id"]: row["note"].partition(", or import")[0].removeprefix("fill in ").split(" and ") for row in rows}
    assert asked[WITHDRAWAL] == ["fee_value"]
    assert ["value", "fee_value"] in asked.values()
    given = {"cost": "80", "acquired": "2021-01-01T00:00:00Z", "value": "45", "fee_value": "1"}
    assert own(home, *(row | {column: given[column] for column in asked[row["id"]]} for row in rows)) == 0
    after = report(home)
    assert table(after, "worklist.csv") == []
    assert not {row["code"] for row in table(after, "findings.csv")} & {"missing_price", "unknown_cost"}


def test_the_worklist_of_positions_on_margin_is_a_transactions_file(home: Path) -> None:
    """One whose opening cost a fee alone, one closed with a loss, one with figures in two assets, which only prices can value."""
    read_in(
        home,
        "LDEPOS-00000-000001,R1,2024-01-01 00:00:00,deposit,,currency,CHF,spot / main,100,0,100\n",
        "LOPEN0-00000-000002,T1,2024-02-01 00:00:00,margin,,currency,CHF,spot / main,0,1,99\n",
        "LCLOSE-00000-000003,T2,2024-03-01 00:00:00,margin,,currency,CHF,spot / main,-9,1,89\n",
        "LCLOSE-00000-000004,T3,2024-04-01 00:00:00,margin,,currency,CHF,spot / main,-9,0,80\n",
        "LCLOSE-00000-000005,T3,2024-04-01 00:00:00,margin,,currency,BTC,spot / main,1,0,1\n",
    )
    rows = table(report(home), "worklist.csv")
    assert [row["note"] for row in rows] == [
        "fill in fee_value, or import a price of CHF",
        "fill in value and fee_value, or import a price of CHF",
        "import a price of CHF, BTC",
    ]
    assert own(home, rows[0] | {"fee_value": "1"}, rows[1] | {"value": "9", "fee_value": "1"}, rows[2]) == 0
    after = report(home)
    assert [row["note"] for row in table(after, "worklist.csv")] == ["import a price of CHF, BTC"]
    losses = [row["gain"] for row in table(after, "disposals.csv") if row["kind"] == "margin"]
    assert losses[:2] == ["-1", "-10"]


def test_a_purchase_on_the_worklist_is_one_of_coins(home: Path) -> None:
    read_in(
        home,
        "LDEPOS-00000-000001,R1,2024-01-01 00:00:00,deposit,,currency,CHF,spot / main,100,0,100\n",
        "LMONEY-00000-000002,T1,2024-02-01 00:00:00,trade,,currency,CHF,spot / main,-60,0,40\n",
        "LCOINS-00000-000003,T1,2024-02-01 00:00:00,trade,,currency,BTC,spot / main,2,0,2\n",
    )
    (row,) = table(report(home), "worklist.csv")
    assert (row["id"], row["kind"], row["asset"], row["amount"]) == ("LCOINS-00000-000003", "buy", "BTC", "2")
    assert (row["counter_asset"], row["counter_amount"]) == ("CHF", "60")
    assert own(home, row | {"value": "55"}) == 0
    (lot,) = table(report(home), "open_lots.csv")
    assert lot["cost"] == "55"


def test_one_worklist_speaks_of_all_accounts(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_in(home, ROWS[DEPOSIT].format(DEPOSIT), account="first")
    other = DEPOSIT.replace("000001", "000009")
    read_in(home, ROWS[DEPOSIT].format(other), account="second")
    filled = [row | {"cost": "80", "acquired": "2021-01-01T00:00:00Z"} for row in table(report(home), "worklist.csv")]
    assert {row["id"] for row in filled} == {DEPOSIT, other}
    capsys.readouterr()
    assert own(home, *filled, account="first") == 0
    shown = capsys.readouterr().out
    assert "first: 1 new transactions" in shown
    assert "second: 1 new transactions" in shown
    after = report(home)
    assert {(row["account"], row["cost"]) for row in table(after, "open_lots.csv")} == {
        ("first", "80"),
        ("second", "80"),
    }
    assert table(after, "worklist.csv") == []
    said = [row["message"] for row in table(after, "findings.csv") if row["code"] == "supplemented"]
    assert said == ["stated for this deposit: cost, acquired"] * 2  # what the worklist asked for is no reason


def test_a_mistake_in_a_line_of_one_account_leaves_the_other_as_it_was(home: Path, database: Engine) -> None:
    kraken(home, account="second")
    assert own(home, said("t0", "buy", "1", value="1"), account="first") == 0
    assert own(home, said("t1", "transfer", "1"), said(DEPOSIT, "deposit", "2", cost="1"), account="first") == 2
    assert stored(database, "SELECT id FROM raw_transaction") == [("t0",)]


def test_a_report_is_rebuilt_from_the_transactions_as_they_were(home: Path) -> None:
    own(
        home,
        said("t1", "buy", "2", value="100"),
        {**said("t2", "sell", "1", value="90"), "time": "2024-06-01T00:00:00Z"},
    )
    first = {path.name: path.read_bytes() for path in report(home).iterdir()}
    digest = json.loads(first["manifest.json"])["input_digest"]
    own(home, said("t1", "buy", "2", value="120"))
    assert json.loads((report(home) / "manifest.json").read_text())["input_digest"] != digest
    (home / "manifest.json").write_bytes(first["manifest.json"])
    assert main(["report", "--from-manifest", "manifest.json", "--out", "again"]) == 0
    assert {path.name: path.read_bytes() for path in (home / "again").iterdir()} == first


def test_a_ledger_row_of_another_account_is_refused_by_its_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kraken(home, account="second")
    capsys.readouterr()
    assert own(home, said(DEPOSIT, "deposit", "2", cost="1"), account="main") == 2
    assert (
        f"'{DEPOSIT}' is a ledger row of account second: import this line with --account second"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(("wallet", "to_wallet"), [("", ""), ("main", ""), ("", "main")])
def test_a_transfer_from_kraken_to_kraken_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], wallet: str, to_wallet: str
) -> None:
    moved = said("t1", "transfer", "1", wallet=wallet, to_wallet=to_wallet)
    assert own(home, moved, account="main") == 2
    assert "line 2, column to_wallet: Kraken is where it starts, too" in capsys.readouterr().err


def test_coins_said_to_come_back_keep_their_lots(home: Path) -> None:
    """Bought elsewhere, brought to Kraken: the deposit is a transfer out of the other wallet."""
    kraken(home)
    early = "2019-01-01T00:00:00Z"
    own(
        home,
        said("t1", "buy", "2", value="60", wallet="Ledger") | {"time": early},
        said(DEPOSIT, "transfer", "2", wallet="Ledger"),
    )
    lots = table(report(home), "open_lots.csv")
    assert {(row["acquired_id"], row["acquired_at"]) for row in lots} == {("t1", early)}
    assert sum(Decimal(row["cost"]) for row in lots) == 60 - Decimal(3)  # the withdrawal's fee of 0.1 is spent


def test_another_currency_is_exchanged_by_the_price_table_or_named(home: Path) -> None:
    own(home, said("t1", "buy", "1", value="100", currency="USD"))
    assert [row["cost"] for row in table(report(home), "open_lots.csv")] == [""]
    assert "missing_price" in {row["code"] for row in table(home / "out", "findings.csv")}
    (home / "rates.csv").write_text("symbol,currency,time,rate,source\nUSD,EUR,2024-05-01T00:00:00Z,0.9,me\n")
    assert main(["prices", "import", "rates.csv"]) == 0
    assert [row["cost"] for row in table(report(home), "open_lots.csv")] == ["90"]


def test_books_closed_at_an_instant_know_a_statement_only_with_its_row(home: Path, database: Engine) -> None:
    """Whatever time a person wrote beside the id: the ledger's counts."""
    kraken(home)
    own(home, said(DEPOSIT, "deposit", "2", cost="100") | {"time": "2020-01-01T00:00:00Z"})
    own(home, said(MYSTERY, "income", "1", value="5") | {"time": "2030-01-01T00:00:00Z"}, name="later.csv")
    subject = subject_of(database, None, ())
    sources = [
        [event.source for event in close(database, subject, GENERIC, None, until=until).normalized.events]
        for until in (datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 2, 2, tzinfo=UTC))
    ]
    assert sources == [[], [(DEPOSIT,), (MYSTERY,)]]


def test_an_instant_keeps_its_microseconds(database: Engine, home: Path) -> None:
    own(home, said("t1", "buy", "1", value="1") | {"time": "2024-05-01T12:00:00.123456+02:00"})
    ((time,),) = stored(database, "SELECT time FROM raw_transaction")
    at = time if isinstance(time, datetime) else datetime.fromisoformat(time)
    assert at.isoformat().replace("Z", "+00:00") == "2024-05-01T10:00:00.123456+00:00"
