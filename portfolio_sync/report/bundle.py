"""A report in one file, with all that it was made from: for an accountant, or for a drawer. Equal input, equal bytes."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.errors import SurroundingsError
from portfolio_sync.report.table import Column, Table
from portfolio_sync.report.write import temporary

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can say
LINES = 5_000  # written at once
README = """\
Report of {taxpayer}, {title}, tax year {year}

report/         the report's files; manifest.json says what they were made from
raw/            the rows they were made from, as stored: ledger, trades, imported transactions
profile.toml    the tax rules as settings, with the sources of the law in "citations"

Every row of the report has an id. `portfolio-sync explain ID` shows how it came about, down to the raw rows.
`portfolio-sync report --from-manifest report/manifest.json --out DIR` makes the same files again, byte for byte,
from a database that holds the same rows. Amounts are exact; an empty cell is not known, never zero.
Input digest: {digest}
"""


def raw_columns(kind: type) -> tuple[Column, ...]:
    return tuple((field.name, attrgetter(field.name)) for field in fields(kind))


def raw_tables(
    ledger: Iterable[LedgerRow],
    trades: Iterable[TradeRow],
    columns: Iterable[str],
    transactions: Iterable[Mapping[str, Any]],
) -> list[Table]:
    """``columns``: those of the imported transactions."""
    return [
        Table("ledger.csv", raw_columns(LedgerRow), ledger),
        Table("trades.csv", raw_columns(TradeRow), trades),
        Table("transactions.csv", tuple((name, itemgetter(name)) for name in columns), transactions),
    ]


def write_bundle(path: Path, report: Path, files: Iterable[str], raw: Iterable[Table], texts: dict[str, str]) -> None:
    """One ZIP: ``files`` of the folder ``report``, the raw tables, and ``texts`` (name -> content).

    Readable by its owner alone, written whole or not at all. Raises SurroundingsError.
    """
    waiting: dict[str, Path] = {}
    try:
        new = temporary(path.parent, path.name, waiting)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
                for name, text in sorted(texts.items()):
                    add(bundle, name, [text])
                for name in sorted(files):
                    add(bundle, f"report/{name}", [(report / name).read_text(encoding="utf-8")])
                for table in raw:
                    add(bundle, f"raw/{table.name}", csv_blocks(table))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise SurroundingsError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        for left in waiting.values():
            with contextlib.suppress(OSError):  # already renamed, or the folder is gone
                left.unlink(missing_ok=True)


def add(bundle: zipfile.ZipFile, name: str, blocks: Iterable[str]) -> None:
    """Everything that a ZIP says of a file besides its content is fixed."""
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
    with bundle.open(info, "w", force_zip64=True) as file:
        for block in blocks:
            file.write(block.encode())


def csv_blocks(table: Table) -> Iterator[str]:
    yield csv_text([list(table.header)])
    rest = table.lines()
    while some := list(islice(rest, LINES)):
        yield csv_text(some)


def csv_text(lines: Iterable[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
