"""What is taken for a table, and what is refused, naming the file and the line."""

from __future__ import annotations

import io
import zipfile

import pytest

from portfolio_sync.errors import InputFileError
from portfolio_sync.files.sheet import open_sheets

TABLE = b'"a","b"\n"1",2.50\n"3",4.00\n'


def read(data: bytes, name: str = "x.csv") -> list[tuple[str, tuple[str, ...], list[tuple[int, list[str]]]]]:
    return [(sheet.name, sheet.header, list(sheet.rows)) for sheet in open_sheets(io.BytesIO(data), name)]


def packed(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in members.items():
            bundle.writestr(name.replace("__", "."), data)
    return file.getvalue()


WANTED = [(2, ["1", "2.50"]), (3, ["3", "4.00"])]


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        b"\xef\xbb\xbf" + TABLE,
        TABLE.replace(b"\n", b"\r\n"),
        TABLE.replace(b",", b"\t"),
        TABLE.replace(b",", b";"),
        TABLE.replace(b'"a"', b'" A "'),
        TABLE.replace(b"2.50\n", b"2.50,,\n"),
    ],
    ids=["plain", "BOM", "CRLF", "tabs", "semicolons", "name in capitals", "empty cells more than names"],
)
def test_the_same_table_in_each_dress(data: bytes) -> None:
    assert read(data) == [("x.csv", ("a", "b"), WANTED)]


def test_empty_lines_are_no_rows_and_still_count() -> None:
    assert read(b"a,b\n\n1,2.5\n\n") == [("x.csv", ("a", "b"), [(3, ["1", "2.5"])])]


def test_a_zip_gives_each_table_in_it() -> None:
    data = packed(ledgers__csv=TABLE, trades__TSV=TABLE.replace(b",", b"\t"), readme__txt=b"hello")
    assert read(data, "x.zip") == [
        ("x.zip/ledgers.csv", ("a", "b"), WANTED),
        ("x.zip/trades.TSV", ("a", "b"), WANTED),
    ]


def test_what_macos_adds_to_a_zip_is_passed_over() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("ledgers.csv", TABLE)
        bundle.writestr("__MACOSX/._ledgers.csv", b"\0\5\26")
    assert [name for name, _, _ in read(file.getvalue(), "x.zip")] == ["x.zip/ledgers.csv"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "x.csv: the file is empty"),
        (b"\n1,2\n", "x.csv: the file is empty, or its first line is"),
        (b"%PDF-1.7", "x.csv: this looks like a PDF"),
        (b"<!doctype html>", "x.csv: this looks like a web page"),
        (b'{"error":[]}', "x.csv: this looks like JSON"),
        (b"\x1f\x8b\x08\0", "x.csv: this looks like a gzip file"),
        (b"a,b,a\n1,2,3\n", "x.csv, line 1: two columns are named 'a'"),
        (b"a,b\n1,2.5\n3\n", "x.csv, line 3: 1 cells where the header has 2"),
        (b"a,b\n1,2,3\n", "x.csv, line 2: 3 cells where the header has 2"),
        (b'a,b\n"1,2.5\n', "x.csv, line 2: not readable as a table"),
        (b'a,b\n"1"x,2.5\n', "x.csv, line 2: not readable as a table"),
        (b"a,b\n1,\x002\n", "x.csv, line 2: not text"),
        (b"a,b\n1,\xff\n", "x.csv, after line 0: not UTF-8 text"),
        (b"a\0,b\n1,2\n", "x.csv, line 1: not text"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputFileError) as refused:
        read(data)
    assert str(refused.value).startswith(words)


@pytest.mark.parametrize("data", [b"a,b\n1,2.50\n3,4.00", b'a,b\n"1","2"\n"3","4"'], ids=["all the decimals", "quoted"])
def test_a_last_line_without_its_end_is_taken_where_it_is_whole(data: bytes) -> None:
    assert len(read(data)[0][2]) == 2


@pytest.mark.parametrize("row", [b"3.00,4.0", b"3.00,4", b"3.00,", b"3,4", b"3.00,abc"])
def test_a_last_line_that_may_be_cut_off_is_refused(row: bytes) -> None:
    with pytest.raises(InputFileError, match=r"x\.csv, line 3: the last line has no end"):
        read(b"a,b\n1.00,2.50\n" + row)


def test_a_damaged_zip_is_refused() -> None:
    whole = packed(ledgers__csv=TABLE * 50)
    broken = bytearray(whole)
    broken[45] ^= 0xFF
    for data in (whole[:-30], bytes(broken)):
        with pytest.raises(InputFileError, match=r"x\.zip: the ZIP is damaged"):
            read(data, "x.zip")


def test_a_zip_without_a_table_names_what_it_holds() -> None:
    with pytest.raises(InputFileError, match=r"without a \.csv or \.tsv file; it holds workbook\.xml"):
        read(packed(workbook__xml=b"<x/>"))


def test_the_callers_file_stays_open() -> None:
    file = io.BytesIO(TABLE)
    list(open_sheets(file, "x"))
    assert not file.closed
