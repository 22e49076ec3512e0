"""Open what a person downloaded: a CSV or TSV, or a ZIP of them. Rows stream, so a file of any size fits in memory.

A file that ends within a line is refused: a number that lost its last digits looks like a number.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from portfolio_sync.errors import InputFileError

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
MEMBERS = (".csv", ".tsv")
# What people take for the file: its first bytes, what it is, what to do.
STRANGERS = (
    (b"%PDF", "a PDF; download the CSV instead"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook; import the CSV that Kraken gave"),
    (b"<", "a web page; download the file again while logged in"),
    (b"{", "JSON; an export is CSV, TSV or a ZIP of them"),
    (b"SQLite", "a database"),
)
SEPARATORS = "\t;,"
NUMBER = re.compile(r"-?\d+\.(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file. ``header``: trimmed names in lower case; ``rows``: (line in the file, cells), each as wide as the header.

    Read ``rows`` before the next sheet is asked for. They raise InputFileError that names the line.
    """

    name: str
    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def open_sheets(file: IO[bytes], name: str) -> Iterator[Sheet]:
    """The sheets of a file that can seek: each .csv and .tsv of a ZIP, else the file itself. ``name`` is for messages.

    Raises InputFileError where the file is neither, damaged, or empty. ``file`` stays open.
    """
    start = file.read(8)
    file.seek(0)
    if not start.startswith(ZIP_STARTS):
        for magic, what in STRANGERS:
            if start.lstrip(b"\xef\xbb\xbf \r\n").startswith(magic):
                raise InputFileError(f"{name}: this looks like {what}")
        yield from _sheet(file, name)
        return
    try:
        with zipfile.ZipFile(file) as bundle:
            for member in _members(bundle, name):
                with bundle.open(member) as inner:
                    yield from _sheet(inner, f"{name}/{member.filename}")
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise InputFileError(f"{name}: the ZIP is damaged or cut off; download it again") from None
    except (RuntimeError, NotImplementedError) as error:  # zipfile's words for a password and for a rare compression
        raise InputFileError(
            f"{name}: the ZIP cannot be opened ({error}); unpack it and import what it holds"
        ) from None


def _members(bundle: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    every = [each for each in bundle.infolist() if not each.is_dir() and not _is_hidden(each.filename)]
    tables = [each for each in every if each.filename.lower().endswith(MEMBERS)]
    if not tables:
        held = ", ".join(each.filename for each in every[:5]) or "nothing"
        raise InputFileError(f"{name}: a ZIP without a .csv or .tsv file; it holds {held}")
    return tables


def _is_hidden(path: str) -> bool:
    """What macOS adds to a ZIP: ``__MACOSX/._ledgers.csv``."""
    return path.startswith("__MACOSX/") or path.rpartition("/")[2].startswith(".")


def _sheet(file: IO[bytes], name: str) -> Iterator[Sheet]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        lines = _Lines(text, name)
        first = next(iter(lines), "")
        if not first.strip():
            raise InputFileError(f"{name}: the file is empty, or its first line is")
        separator = next((mark for mark in SEPARATORS if mark in first), ",")
        header = tuple(cell.strip().lower() for cell in next(csv.reader([first], delimiter=separator), []))
        twice = {column for column in header if column and header.count(column) > 1}
        if twice:
            raise InputFileError(f"{name}, line 1: two columns are named {min(twice)!r}")
        yield Sheet(name, header, _rows(lines, separator, len(header)))
    finally:
        if not text.closed:  # by the caller, who stopped at an error
            text.detach()  # or it would close the caller's file


class _Lines:
    """Lines with their ends, counted; ``last`` is the one given last."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self.text, self.name, self.last, self.number = text, name, "", 0

    def __iter__(self) -> Iterator[str]:
        try:
            for line in self.text:
                if "\0" in line:
                    raise InputFileError(f"{self.name}, line {self.number + 1}: not text: it holds a zero byte")
                self.number += 1
                self.last = line
                yield line
        except UnicodeDecodeError:
            raise InputFileError(
                f"{self.name}, after line {self.number}: not UTF-8 text; save the file as UTF-8"
            ) from None


def _rows(lines: _Lines, separator: str, width: int) -> Iterator[tuple[int, list[str]]]:
    cells: list[str] = []
    try:
        for cells in csv.reader(lines, delimiter=separator, strict=True):
            if len(cells) != width:
                if not cells:  # an empty line
                    continue
                _fit(cells, width, f"{lines.name}, line {lines.number}")
            if lines.last[-1] not in '\r\n"' and not _is_whole(cells):
                break
            yield lines.number, cells
        else:
            return
    except csv.Error as error:
        raise InputFileError(
            f"{lines.name}, line {lines.number}: not readable as a table ({error}); is the file cut off here?"
        ) from None
    raise InputFileError(
        f"{lines.name}, line {lines.number}: the last line has no end, so it may be cut off; download the file again, "
        "or end the line if it is whole"
    )


def _fit(cells: list[str], width: int, where: str) -> None:
    """Some files have an empty cell more than names."""
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) != width:
        raise InputFileError(f"{where}: {len(cells)} cells where the header has {width}; is the file cut off here?")


def _is_whole(cells: list[str]) -> bool:
    """A last line without its end: its last number has all the decimals that Kraken prints, those of the row's others."""
    decimals = [len(found[1]) if (found := NUMBER.fullmatch(cell)) else 0 for cell in cells]
    return decimals[-1] > 0 and decimals[-1] == max(decimals)
