"""Against rp2 1.7.2 on the same buys and sells: the FIFO engine alone, and the whole run from stored rows to written files.

The size is ``BENCH_DEALS`` (a deal is two ledger rows).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.clock import cpu
from benchmarks.deals import ASSETS, Deal, deals, write_ledgers
from benchmarks.rp2_engine import write_configuration
from portfolio_sync.core.lot import Act, Movement
from portfolio_sync.tax.methods import METHODS
from portfolio_sync.tax.profiles import GENERIC

DEALS = int(os.environ.get("BENCH_DEALS", "5000"))
ROOT = Path(__file__).parent.parent


def engine() -> dict[str, object]:
    """One asset; both begin with objects in memory."""
    history = list(map(movement, deals(DEALS, ["BTC"])))
    ours = cpu(lambda: METHODS[GENERIC.method].match(history, GENERIC, ()))
    with tempfile.TemporaryDirectory() as folder:  # rp2 writes a log where it runs
        found = subprocess.run(
            [sys.executable, "-m", "benchmarks.rp2_engine", str(DEALS)],
            cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True,
        )  # fmt: skip
    theirs = json.loads(found.stdout.splitlines()[-1])["cpu"]
    return {
        "suite": "FIFO engine against rp2",
        "deals": DEALS,
        "deals_per_s": round(DEALS / ours),
        "times_rp2": round(theirs / ours, 1),
    }


def movement(deal: Deal) -> Movement:
    act, kind = (Act.ACQUIRE, "buy") if deal.buys else (Act.DISPOSE, "sell")
    money = deal.money + deal.fee if deal.buys else deal.money
    ids = (f"L{deal.number}",)
    return Movement(act, deal.time, deal.asset, deal.units, money, kind, "main", "main", ids, f"E{deal.number}")


def whole() -> dict[str, object]:
    """``report`` from the database against ``rp2_us`` from its sheet; CPU seconds and peak memory of each process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        history = deals(DEALS)
        ours = run(*report(folder, history), folder=folder)
        theirs = run(*rp2_us(folder, history), folder=folder)
    return {
        "suite": "whole report against rp2",
        "deals": DEALS,
        "ledger_rows": 2 * DEALS + 1,
        "rows_per_s": round(2 * DEALS / ours[0]),
        "times_rp2": round(theirs[0] / ours[0], 1),
        "memory_mb": round(ours[1]),
        "memory_to_rp2": round(ours[1] / theirs[1], 3),
    }


def environment() -> dict[str, str]:
    """With compiled modules, as where a program was installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT)}


RUNNER = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def run(*command: str, folder: Path) -> tuple[float, float]:
    """CPU seconds and peak resident MB of a process of its own.

    Started by a small one: a process takes over the peak of the one that started it, and this one holds a whole history.
    """
    with (folder / "output.txt").open("w") as output:
        runner = [sys.executable, "-c", RUNNER, *command]
        found = subprocess.run(runner, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=output, check=True)
    code, seconds, megabytes = json.loads(found.stdout)
    if code:
        raise RuntimeError(f"{command[0]}: {(folder / 'output.txt').read_text()[-2000:]}")
    return seconds, megabytes


def report(folder: Path, history: Sequence[Deal]) -> list[str]:
    """The command, once the database is filled by our own import."""
    program = [sys.executable, "-m", "portfolio_sync"]
    (folder / "portfolio-sync.toml").write_text(f'[database]\nurl = "sqlite:///{folder / "p.db"}"\n')
    write_ledgers(history, folder / "ledgers.csv")
    run(*program, "import", "ledgers.csv", "--account", "main", folder=folder)
    return [*program, "report", "--profile", "us", "--year", "all", "--out", "ours"]


def rp2_us(folder: Path, history: Sequence[Deal]) -> list[str]:
    settings = write_configuration(folder)
    write_sheet(folder / "rp2.ods", history)
    program = "from rp2.plugin.country.us import rp2_entry; rp2_entry()"
    return [sys.executable, "-c", program, "-m", "fifo", "-o", "theirs", settings.name, "rp2.ods"]


# --- rp2's input: an OpenDocument sheet an asset, written as plain XML ------------------------------------------------

MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"""
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 office:version="1.2"><office:body><office:spreadsheet>"""
TAIL = "</office:spreadsheet></office:body></office:document-content>"
IN_NAMES = ("timestamp", "asset", "exchange", "holder", "transaction_type", "spot_price", "crypto_in", "fiat_fee")
OUT_NAMES = (
    "timestamp",
    "asset",
    "exchange",
    "holder",
    "transaction_type",
    "spot_price",
    "crypto_out_no_fee",
    "crypto_fee",
)


def write_sheet(path: Path, history: Sequence[Deal]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        file.writestr("META-INF/manifest.xml", MANIFEST)
        file.writestr("content.xml", HEAD + "".join(sheets(history)) + TAIL)


def sheets(history: Sequence[Deal]) -> Iterator[str]:
    for asset in ASSETS:
        yield f'<table:table table:name="{asset}">'
        for word, names, buys in (("IN", IN_NAMES, True), ("OUT", OUT_NAMES, False)):
            yield line(word, *[""] * 7)
            yield line(*names)
            for deal in history:
                if (deal.asset, deal.buys) == (asset, buys):
                    yield line(
                        deal.time.isoformat(), asset, "Kraken", "Me", "Buy" if buys else "Sell",
                        float(deal.money / deal.units), float(deal.units), float(deal.fee) if buys else 0.0,
                    )  # fmt: skip
            yield line("TABLE END", *[""] * 7)
            yield line(*[""] * 8)
        yield "</table:table>"


def line(*values: object) -> str:
    return f"<table:table-row>{''.join(map(cell, values))}</table:table-row>"


def cell(value: object) -> str:
    if isinstance(value, float):
        return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
    text = escape(str(value))
    return (
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
        if text
        else "<table:table-cell/>"
    )
