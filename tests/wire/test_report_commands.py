"""The commands that explain and record, as a user types them, on history from files: no exchange is needed."""

from __future__ import annotations

import csv
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from portfolio_sync.cli.main import main

# Buys of 2024, one sale that lies in the past and one far in the future: what is recorded now is late for the one only.
TRANSACTIONS = """\
id,time,kind,asset,amount,value,counter_asset,counter_amount,currency,income_type
t1,2024-01-10T00:00:00Z,buy,BTC,1,100,,,USD,
t2,2024-06-10T00:00:00Z,buy,BTC,1,300,,,USD,
r1,2024-07-01T00:00:00Z,income,DOT,2,10,,,USD,staking
s1,2025-03-01T00:00:00Z,sell,BTC,0.5,250,,,USD,
s2,2090-03-01T00:00:00Z,sell,BTC,0.5,400,,,USD,
"""
LEDGER_HEADER = '"txid","refid","time","type","subtype","aclass","subclass","asset","wallet","amount","fee","balance"\n'
LEDGER = LEDGER_HEADER + (
    '"LDEP01-AAAAA-AAAAA1","FTA1","2024-02-01 00:00:00","deposit","","currency","fiat","USD","spot / main",1000.00,0,1000.00\n'
    '"LBUY01-AAAAA-AAAAA2","TAAAAA-AAAAA-AAAAA1","2024-02-02 00:00:00","trade","tradespot","currency","fiat","USD","spot / main",-200.00,0.52,799.48\n'
    '"LGOT01-AAAAA-AAAAA3","TAAAAA-AAAAA-AAAAA1","2024-02-02 00:00:00","trade","tradespot","currency","crypto","ETH","spot / main",2.0,0,2.0\n'
    '"LREW01-AAAAA-AAAAA4","STA1","2024-03-01 00:00:00","staking","","currency","crypto","ETH","spot / main",0.5,0,2.5\n'
    '"LOUT01-AAAAA-AAAAA5","TAAAAA-AAAAA-AAAAA2","2024-09-01 00:00:00","trade","tradespot","currency","crypto","ETH","spot / main",-1.0,0,1.5\n'
    '"LUSD01-AAAAA-AAAAA6","TAAAAA-AAAAA-AAAAA2","2024-09-01 00:00:00","trade","tradespot","currency","fiat","USD","spot / main",150.00,0.39,949.09\n'
)
LATE_ROW = LEDGER_HEADER + (
    '"LREW02-AAAAA-AAAAA7","STA2","2024-12-01 00:00:00","staking","","currency","crypto","ETH","spot / main",0.25,0,1.75\n'
)
BOUGHT, SOLD, REWARD = "LGOT01-AAAAA-AAAAA3", "LOUT01-AAAAA-AAAAA5", "LREW01-AAAAA-AAAAA4"
PRICES = (
    "symbol,currency,time,rate,source\nETH,USD,2024-03-01T00:00:00Z,120,mine\nETH,USD,2024-12-01T00:00:00Z,130,mine\n"
)

Ran = tuple[int, str, str]
Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an empty folder with a database of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTFOLIO_SYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'portfolio.db'}")

    def command(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(list(arguments))
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return code, shown.out, shown.err

    return command


@pytest.fixture
def own(run: Run, tmp_path: Path) -> Run:
    """With the transactions as account ``own``."""
    (tmp_path / "t.csv").write_text(TRANSACTIONS)
    assert run("import", "t.csv", "--account", "own")[0] == 0
    return run


@pytest.fixture
def booked(run: Run, tmp_path: Path) -> Run:
    """With the ledger file as account ``main`` and its prices."""
    (tmp_path / "ledgers.csv").write_text(LEDGER)
    (tmp_path / "prices.csv").write_text(PRICES)
    assert run("import", "ledgers.csv", "--account", "main")[0] == 0
    assert run("prices", "import", "prices.csv")[0] == 0
    return run


def ok(ran: Ran) -> str:
    assert ran[0] == 0, ran
    return ran[1]


def rows(path: Path | str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sales(run: Run, folder: str, profile: str, *more: str) -> dict[str, tuple[str, str]]:
    """Sale -> (rule, cost) of a report over all years."""
    ok(run("report", "-p", profile, "--year", "all", "--out", folder, *more))
    return {row["disposed_id"]: (row["rule"], row["cost"]) for row in rows(f"{folder}/disposals.csv")}


def codes(folder: str) -> list[str]:
    return [row["code"] for row in rows(f"{folder}/findings.csv")]


def picks_refused(folder: str) -> list[str]:
    return sorted(code for code in codes(folder) if code.startswith("pick_"))


# --- records ---------------------------------------------------------------------------------------------------------


def test_an_order_recorded_after_a_sale_has_no_say_in_it_where_the_law_wants_it_before(own: Run) -> None:
    ok(own("method", "set", "hifo", "--from", "2025-01-01"))
    assert sales(own, "us", "us") == {"s1": ("fifo", "50"), "s2": ("hifo", "150")}
    (late,) = [row for row in rows("us/findings.csv") if row["code"] == "order_recorded_late"]
    assert late["source_id"] == "s1"
    assert sales(own, "generic", "generic") == {"s1": ("hifo", "150"), "s2": ("hifo", "150")}
    assert "order_recorded_late" not in codes("generic")


def test_orders_are_listed_as_recorded_and_never_replaced(own: Run) -> None:
    ok(own("method", "set", "hifo", "--from", "2025-01-01"))
    ok(own("method", "set", "lofo", "--from", "2026-01-01", "--account", "own"))
    listed = json.loads(ok(own("method", "list", "--json")))
    assert [(row["method"], row["account"], row["from"]) for row in listed] == [
        ("hifo", "", "2025-01-01T00:00:00Z"),
        ("lofo", "own", "2026-01-01T00:00:00Z"),
    ]
    assert all(row["recorded_at"] for row in listed)
    assert sales(own, "r", "generic") == {"s1": ("hifo", "150"), "s2": ("lofo", "50")}


def test_a_pick_names_the_lots_of_one_sale_unless_it_comes_too_late(own: Run) -> None:
    for sale in ("s1", "s2"):
        ok(own("lots", "pick", sale, "t2:0.25", "t1:0.25"))
    assert sales(own, "generic", "generic")["s1"] == ("spec_id", "25")
    assert sales(own, "us", "us") == {"s1": ("fifo", "50"), "s2": ("spec_id", "25")}
    (refused,) = [row for row in rows("us/findings.csv") if row["code"] == "pick_recorded_late"]
    assert (refused["source_id"], "after the sale" in refused["message"]) == ("s1", True)
    costs = sorted(row["cost"] for row in rows("generic/disposals.csv") if row["disposed_id"] == "s2")
    assert costs == ["25", "75"]


def test_an_allocation_of_basis_works_as_its_page_says(run: Run, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "transactions.md").read_text()
    (tmp_path / "a.csv").write_text(page.split("```csv\n")[1].split("```")[0])
    ok(run("import", "a.csv", "--account", "main"))
    assert sales(run, "r", "us") == {"t3": ("fifo", "40000")}
    assert {row["severity"] for row in rows("r/findings.csv") if row["source_id"]} == set()


def test_lots_named_in_a_file_are_followed_and_said_to_be_undated(own: Run, tmp_path: Path) -> None:
    head, *lines = TRANSACTIONS.splitlines()
    named = [f"{line},{'t2:0.5' if line.startswith('s') else ''}" for line in lines]
    (tmp_path / "t.csv").write_text("\n".join([f"{head},lots", *named]))
    ok(own("import", "t.csv", "--account", "own"))
    ok(own("lots", "pick", "s2", "t2:0.5"))  # before the sale: its date is known
    assert sales(own, "r", "us") == {"s1": ("spec_id", "150"), "s2": ("spec_id", "150")}
    assert [row["source_id"] for row in rows("r/findings.csv") if row["code"] == "lots_undated"] == ["s1"]
    assert sales(own, "r", "us", "--method", "spec_id") == {"s1": ("spec_id", "150"), "s2": ("spec_id", "150")}


def test_a_later_list_of_picks_takes_the_place_of_the_earlier_one(own: Run) -> None:
    ok(own("lots", "pick", "s2", "t1:0.5"))
    ok(own("lots", "pick", "s2", "t2:0.5"))
    assert sales(own, "r", "generic")["s2"] == ("spec_id", "150")
    assert len(json.loads(ok(own("lots", "list", "--json")))) == 2


def test_what_a_named_lot_does_not_hold_is_taken_in_order_and_said(own: Run) -> None:
    ok(own("lots", "pick", "s1", "t1:0.5"))
    ok(own("lots", "pick", "s2", "s1:0.5"))
    sales(own, "r", "generic")
    assert picks_refused("r") == ["pick_of_unknown_lot"]
    ok(own("lots", "pick", "later", "t2:1", "--not-yet"))
    sales(own, "r", "generic")
    assert picks_refused("r") == ["pick_of_unknown_lot", "pick_of_unknown_sale"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["method", "set", "uk_s104", "--from", "2025-01-01"], "no order of lots"),
        (["method", "set", "hifo", "--from", "soon"], "not a time"),
        (["method", "set", "hifo", "--from", "2025-01-01", "--account", "x"], "no account 'x'"),
        (["method", "set", "hifo", "--from", "2025-01-01", "--taxpayer", "x"], "no taxpayer 'x'"),
        (["lots", "pick", "s1", "t1"], "LOT:AMOUNT"),
        (["lots", "pick", "s1", "t1:-1"], "LOT:AMOUNT"),
        (["lots", "pick", "s1", "t1:1e0"], "LOT:AMOUNT"),
        (["lots", "pick", "s1", "t1:0"], "LOT:AMOUNT"),
        (["lots", "pick", "s1", "t1:0.6"], "0.5"),
        (["lots", "pick", "s9", "t1:0.5"], "nothing is stored under s9"),
        (["lots", "pick", "s1", "t9:0.5"], "nothing is stored under t9"),
        (["explain", "nothing"], "explain takes the id of"),
        (["export", "--format", "papyrus", "--out", "f"], "unknown format"),
        (["year", "close", "all", "-p", "us"], "one tax year"),
        (["year", "close", "2090", "-p", "us"], "close it then"),
        (["year", "diff", "2024"], "was not closed"),
        (["report", "--from-manifest", "t.csv", "--out", "r"], "not the manifest.json"),
        (["compare", "-p", "atlantis"], "unknown profile"),
        (["compare", "--taxpayer", "x"], "no taxpayer 'x'"),
        (["compare", "-p", "uk", "--year", "2025-24"], "such as 2024-25"),
        (["compare", "--currency", "USDD"], "'USDD' is no value for currency; a code such as USD"),
        (["compare", "--set", "superficial_loss=yes"], "true or false"),
        (["compare", "--set", "timezone=Mars"], "such as Europe/Berlin"),
    ],
)
def test_each_mistake_is_one_line_and_leaves_no_trace(own: Run, command: list[str], words: str) -> None:
    code, _, err = own(*command)
    assert (code, words in err) == (2, True), err
    assert json.loads(ok(own("method", "list", "--json"))) == []
    assert json.loads(ok(own("lots", "list", "--json"))) == []


# --- compare ---------------------------------------------------------------------------------------------------------


def test_methods_side_by_side_store_nothing(own: Run) -> None:
    ok(own("lots", "pick", "s1", "t2:0.5"))
    document = json.loads(ok(own("compare", "-p", "generic", "--year", "2025", "--json")))
    cost = {line["method"]: line.get("cost") for line in document["methods"]}
    picked = {
        "fifo": "50",
        "lifo": "150",
        "hifo": "150",
        "lofo": "50",
        "spec_id": "150",
        "acb": "100",
        "as recorded": "150",
    }
    assert {name: cost[name] for name in picked} == picked
    assert len(document["input_digest"]) == 64
    assert json.loads(ok(own("sql", "--json", "SELECT count(*) AS n FROM report_run"))) == [{"n": 0}]
    shown = ok(own("compare", "-p", "us", "--year", "2025")).splitlines()
    assert shown[1].split()[:2] == ["method", "proceeds"]
    assert "recorded before the sale" in shown[-1]


# --- explain ---------------------------------------------------------------------------------------------------------


def kinds(node: dict[str, object]) -> list[str]:
    parts = node.get("parts", [])
    assert isinstance(parts, list)
    return [str(node["what"]), *(kind for part in parts for kind in kinds(part))]


def explained(run: Run, name: str) -> dict[str, object]:
    (node,) = json.loads(ok(run("explain", name, "--json")))["explained"]
    assert isinstance(node, dict)
    return node


def test_a_gain_is_explained_down_to_the_raw_rows(booked: Run) -> None:
    ok(booked("report", "-p", "us", "--year", "all", "--out", "r"))
    (row,) = rows("r/disposals.csv")
    node = explained(booked, row["id"])
    assert node["how"] == "gain 49.35 = proceeds 149.61 - cost 100.26"
    assert kinds(node).count("ledger row") == 4
    lines = ok(booked("explain", row["id"]))
    assert all(row_id in lines for row_id in (BOUGHT, SOLD))
    assert "amount -200, fee 0.52" in lines
    assert "source file" in lines


def test_every_kind_of_id_is_explained(booked: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TRANSACTIONS)
    ok(booked("import", "t.csv", "--account", "own"))
    ok(booked("report", "-p", "us", "--year", "all", "--out", "r"))
    income = next(row for row in rows("r/income.csv") if row["asset"] == "ETH")
    node = explained(booked, income["id"])
    assert kinds(node) == ["income", "event", "price", "ledger row", "report"]
    event = node["parts"][0]["id"]  # type: ignore[index]  # the tree is plain JSON
    lot = next(row for row in rows("r/open_lots.csv") if row["acquired_id"] == BOUGHT)
    assert "drawn on by disposal" in kinds(explained(booked, lot["id"]))
    for name, kind in {
        event: "event", REWARD: "ledger row", "TAAAAA-AAAAA-AAAAA1": "refid", "s1": "imported transaction", "ETH@main": "holding",
    }.items():  # fmt: skip
        assert explained(booked, name)["what"] == kind
    price = next(line for line in ok(booked("explain", income["id"])).splitlines() if "price: " in line)
    assert "rate 120, source mine, time 2024-03-01T00:00:00Z" in price


# --- the same report again -------------------------------------------------------------------------------------------


def content(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_a_report_is_made_again_from_its_manifest_whatever_came_since(booked: Run, tmp_path: Path) -> None:
    options = ("--year", "all", "--set", "hifo_key=price", "--method", "hifo")
    ok(booked("report", "-p", "generic", *options, "--out", "a", "--bundle", "a.zip"))
    (tmp_path / "late.csv").write_text(LATE_ROW)
    (tmp_path / "prices.csv").write_text(PRICES.replace("120", "121"))
    ok(booked("import", "late.csv", "--account", "main"))
    ok(booked("prices", "import", "prices.csv"))
    ok(booked("method", "set", "lifo", "--from", "2020-01-01"))
    ok(booked("report", "-p", "generic", *options, "--out", "now"))
    assert content("now") != content("a")
    ran = json.loads(
        ok(booked("report", "--from-manifest", "a/manifest.json", "--out", "b", "--bundle", "b.zip", "--json"))
    )
    assert (ran["same"], ran["differing"]) == (True, [])
    assert content("b") == content("a")
    assert Path("a.zip").read_bytes() == Path("b.zip").read_bytes()


def test_a_manifest_of_another_database_is_said_to_be_unknown(
    own: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(own("report", "-p", "us", "--year", "all", "--out", "a"))
    monkeypatch.setenv("PORTFOLIO_SYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    ok(own("db", "upgrade"))
    code, _, err = own("report", "--from-manifest", "a/manifest.json", "--out", "b")
    assert (code, "use the database that the report was made with" in err) == (2, True)
    assert not Path("b").exists()


def test_a_report_that_does_not_come_out_the_same_says_what_differs(booked: Run, tmp_path: Path) -> None:
    ok(booked("report", "-p", "us", "--year", "all", "--out", "a"))
    said = json.loads(Path("a/manifest.json").read_text())
    said["prices_digest"] = "0" * 64
    said["files"]["income.csv"] = "1" * 64
    said["program"]["version"] = "0.0.0"
    Path("m.json").write_text(json.dumps(said))
    code, out, _ = booked("report", "--from-manifest", "m.json", "--out", "b")
    assert code == 4
    assert "NOT the report of the manifest: income.csv differ" in out
    assert "prices used are not those of then" in out
    assert "made by version 0.0.0" in out
    code, _, err = booked("report", "--from-manifest", "m.json", "--year", "2024", "--out", "b")
    assert (code, "leave out --year" in err) == (2, True)


def test_a_bundle_holds_report_raw_rows_and_rules_and_is_its_owners_alone(booked: Run, tmp_path: Path) -> None:
    import tomllib

    ok(booked("report", "-p", "uk", "--year", "all", "--out", "r", "--bundle", "b.zip"))
    with zipfile.ZipFile("b.zip") as bundle:
        names = set(bundle.namelist())
        assert {f"report/{name}" for name in content("r")} <= names
        assert {"README.txt", "profile.toml", "raw/ledger.csv", "raw/trades.csv", "raw/transactions.csv"} <= names
        assert bundle.read("report/manifest.json") == content("r")["manifest.json"]
        assert bundle.read("raw/ledger.csv").decode().count("\n") == 7
        profile = tomllib.loads(bundle.read("profile.toml").decode())
        assert (profile["method"], profile["year_start_month"], profile["forms"]) == ("uk_s104", 4, profile["forms"])
        assert {info.date_time for info in bundle.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert stat.S_IMODE(Path("b.zip").stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".*.new"))


def test_what_a_person_stated_has_no_history_of_krakens_to_prove(
    own: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = ("report", "-p", "generic", "--year", "all", "--out", "r", "--strict")
    code, said, _ = own(*strict)
    assert (code, "nothing of Kraken's to prove" in said, codes("r")) == (0, True, [])
    (tmp_path / "ledgers.csv").write_text(LEDGER)
    own("import", "ledgers.csv", "--account", "main")
    code, said, _ = own(*strict, "--account", "own", "--account", "main")
    assert (code, "history: unknown" in said) == (4, True)
    monkeypatch.setenv("OWN_KEY", "k")
    monkeypatch.setenv("OWN_SECRET", "c2VjcmV0")
    (tmp_path / "portfolio-sync.toml").write_text(
        '[[accounts]]\nname = "own"\nkey = { env = "OWN_KEY" }\nsecret = { env = "OWN_SECRET" }\n'
    )
    assert own(*strict, "--account", "own")[0] == 4  # there is one, not read yet


def test_what_the_proof_found_stands_in_the_report(run: Run, tmp_path: Path) -> None:
    gap = "".join(line for line in LEDGER.splitlines(keepends=True) if REWARD not in line)
    (tmp_path / "ledgers.csv").write_text(gap)
    run("import", "ledgers.csv", "--account", "main")
    code, _, _ = run("report", "-p", "us", "--year", "all", "--out", "r", "--strict")
    assert code == 4
    proof = json.loads(Path("r/manifest.json").read_text())["settings"]["proof"]
    assert proof == "broken"
    stored = json.loads(ok(run("sql", "--json", "SELECT id FROM finding")))
    of_proof = json.loads(run("verify", "--json")[1])[0]["findings"]
    assert of_proof
    assert {one["code"] for one in of_proof} <= set(codes("r"))
    assert {row["id"] for row in rows("r/findings.csv")} <= {row["id"] for row in stored}
    before = content("r")
    (tmp_path / "ledgers.csv").write_text(LEDGER)
    run("import", "ledgers.csv", "--account", "main")
    ok(run("report", "--from-manifest", "r/manifest.json", "--out", "again"))
    assert content("again") == before


def test_a_holding_of_a_coin_in_several_wallets_says_whose_lots_are_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,time,kind,asset,amount,value,currency,to_wallet\nt1,2024-01-01T00:00:00Z,buy,BTC,3,90,USD,\n"
        "t2,2024-02-01T00:00:00Z,transfer,BTC,1,,,cold\n"
    )
    ok(run("import", "t.csv", "--account", "own"))
    ok(run("report", "-p", "generic", "--year", "all", "--out", "r"))
    assert "of every wallet, 1 in cold + 2 in own:" in ok(run("explain", "BTC@own"))


def test_what_a_proof_says_names_its_account_where_there_are_several(booked: Run, tmp_path: Path) -> None:
    ok(booked("import", "ledgers.csv", "--account", "second"))
    ok(booked("report", "-p", "generic", "--year", "all", "--out", "r"))
    said = {row["message"].partition(":")[0] for row in rows("r/findings.csv") if row["code"] == "no_balances"}
    assert said == {"main", "second"}


def test_a_stated_rule_about_no_row_is_said(booked: Run, tmp_path: Path) -> None:
    rule = '{{ treatment = "{}", reason = "mine" }}'.format
    (tmp_path / "portfolio-sync.toml").write_text(
        f'[rules]\n"stakng/" = {rule("income")}\n"staking/" = {rule("reward")}\n'
    )
    ok(booked("report", "-p", "us", "--year", "2024", "--out", "r"))
    (idle,) = [row for row in rows("r/findings.csv") if row["code"] == "rule_without_rows"]
    assert (idle["severity"], '"stakng/"' in idle["message"]) == ("info", True)


# --- the portfolio ---------------------------------------------------------------------------------------------------


def test_the_portfolio_of_an_account_from_files_is_what_its_ledger_adds_up_to_at_any_time(booked: Run) -> None:
    def held(*more: str) -> dict[str, tuple[str, str]]:
        found = json.loads(ok(booked("portfolio", "-p", "us", "--json", *more)))["holdings"]
        return {row["symbol"]: (row["quantity"], row["cost"]) for row in found}

    assert held() == {"ETH": ("1.5", "160.26"), "USD": ("949.09", "949.09")}
    assert held("--at", "2024-02-15") == {"ETH": ("2", "200.52"), "USD": ("799.48", "799.48")}
    assert held("--at", "2024-01-01") == {}


def test_a_total_says_how_many_sales_it_leaves_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,time,kind,asset,amount,value,currency,acquired\nd1,2024-01-01T00:00:00Z,gift_in,BTC,1,,USD,\n"
        "s1,2024-03-01T00:00:00Z,sell,BTC,1,90,USD,\n"
    )
    ok(run("import", "t.csv", "--account", "own"))
    said = ok(run("report", "-p", "generic", "--year", "2024", "--out", "r"))
    assert "1 disposals, 1 of unknown gain, of the others net gain 0," in said
    header, line, *_ = ok(run("compare", "-p", "generic", "--year", "2024")).splitlines()[1:]
    assert dict(zip(header.split()[-2:], line.split()[-2:], strict=True))["unknown"] == "1"


def test_what_was_lost_is_told_apart_from_the_disposals_that_are_added_up(own: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,time,kind,asset,amount\nl1,2025-02-01T00:00:00Z,lost,BTC,0.5\n")
    ok(own("import", "t.csv", "--account", "own"))
    said = ok(own("report", "-p", "generic", "--year", "2025", "--out", "r"))
    assert "  1 disposals (and 1 gifts or losses without gain), net gain" in said
    counted = {row["item"]: row["amount"] for row in rows("r/summary.csv") if not row["asset"]}
    assert (counted["disposals"], len(rows("r/disposals.csv"))) == ("1", 2)


def test_the_portfolio_of_an_account_of_transactions_alone_is_that_of_its_lots(own: Run) -> None:
    found = json.loads(ok(own("portfolio", "-p", "generic", "--json", "--at", "2025-01-01")))["holdings"]
    held = [(row["symbol"], row["quantity"], row["cost"]) for row in found]
    assert held == [("BTC", "2", "400"), ("DOT", "2", "10")]


# --- filed years -----------------------------------------------------------------------------------------------------


def test_a_closed_year_says_what_would_differ_now_and_why(booked: Run, tmp_path: Path) -> None:
    ok(booked("year", "close", "2024", "-p", "us"))
    same = json.loads(ok(booked("year", "diff", "2024", "--json")))
    assert (same["same"], same["changes"], same["reasons"]) == (True, [], [])
    (tmp_path / "late.csv").write_text(LATE_ROW)
    (tmp_path / "prices.csv").write_text(PRICES.replace("120", "121"))
    ok(booked("import", "late.csv", "--account", "main"))
    ok(booked("prices", "import", "prices.csv"))
    assert booked("year", "diff", "2024", "--strict")[0] == 4
    now = json.loads(ok(booked("year", "diff", "2024", "--profile", "us", "--json")))
    income = {change["what"]: change for change in now["changes"] if change["table"] == "income.csv"}
    assert income["added"]["now"]["source_id"] == "LREW02-AAAAA-AAAAA7"
    assert (income["changed"]["before"]["value"], income["changed"]["now"]["value"]) == ("60", "60.5")
    why = "\n".join(now["reasons"])
    assert "1 ledger rows of the time before its end came since: LREW02-AAAAA-AAAAA7" in why
    assert "rate 120 -> 121" in why
    assert "value 60 -> 60.5" in ok(booked("year", "diff", "2024"))


def test_an_account_that_came_after_the_closing_counts_in_what_would_differ(own: Run, tmp_path: Path) -> None:
    ok(own("year", "close", "2025", "-p", "us"))
    (tmp_path / "more.csv").write_text(
        "id,time,kind,asset,amount,value,currency\nt0,2020-01-10T00:00:00Z,buy,BTC,1,10,USD\n"
    )
    ok(own("import", "more.csv", "--account", "more"))
    now = json.loads(ok(own("year", "diff", "2025", "--json")))
    assert not now["same"]
    assert any("t0" in reason for reason in now["reasons"])


def test_a_year_that_was_closed_for_one_account_is_compared_for_it_alone(own: Run, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(
        "id,time,kind,asset,amount,value,currency\nt0,2020-01-10T00:00:00Z,buy,BTC,1,10,USD\n"
    )
    ok(own("year", "close", "2025", "-p", "us", "--account", "own"))
    ok(own("import", "more.csv", "--account", "more"))
    assert json.loads(ok(own("year", "diff", "2025", "--json")))["same"]


def test_a_year_is_closed_twice_only_if_told(own: Run) -> None:
    ok(own("year", "close", "2025", "-p", "us"))
    code, _, err = own("year", "close", "2025", "-p", "us")
    assert (code, "--again" in err) == (2, True)
    ok(own("method", "set", "lifo", "--from", "2020-01-01"))
    ok(own("year", "close", "2025", "-p", "us", "--again"))
    ok(own("year", "close", "2025", "-p", "generic"))
    code, _, err = own("year", "diff", "2025")
    assert (code, "--profile" in err) == (2, True)
    assert json.loads(ok(own("year", "diff", "2025", "-p", "generic", "--json")))["same"]
    assert len(json.loads(ok(own("year", "list", "--json")))) == 2


# --- export ----------------------------------------------------------------------------------------------------------


def test_krakens_own_layout_comes_back_the_same(booked: Run) -> None:
    ok(booked("export", "--format", "kraken-ledgers", "--account", "main", "--out", "again.csv"))
    assert Path("again.csv").read_text() == LEDGER
    assert stat.S_IMODE(Path("again.csv").stat().st_mode) == 0o600
    done = json.loads(ok(booked("import", "again.csv", "--account", "main", "--json")))
    assert (done["new"], done["changed"], done["unchanged"]) == (0, 0, 6)


def test_koinly_and_beancount_have_every_amount_to_the_last_digit(booked: Run) -> None:
    ok(booked("export", "--format", "koinly", "--currency", "USD", "--out", "k.csv"))
    columns = (
        "Date",
        "Sent Amount",
        "Sent Currency",
        "Received Amount",
        "Received Currency",
        "Fee Amount",
        "Net Worth Amount",
        "Label",
    )
    assert [tuple(row[name] for name in columns) for row in rows("k.csv")] == [
        ("2024-02-01 00:00:00 UTC", "", "", "1000", "USD", "", "", ""),
        ("2024-02-02 00:00:00 UTC", "200", "USD", "2", "ETH", "0.52", "200", ""),
        ("2024-03-01 00:00:00 UTC", "", "", "0.5", "ETH", "", "60", "reward"),
        ("2024-09-01 00:00:00 UTC", "1", "ETH", "150", "USD", "0.39", "150", ""),
    ]
    done = json.loads(ok(booked("export", "--format", "beancount", "--out", "b.beancount", "--json")))
    text = Path("b.beancount").read_text()
    assert "  Assets:Kraken:Main  2 ETH @@ 200 USD\n  Assets:Kraken:Main  -200 USD\n" in text
    assert "  Assets:Kraken:Main  -0.52 USD\n  Expenses:Fees  0.52 USD\n" in text
    assert "  Assets:Kraken:Main  0.5 ETH @@ 60 USD\n  Income:Staking  -60 USD\n" in text
    assert done["lines"] == text.count("\n")
