"""The transactions CSV: read to the last digit, and each mistake named with line, column and cure."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio_sync.core.event import Kind
from portfolio_sync.core.transaction import Transaction
from portfolio_sync.errors import InputFileError
from portfolio_sync.files.sheet import open_sheets
from portfolio_sync.files.transactions import COLUMNS, FORMS, Line, read

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def lines(content: str | bytes) -> list[Line]:
    raw = content.encode() if isinstance(content, str) else content
    return [line for sheet in open_sheets(io.BytesIO(raw), "own.csv") for line in read(sheet)]


def row(**cells: str) -> str:
    """A file of one buy, any cell said otherwise."""
    said = {
        "id": "t1",
        "time": "2024-05-01T12:00:00Z",
        "kind": "buy",
        "asset": "BTC",
        "amount": "1",
        "value": "100",
    } | cells
    return table(list(said), list(said.values()))


def table(*rows: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def one(**cells: str) -> Transaction:
    (found,) = lines(row(**cells))
    return found.transaction


def refusal(content: str) -> str:
    with pytest.raises(InputFileError) as error:
        lines(content)
    return str(error.value)


def test_every_column_is_read_in_any_order() -> None:
    said = {
        "note": '=a, "quoted" note', "seq": "7", "currency": "eur", "portfolio_value": "9000.50", "lots": "t1:0.5; t-2:x:0.25",
        "wallet": "Ledger", "fee_value": "1", "fee_asset": "BNB", "fee": "0.002", "value": "100.10", "amount": "0.75",
        "asset": "BTC", "kind": "SELL", "time": "2024-05-01T14:00:00.123456+02:00", "id": "s1",
    }  # fmt: skip
    (found,) = lines(table(list(said), list(said.values())))
    assert found == Line(
        Transaction(
            "s1", NOON + timedelta(microseconds=123456), Kind.SELL, "BTC", Decimal("0.75"), Decimal("100.10"), fee=Decimal("0.002"),
            fee_asset="BNB", fee_value=Decimal(1), wallet="Ledger", lots=(("t1", Decimal("0.5")), ("t-2:x", Decimal("0.25"))),
            portfolio_value=Decimal("9000.50"), currency="EUR", note='=a, "quoted" note',
        ),
        line=2,
        place=7,
    )  # fmt: skip


def test_a_spreadsheets_file_reads_like_a_plain_one() -> None:
    plain = row(note="two words").replace("\r\n", "\n")
    assert lines(b"\xef\xbb\xbf" + row(note="two words").encode()) == lines(plain)


def test_names_of_columns_and_kinds_may_be_in_capitals() -> None:
    assert lines(row(kind="Buy").replace("asset", " Asset ")) == lines(row())


def test_every_digit_is_kept() -> None:
    assert str(one(amount="123456789012.000000000000000001230").amount) == "123456789012.000000000000000001230"


def test_lines_of_one_time_keep_their_order_and_seq_overrules_it() -> None:
    head = ["id", "time", "kind", "asset", "amount", "value", "seq"]
    rows = [
        [name, "2024-05-01T12:00:00Z", "buy", "BTC", "1", "1", seq] for name, seq in (("a", ""), ("b", ""), ("c", "9"))
    ]
    later = ["d", "2024-05-02T12:00:00Z", "buy", "BTC", "1", "1", ""]
    assert [line.place for line in lines(table(head, *rows, later))] == [0, 1, 9, 0]


def test_an_unknown_column_is_refused_by_name() -> None:
    assert refusal(row(prize="3")).startswith("own.csv, line 1: unknown column 'prize'; known: id, time, kind")


def test_a_column_that_every_transaction_has_must_be_there() -> None:
    assert "line 1: no column 'kind'" in refusal("id,time,asset\n")


WRONG = [
    ({"id": ""}, "id", "is empty"),
    ({"id": "a;b"}, "id", "cannot be an id"),
    ({"time": "2024-05-01T12:00:00"}, "time", "no offset"),
    ({"time": "2024-05-01"}, "time", "no offset"),
    ({"time": "01/05/2024 12:00"}, "time", "is not a time: write ISO 8601"),
    ({"time": "2024-02-30T12:00:00Z"}, "time", "is not a time"),
    ({"time": "0001-01-01T00:00:00+14:00"}, "time", "is not a time"),
    ({"kind": "purchase"}, "kind", "one of buy, sell, trade"),
    ({"kind": "internal"}, "kind", "one of buy"),
    ({"asset": " "}, "asset", "is empty"),
    ({"asset": "XBT"}, "asset", "write BTC"),
    ({"asset": "XETH"}, "asset", "write ETH"),
    ({"asset": "ETH2.S"}, "asset", "write ETH"),
    ({"asset": "btc"}, "asset", "another coin than BTC"),
    ({"fee": "1", "fee_asset": "usd"}, "fee_asset", "write USD"),
    ({"fee": "1", "fee_asset": "ZUSD"}, "fee_asset", "write USD"),
    ({"currency": "$"}, "currency", "three letters"),
    ({"currency": "USDT"}, "currency", "paid in coins is a trade"),
    ({"amount": ""}, "amount", "a buy needs it"),
    ({"amount": "0.00"}, "amount", "is zero"),
    ({"amount": "-1"}, "amount", "no sign"),
    ({"amount": "1e-8"}, "amount", "no exponent"),
    ({"amount": "1,000"}, "amount", "no thousands separator"),
    ({"amount": "1 000"}, "amount", "plain decimal"),
    ({"amount": "NaN"}, "amount", "plain decimal"),
    ({"amount": "٣"}, "amount", "plain decimal"),
    ({"amount": "9" * 41}, "amount", "plain decimal"),
    ({"value": ""}, "value", "a buy needs it (or cost or counter_amount)"),
    ({"value": "$5"}, "value", "plain decimal"),
    ({"to_wallet": "Ledger"}, "to_wallet", "a buy has none"),
    ({"income_type": "staking"}, "income_type", "a buy has none"),
    ({"cost": "90"}, "cost", "either a cost"),
    ({"acquired": "2024-06-01T00:00:00Z"}, "acquired", "later than time"),
    ({"fee": "1"}, "fee_asset", "fill in both"),
    ({"fee_asset": "USD"}, "fee", "fill in both"),
    ({"fee_value": "1"}, "fee", "say what was paid"),
    ({"fee": "1", "fee_asset": "EUR", "fee_value": "2", "currency": "EUR"}, "fee_value", "but fee is 1"),
    ({"counter_asset": "EUR"}, "counter_amount", "fill in both"),
    ({"kind": "trade"}, "counter_asset", "a trade needs it"),
    ({"kind": "sell", "lots": "t1"}, "lots", "t1:0.5;t2:0.3"),
    ({"kind": "sell", "lots": "t1:x"}, "lots", "t1:0.5;t2:0.3"),
    ({"kind": "sell", "lots": "t1:0"}, "lots", "t1:0.5;t2:0.3"),
    ({"kind": "sell", "lots": "t1:0.5,t2:0.3"}, "lots", "t1:0.5;t2:0.3"),
    ({"kind": "sell", "id": "s", "lots": "s:1"}, "lots", "this transaction itself"),
    ({"kind": "trade", "counter_asset": "BTC", "counter_amount": "1"}, "counter_asset", "for itself"),
    ({"kind": "sell", "lots": "t1:0.9;t2:0.2"}, "lots", "more units"),
    ({"kind": "transfer", "wallet": "a", "to_wallet": "a"}, "to_wallet", "from one wallet to another"),
    ({"seq": "1.5"}, "seq", "whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "column", "says"), WRONG, ids=lambda value: str(value)[:40])
def test_a_mistake_is_named_with_its_place_and_its_cure(cells: dict[str, str], column: str, says: str) -> None:
    message = refusal(row(**cells))
    assert message.startswith(f"own.csv, line 2, column {column}: "), message
    assert says in message


def test_an_id_twice_names_both_lines() -> None:
    content = row() + row().partition("\r\n")[2]
    assert refusal(content) == "own.csv, line 3, column id: 't1' is that of line 2 too: give each transaction its own"


def test_all_mistakes_of_a_file_are_named_at_once_up_to_twenty() -> None:
    head, _, body = row(amount="x").partition("\r\n")
    message = refusal(head + "\r\n" + body * 25)
    assert message.count("column amount") == 20
    assert message.endswith("... and 5 more")


def test_a_cell_without_a_name_is_not_overlooked() -> None:
    assert "line 2, column 3: 'x' stands under no name" in refusal(
        "id,time,,kind,asset\nt1,2024-05-01T12:00:00Z,x,buy,BTC\n"
    )


def test_every_kind_of_the_contract_has_a_form() -> None:
    assert set(FORMS) == set(Kind) - {Kind.INTERNAL}
    named = {name for form in FORMS.values() for part in form for name in part.replace("|", " ").split()}
    assert named <= set(COLUMNS)


numbers = st.decimals(min_value=0, max_value=10**15, places=12).filter(bool)
ZONES = [UTC, *map(ZoneInfo, ("Europe/London", "America/St_Johns", "Pacific/Kiritimati", "Asia/Kolkata"))]
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from(ZONES))  # noqa: DTZ001 - bounds are naive by the strategy's rule
words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)


@given(numbers, numbers, moments, words)
def test_what_is_written_plainly_comes_back_exactly(amount: Decimal, value: Decimal, time: datetime, note: str) -> None:
    found = one(amount=f"{amount:f}", value=f"{value:f}", time=time.isoformat(), note=note)
    assert (found.amount, found.value, found.note) == (amount, value, note)
    assert found.time == time.astimezone(UTC)


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_never_a_crash(junk: bytes) -> None:
    with suppress(InputFileError):
        lines(b"id,time,kind,asset,amount,value\n" + junk)


@pytest.mark.parametrize("symbol", ["KFEE", "BRK.B", "FEE", "AAPLx", "XAUT", "ETHW", "foo"])
def test_a_name_of_its_own_is_no_name_of_krakens(symbol: str) -> None:
    assert one(asset=symbol).asset == symbol


def test_what_a_position_lost_has_a_sign_and_nothing_else_has() -> None:
    assert one(kind="margin", asset="USD", amount="50", value="-50.5").value == Decimal("-50.5")
    assert "'-50' is not a number" in refusal(row(kind="margin", fee="-50", fee_asset="USD"))
    assert "'-50' is not a number" in refusal(row(kind="sell", value="-50"))
