"""One history makes the same report on both databases and in any order of its rows, byte for byte."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from portfolio_sync.cli.main import main
from portfolio_sync.sandbox.export_file import Sheet, archive, header
from portfolio_sync.sandbox.generate import generate

PRICES = "symbol,currency,time,rate,source\n" + "".join(
    f"{symbol},USD,{year}-{month:02}-{day:02}T00:00:00Z,{place + month}.{day},me\n"
    for place, symbol in enumerate(("EUR", "BTC", "ETH", "DOT", "ADA", "USDT"), 1)
    for year in range(2013, 2027) for month in range(1, 13) for day in range(1, 29)
)  # fmt: skip
REPORTS = (("us", ()), ("uk", ("--currency", "USD")), ("generic", ("--method", "hifo")))


def history(folder: Path, chance: random.Random | None) -> list[str]:
    """Kraken's two files; with ``chance`` in another order of rows."""
    folder.mkdir()
    account, paths = generate(11, 300), []
    if chance:
        ledgers, trades = list(account.ledgers), list(account.trades)
        chance.shuffle(ledgers)
        chance.shuffle(trades)
        account = replace(account, ledgers=ledgers, trades=trades)
    for kind in ("ledgers", "trades"):
        path = folder / f"{kind}.zip"
        path.write_bytes(archive(account, Sheet(kind, "CSV", header(kind, 6), Decimal(0), Decimal(10**10))))
        paths.append(str(path))
    (folder / "prices.csv").write_text(PRICES)
    return paths


def reports(database_url: str, folder: Path, chance: random.Random | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import and report, all of it by commands."""
    monkeypatch.setenv("PORTFOLIO_SYNC_DATABASE_URL", database_url)
    files = history(folder, chance)
    assert main(["import", *files, "--account", "filed"]) == 0
    assert main(["prices", "import", str(folder / "prices.csv")]) == 0
    for profile, more in REPORTS:
        out = str(folder / profile)
        assert main(["report", "--profile", profile, "--year", "all", "--out", out, *more]) == 0


@pytest.fixture(scope="module")
def plain(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of an SQLite database that took the rows in their own order."""
    folder = tmp_path_factory.mktemp("plain")
    shutil.copy(sqlite_template, folder / "plain.db")
    with pytest.MonkeyPatch.context() as monkeypatch:
        reports(f"sqlite:///{folder / 'plain.db'}", folder / "reports", None, monkeypatch)
    return folder / "reports"


def test_the_other_database_and_another_order_of_rows_change_no_byte(
    plain: Path, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports(database_url, tmp_path / "shuffled", random.Random(7), monkeypatch)
    for profile, _ in REPORTS:
        made = sorted((plain / profile).iterdir())
        assert len(made) >= 9
        assert len((plain / profile / "disposals.csv").read_text().splitlines()) > 20
        for path in made:
            assert path.read_bytes() == (tmp_path / "shuffled" / profile / path.name).read_bytes(), path.name
