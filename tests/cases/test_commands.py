"""Every golden case through the public commands: a transactions CSV imported, a report made, its files compared."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portfolio_sync.cli.main import main
from portfolio_sync.core.instant import parse_iso
from tests.cases import golden
from tests.cases.golden import DATA, Row

NAMES = [path.stem for path in sorted(DATA.glob("*.json"))]


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a database and no key."""
    shutil.copy(sqlite_template, tmp_path / "portfolio.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTFOLIO_SYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'portfolio.db'}")
    return tmp_path


def write_transactions(path: Path, transactions: list[Row]) -> None:
    """A case's transactions as a person would write them: only the columns that are used."""
    rows = [
        row | {"lots": ";".join(f"{lot['lot']}:{lot['amount']}" for lot in row.get("lots", ()))} for row in transactions
    ]
    header = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)


def report(found: Row, home: Path) -> Path:
    """Import the case and make its report; returns the folder."""
    write_transactions(home / "case.csv", found["transactions"])
    assert main(["import", str(home / "case.csv"), "--format", "transactions", "--account", "case"]) == 0
    settings = [
        f"{key}={str(value).lower() if isinstance(value, bool) else value}"
        for key, value in found["conventions"].items()
    ]
    sets = [part for setting in settings for part in ("--set", setting)]
    asked = ["--profile", "generic", "--method", found["method"], "--currency", found["currency"], "--year", "all"]
    assert main(["report", *asked, *sets, "--out", str(home / "out")]) == 0
    return home / "out"


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> Decimal:
    return Decimal(text or 0)


def first(text: str) -> str:
    return text.partition(";")[0]


Reads = Callable[[str], Any]
# field of ``expected``: (column of the file, how it reads)
FIELDS: dict[str, dict[str, tuple[str, Reads]]] = {
    "disposals": {
        "asset": ("asset", str), "amount": ("quantity", number), "disposed": ("disposed_at", parse_iso), "tx": ("disposed_id", first),
        "event": ("kind", str), "lot": ("acquired_id", first), "acquired": ("acquired_at", lambda text: text and parse_iso(text)),
        "match": ("rule", str), "matched_date": ("matched_date", str), "proceeds": ("proceeds", number), "cost": ("cost", number),
        "gain": ("gain", number), "term": ("term", str), "denied_loss": ("denied_loss", number),
    },
    "remaining": {
        "asset": ("asset", str), "amount": ("quantity", number), "cost": ("cost", number), "lot": ("acquired_id", first), "wallet": ("wallet", str),
    },
    "income": {"asset": ("asset", str), "amount": ("quantity", number), "value": ("value", number), "tx": ("source_id", first)},
}  # fmt: skip
FILES = {"disposals": "disposals.csv", "remaining": "open_lots.csv", "income": "income.csv"}


def rows(folder: Path, part: str) -> list[Row]:
    return [
        {field: reads(row[column]) for field, (column, reads) in FIELDS[part].items()}
        for row in table(folder, FILES[part])
    ]


def totals(folder: Path) -> Row:
    """What ``summary.csv`` says of all assets, and the net gain by calendar year from the disposals."""
    found: Row = {row["item"]: number(row["amount"]) for row in table(folder, "summary.csv") if not row["asset"]}
    years: dict[str, Decimal] = defaultdict(Decimal)
    for row in table(folder, "disposals.csv"):
        years[row["disposed_at"][:4]] += number(row["gain"])
    return found | {"net_gain_by_year": dict(years)}


@pytest.mark.parametrize("name", NAMES)
def test_the_report_says_what_the_source_says(name: str, home: Path) -> None:
    found = golden.case(name)
    want, tolerance = found["expected"], Decimal(found["tolerance"])
    folder = report(found, home)
    codes = {row["code"] for row in table(folder, "findings.csv")}
    assert ("insufficient_holdings" in codes) is (want.get("error") == "insufficient_holdings")
    for part in FILES:
        if part in want:
            golden.compare(rows(folder, part), golden.expected(want[part]), tolerance)
    for item, amount in want.get("totals", {}).items():
        got = totals(folder)[item]
        for year in amount if isinstance(amount, dict) else ():
            assert abs(got[year] - Decimal(amount[year])) <= tolerance, year
        if not isinstance(amount, dict):
            assert abs(got - Decimal(amount)) <= tolerance, item


def test_every_published_case_is_here() -> None:
    assert len(NAMES) == 76


def test_a_case_imported_twice_changes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = golden.case("us-fifo-rp2-test-data3-b4")
    before = {path.name: path.read_bytes() for path in report(found, home).iterdir()}
    capsys.readouterr()
    after = {path.name: path.read_bytes() for path in report(found, home).iterdir()}
    assert "0 new transactions, 0 changed" in capsys.readouterr().out
    assert after == before
