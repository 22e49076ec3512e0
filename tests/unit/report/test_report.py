from __future__ import annotations

import csv
import io
import json
import random
import stat
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import iso
from portfolio_sync.core.price import Price
from portfolio_sync.errors import SurroundingsError
from portfolio_sync.normalize.events import normalize
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.report.frame import Report, frame_of, tables
from portfolio_sync.report.manifest import digest, input_digest, manifest
from portfolio_sync.report.table import Table, cells
from portfolio_sync.report.write import write
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profiles import GENERIC, US
from tests.ledgers import START, Ledger

COLUMNS = {
    "disposals.csv": (
        "id,tax_year,kind,asset,quantity,acquired_at,disposed_at,proceeds,cost,gain,currency,term,rule,matched_date,denied_loss,"
        "account,wallet,acquired_id,disposed_id,price_source"
    ),
    "income.csv": "id,tax_year,time,income_type,asset,quantity,value,currency,account,source_id,price_source",
    "open_lots.csv": "id,asset,quantity,acquired_at,cost,currency,account,wallet,acquired_id",
    "holdings.csv": "asset,wallet,quantity,cost,price,value,unrealised,currency",
    "summary.csv": "item,asset,amount,currency",
    "findings.csv": "id,severity,code,message,source_id,time",
    "worklist.csv": (
        "id,time,kind,asset,amount,value,counter_asset,counter_amount,counter_value,fee,fee_asset,fee_value,wallet,to_wallet,income_type,"
        "cost,acquired,lots,portfolio_value,currency,note"
    ),
    "prices.csv": "symbol,currency,time,rate,source",
    "form_8949.csv": "box,description,date_acquired,date_sold,proceeds,cost_basis,code,adjustment,gain",
    "schedule_d.csv": "line,box,proceeds,cost_basis,adjustment,gain",
}


def account() -> Ledger:
    ledger = Ledger()
    ledger.trade("100 USD", "3 BTC", refid="T1", fee="0.26")
    ledger.add("staking", "DOT", "1", "0.2", refid="ST1", after=60)
    ledger.add("deposit", "ETH", "2", refid="Q1", after=120)
    ledger.trade("1 BTC", "80 USD", refid="T2", after=180)
    ledger.trade("1 ETH", "10 USD", refid="T3", after=240)
    ledger.add("earn", "DOT", "-0.5", refid="E1", subtype="allocation", after=300)
    ledger.add("mystery", "USD", "5", refid="T9", after=360)
    ledger.add("withdrawal", "BTC", "-1", "0.0001", refid="FT1", after=420)
    return ledger


def report(ledger: Ledger, year: int | None = None) -> Report:
    lookup = Lookup(
        PriceTable.of(
            [Price("DOT", "USD", START, Decimal(5), "test"), Price("BTC", "USD", START, Decimal(60), "test")]
        ),
        "USD",
    )
    normalized = normalize(ledger.rows)
    valuation = value_all(normalized.events, lookup)
    computation = compute(valuation.events, US, Options(year), lookup)
    return Report(computation, US, normalized.counts, [*normalized.findings, *valuation.findings], lookup.prices())


def publish(folder: Path, ledger: Ledger) -> dict[str, str]:
    made = report(ledger)
    return write(
        folder, tables(made), lambda files: manifest({"year": "all"}, US, input_digest(ledger.rows), made.prices, files)
    )


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / name).read_text(encoding="utf-8"))))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_file_has_the_columns_of_the_contract_in_order(tmp_path: Path) -> None:
    written = publish(tmp_path, account())
    assert {name: (tmp_path / name).read_text(encoding="utf-8").splitlines()[0] for name in COLUMNS} == COLUMNS
    assert set(written) == {*COLUMNS, "manifest.json"} == set(content(tmp_path))


def test_rows_without_effect_and_findings_add_up_to_all(tmp_path: Path) -> None:
    publish(tmp_path, account())
    summary = {row["item"]: row["amount"] for row in rows(tmp_path, "summary.csv") if not row["asset"]}
    assert [summary[f"ledger_rows{part}"] for part in ("", "_event", "_no_effect", "_finding")] == ["11", "9", "1", "1"]


def test_a_sale_from_a_deposit_is_blank_found_and_on_the_worklist(tmp_path: Path) -> None:
    publish(tmp_path, account())
    (sale,) = [row for row in rows(tmp_path, "disposals.csv") if row["asset"] == "ETH"]
    assert (sale["proceeds"], sale["cost"], sale["gain"], sale["acquired_id"], sale["disposed_id"]) == (
        "10",
        "",
        "",
        "L4",
        "L7",
    )
    assert {row["code"]: row["source_id"] for row in rows(tmp_path, "findings.csv")} == {
        "unclassified": "L10",
        "unknown_cost": "L7",
    }
    (todo,) = rows(tmp_path, "worklist.csv")
    assert (todo["id"], todo["kind"], todo["asset"], todo["amount"], todo["cost"], todo["note"]) == (
        "L4",
        "deposit",
        "ETH",
        "2",
        "",
        "fill in cost and acquired",
    )


def test_withdrawn_coins_stand_under_external(tmp_path: Path) -> None:
    publish(tmp_path, account())
    holdings = {(row["asset"], row["wallet"]): row["quantity"] for row in rows(tmp_path, "holdings.csv")}
    assert holdings == {
        ("BTC", "external:main"): "1",
        ("BTC", "main"): "0.9999",
        ("DOT", "main"): "0.8",
        ("ETH", "main"): "1",
    }


def test_the_same_input_gives_the_same_bytes_in_any_order_and_another_input_does_not(tmp_path: Path) -> None:
    ledger = account()
    publish(tmp_path / "a", ledger)
    shuffled = Ledger()
    shuffled.rows = list(ledger.rows)
    random.Random(4).shuffle(shuffled.rows)
    same_time = {row.time: [r for r in ledger.rows if r.time == row.time] for row in ledger.rows}
    shuffled.rows = [row for time in dict.fromkeys(row.time for row in shuffled.rows) for row in same_time[time]]
    publish(tmp_path / "b", shuffled)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    ledger.add("deposit", "USD", "1", refid="Q9", after=999)
    publish(tmp_path / "c", ledger)
    assert content(tmp_path / "a")["manifest.json"] != content(tmp_path / "c")["manifest.json"]


def test_ids_are_stable_and_unique(tmp_path: Path) -> None:
    publish(tmp_path, account())
    for name in ("disposals.csv", "income.csv", "open_lots.csv", "findings.csv"):
        ids = [row["id"] for row in rows(tmp_path, name)]
        assert all(ids)
        assert len(ids) == len(set(ids))


def test_the_manifest_names_digests_of_every_file_and_no_clock(tmp_path: Path) -> None:
    written = publish(tmp_path, account())
    made = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert made["files"] == {name: sha for name, sha in written.items() if name != "manifest.json"}
    assert made["input_digest"] == input_digest(account().rows)
    assert made["profile"]["wallet_pools_from"] == "2025-01-01"
    assert set(made) == {"format", "program", "input_digest", "prices_digest", "settings", "profile", "files"}


def test_the_digest_looks_at_content_not_at_order_or_spelling() -> None:
    ledger = account()
    assert input_digest(reversed(ledger.rows)) == input_digest(ledger.rows)
    assert digest(["a", "b"]) != digest(["a", "b", "b"])
    twice = Ledger()
    twice.add("deposit", "BTC", "1.0", refid="Q")
    once = Ledger()
    once.add("deposit", "BTC", "1.00", refid="Q")
    assert input_digest(twice.rows) == input_digest(once.rows)


def test_numbers_are_plain_and_formulas_are_defused(tmp_path: Path) -> None:
    table = Table(
        "x.csv",
        (("n", lambda r: r[0]), ("t", lambda r: r[1])),
        [(Decimal("-1E-10"), "=1+1"), (Decimal("1E+3"), "-2"), (Decimal("-0.00"), "@x"), (None, "\tx")],
    )
    write(tmp_path, [table], lambda _files: "{}")
    assert (tmp_path / "x.csv").read_text(encoding="utf-8") == "n,t\n-0.0000000001,'=1+1\n1000,-2\n0,'@x\n,'\tx\n"


def test_values_of_several_types_may_stand_in_one_column() -> None:
    values = [None, "a", Decimal("1.50"), START, ("a", "b"), 7, None]
    assert cells(values) == ["", "a", "1.5", iso(START), "a;b", "7", ""]
    assert cells(values[2:3] + values[:1]) == ["1.5", ""]
    assert cells([None, None]) == ["", ""]


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    publish(tmp_path / "new", account())
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_failed_run_leaves_the_old_files_whole_and_nothing_behind(tmp_path: Path) -> None:
    publish(tmp_path, account())
    before = content(tmp_path)

    def failing() -> object:
        raise ValueError("a row that cannot be read")

    broken = [Table("disposals.csv", (("id", lambda _row: failing()),), [1]), Table("income.csv", (), [])]
    with pytest.raises(ValueError, match="cannot be read"):
        write(tmp_path, [Table("summary.csv", (("a", str),), [1]), *broken], lambda _files: "{}")

    def no_manifest(_files: Mapping[str, str]) -> str:
        raise OSError(28, "No space left on device")

    with pytest.raises(SurroundingsError, match="No space left"):
        write(tmp_path, [Table("summary.csv", (("a", str),), [1])], no_manifest)
    assert content(tmp_path) == before


def test_a_folder_in_the_way_is_found_before_anything_is_renamed(tmp_path: Path) -> None:
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(SurroundingsError, match=r"b\.csv is a folder"):
        write(tmp_path, [Table("a.csv", (), []), Table("b.csv", (), [])], lambda _files: "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(SurroundingsError, match="cannot write the report into"):
        write(tmp_path / "out", [], lambda _files: "{}")


def test_files_of_the_last_report_that_this_one_has_not_are_removed_and_no_others(tmp_path: Path) -> None:
    publish(tmp_path, account())
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    made = report(account())
    plain = Report(made.computation, GENERIC, made.counts, made.findings, made.prices)
    write(tmp_path, tables(plain), lambda files: manifest({}, GENERIC, "", made.prices, files))
    left = set(content(tmp_path))
    assert "form_8949.csv" not in left
    assert "notes.txt" in left


def test_a_frame_holds_exact_decimals() -> None:
    frame = frame_of("disposals.csv", tables(report(account()))).to_frame()
    assert isinstance(frame["gain"][0], Decimal)
    assert list(frame.columns) == COLUMNS["disposals.csv"].split(",")
    assert frame["quantity"].sum() == Decimal("2.0001")


def test_findings_are_printed_once_each() -> None:
    finding = Finding(Severity.ERROR, "x", "y", ("L1",))
    made = report(account())
    doubled = Report(made.computation, US, made.counts, [finding, finding], made.prices)
    assert sum(row[2] == "x" for row in frame_of("findings.csv", tables(doubled)).lines()) == 1


def test_a_year_has_its_own_rows() -> None:
    ledger = account()
    ledger.trade("0.5 BTC", "50 USD", refid="T8", after=timedelta(days=400).total_seconds())
    lines = list(frame_of("disposals.csv", tables(report(ledger, 2025))).lines())
    assert [(line[1], line[18]) for line in lines] == [("2025", "L12")]
