"""Kraken's files of all years as rows, read from hand-written files of each generation (tests/data/kraken-exports)."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio_sync.core.instant import iso
from portfolio_sync.errors import InputFileError
from portfolio_sync.files import kraken
from portfolio_sync.files.kraken import Skipped
from portfolio_sync.files.sheet import open_sheets
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.sync import streams

FILES = Path(__file__).parents[2] / "data" / "kraken-exports"
LEDGERS = [FILES / f"ledgers-{generation}.csv" for generation in range(1, 7)]
ID = "LAAAAA-AAAAA-AAAAA"
GOLDEN = [
    (f"{ID}1", "QCCFZQN-VFDRB2-G7ZUJN", "2021-03-01T09:14:07Z", "deposit", "EUR", "1000.0000", "0.0000", "1000.0000"),
    (f"{ID}2", "TBBBBB-BBBBB-BBBBB1", "2021-03-01T10:00:00Z", "trade", "EUR", "-500.0000", "1.3000", "498.7000"),
    (
        f"{ID}3", "TBBBBB-BBBBB-BBBBB1", "2021-03-01T10:00:00Z", "trade", "BTC", "0.0125000000", "0E-10", "0.0125000000",
    ),
    (
        f"{ID}4", "ACCCCC-CCCCC-CCCCC1", "2021-03-02T11:30:59Z", "withdrawal", "BTC", "-0.0100000000", "0.0005000000",
        "0.0020000000",
    ),
    (
        f"{ID}5", "ACCCCC-CCCCC-CCCCC1", "2021-03-02T11:31:27Z", "withdrawal", "BTC", "0.0100000000", "-0.0005000000",
        "0.0125000000",
    ),
    (
        f"{ID}6", "STDDDDD-DDDDD-DDDDD", "2021-03-03T00:00:00Z", "staking", "DOT", "0.1000000000", "0E-10", "0.1000000000",
    ),
]  # fmt: skip


def read(data: bytes | Path, notes: list[str] | None = None, source: str = "file") -> list[Any]:
    content = data.read_bytes() if isinstance(data, Path) else data
    said = notes if notes is not None else []
    return [
        row
        for sheet in open_sheets(io.BytesIO(content), "x.csv")
        for row in kraken.rows(sheet, Assets(), source, said.append)
    ]


def rows(data: bytes | Path, notes: list[str] | None = None) -> list[dict[str, Any]]:
    return [row for row in read(data, notes) if not isinstance(row, Skipped)]


def shown(row: dict[str, Any]) -> tuple[str, ...]:
    names = ("id", "refid", "time", "type", "symbol", "amount", "fee", "balance")
    return tuple(iso(row[name]) if name == "time" else str(row[name]) for name in names)


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: path.stem)
def test_every_generation_of_ledgers_files_says_the_same(path: Path) -> None:
    notes: list[str] = []
    assert [shown(row) for row in rows(path, notes)] == GOLDEN
    assert notes == []


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: path.stem)
def test_a_request_without_id_is_skipped_with_its_line(path: Path) -> None:
    assert [row for row in read(path) if isinstance(row, Skipped)] == [Skipped(2, "", kraken.PENDING)]


def test_what_the_generations_add() -> None:
    oldest, third, newest = (rows(LEDGERS[place]) for place in (0, 2, 5))
    assert [(row["asset"], row["wallet"], row["subtype"]) for row in oldest[1:3]] == [
        ("ZEUR", "spot", ""),
        ("XXBT", "spot", ""),
    ]
    assert oldest[-1]["wallet"] == "earn"
    assert third[0]["wallet"] == "spot / main"
    assert third[-1]["wallet"] == "earn / flexible"
    assert newest[1]["asset"] == "EUR"
    assert newest[1]["subtype"] == "tradespot"
    assert third[0]["extra"] == {}
    assert newest[0]["extra"] == {
        "subclass": "fiat",
        "amountusd": "1.2100",
        "feeusd": "0.0000",
        "balanceusd": "1.2100",
        "feecurrency": "EUR",
    }


def test_rows_have_the_columns_that_a_sync_writes() -> None:
    ledger = streams.ledger("L1", {"time": 1, "amount": "1", "balance": "1"}, Assets()).columns
    trade = streams.trade("T1", {"time": 1, "price": "1", "cost": "1", "vol": "1"}, Assets()).columns
    (filed,) = rows(FILES / "trades-1.csv")
    assert list(rows(LEDGERS[5])[0]) == list(ledger)
    assert list(filed) == list(trade)
    assert {row["source"] for row in read(LEDGERS[5], source="export") if isinstance(row, dict)} == {"export"}


@pytest.mark.parametrize("name", ["trades-1.csv", "trades-2.tsv"])
def test_a_trade_keeps_its_fraction_of_a_second_its_pair_and_its_legs(name: str) -> None:
    (row,) = rows(FILES / name)
    assert (row["base"], row["quote"], row["side"]) == ("BTC", "EUR", "buy")
    assert iso(row["time"]) == "2021-03-01T10:00:00.123400Z"
    assert row["ledgers"] == [f"{ID}2", f"{ID}3"]
    assert (row["price"], row["cost"], row["fee"]) == (Decimal("40000.00000"), Decimal("500.00000"), Decimal("1.30000"))
    assert (row["volume"], row["margin"], row["maker"], row["extra"]) == (Decimal("0.01250000"), 0, None, {})
    assert row["position_id"] == ("TEEEEE-EEEEE-EEEEE1" if name == "trades-2.tsv" else "")


def test_columns_nobody_knows_yet_are_kept_and_may_stand_anywhere() -> None:
    header, *lines = LEDGERS[0].read_text().splitlines()
    more = "\n".join([f'"mood",{header},""', *(f'"blue",{line},"?"' for line in lines)]) + "\n"
    assert [shown(row) for row in rows(more.encode())] == GOLDEN
    assert rows(more.encode())[0]["extra"] == {"mood": "blue", "column 11": "?"}


def test_a_row_without_balance_is_not_booked() -> None:
    data = LEDGERS[0].read_bytes().replace(b"0.0000,1000.0000", b'0.0000,""')
    assert Skipped(3, f"{ID}1", kraken.UNBALANCED) in read(data)


# --- fees with the wrong sign ---


def negated(data: bytes) -> bytes:
    """The file with all its fees negated."""
    header, *lines = data.decode("utf-8-sig").splitlines()
    place = header.replace('"', "").split(",").index("fee")

    def turned(line: str) -> str:
        cells = line.split(",")
        fee = cells[place].strip('"')
        if Decimal(fee):
            cells[place] = fee.removeprefix("-") if fee.startswith("-") else f"-{fee}"
        return ",".join(cells)

    return ("\n".join([header, *map(turned, lines)]) + "\n").encode()


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: path.stem)
def test_a_file_whose_fees_are_all_negated_is_put_right_and_said_so(path: Path) -> None:
    notes: list[str] = []
    assert [shown(row) for row in rows(negated(path.read_bytes()), notes)] == GOLDEN
    assert notes == [
        "x.csv: all fees have the wrong sign, as 3 of 3 balances show; they were turned",
    ]


def test_the_order_of_the_rows_does_not_hide_the_sign() -> None:
    header, *lines = negated(LEDGERS[2].read_bytes()).decode().splitlines()
    newest_first = "\n".join([header, *lines[::-1]]) + "\n"
    assert sorted(shown(row) for row in rows(newest_first.encode())) == GOLDEN


def test_a_rounded_balance_still_tells_the_sign() -> None:
    data = b"""txid,refid,time,type,asset,amount,fee,balance
L1,Q1,2021-01-01 00:00:00,deposit,ZEUR,1000.0000,0,1000.0000
L2,T1,2021-01-02 00:00:00,trade,ZEUR,-100.0000,-0.28716,899.7128
"""
    assert [str(row["fee"]) for row in rows(data)] == ["0", "0.28716"]


def test_negative_fees_that_no_balance_explains_are_left_and_said_so() -> None:
    data = b"""txid,refid,time,type,asset,amount,fee,balance
L2,T1,2021-01-02 00:00:00,trade,ZEUR,-100.0000,-0.2000,899.8000
"""
    notes: list[str] = []
    assert [str(row["fee"]) for row in rows(data, notes)] == ["-0.2000"]
    assert notes == [
        "x.csv: fees are negative, and no balance in the file shows whether that is right; they were left so"
    ]


# --- mistakes ---


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ((b"-500.0000", b"-5OO.0000"), "x.csv, line 4: amount is '-5OO.0000', not a number such as -1234.5678"),
        ((b"498.7000", b'"1,498.70"'), "x.csv, line 4: balance is '1,498.70', not a number"),
        ((b"498.7000", b"NaN"), "x.csv, line 4: balance is 'NaN', not a number"),
        ((b"498.7000", b"1e999999999"), "x.csv, line 4: balance is '1e999999999', not a number"),
        ((b"498.7000", b"4_9"), "x.csv, line 4: balance is '4_9', not a number"),
        ((b"498.7000", b"4.9.8"), "x.csv, line 4: balance is '4.9.8', not a number"),
        ((b"2021-03-01 10:00:00", b"01/03/2021 10:00"), "x.csv, line 4: time is '01/03/2021 10:00', not a time"),
        ((b"2021-03-01 10:00:00", b"2021-02-31 10:00:00"), "x.csv, line 4: time is '2021-02-31 10:00:00', not a time"),
        ((b'"ZEUR"', b'""'), "x.csv, line 3: asset is '', not the name of an asset"),
    ],
)
def test_a_wrong_cell_is_named(wrong: tuple[bytes, bytes], words: str) -> None:
    with pytest.raises(InputFileError) as refused:
        read(LEDGERS[0].read_bytes().replace(*wrong))
    assert str(refused.value).startswith(words)


def test_another_file_is_told_what_is_wanted() -> None:
    with pytest.raises(InputFileError, match=r"neither a ledgers nor a trades export .*'date, amount'.*txid,refid"):
        read(b"Date,Amount\n2021-01-01,5\n")


def whole_rows(data: bytes) -> list[tuple[str, ...]] | None:
    """The rows of a file; None where it is refused."""
    try:
        return [shown(row) for row in rows(data)]
    except InputFileError:
        return None


@given(st.data())
def test_a_file_cut_anywhere_is_refused_or_holds_only_whole_rows(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(LEDGERS)).read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    found = whole_rows(cut)
    if found is not None:
        assert found == GOLDEN[: len(found)]
        lines = len(cut.splitlines())
        assert len(found) == max(lines - 2, 0)  # the header and the request: no line of the rest is lost in silence
