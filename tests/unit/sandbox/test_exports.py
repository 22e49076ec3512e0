"""Export reports as the exchange's page describes them: states, expiry, and a file of each generation."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal

import pytest

from portfolio_sync.sandbox.account import Account, Entry, Json
from portfolio_sync.sandbox.export_file import LEDGER_HEADERS
from portfolio_sync.sandbox.exports import Exports
from portfolio_sync.sandbox.refusal import ExchangeRefusal

NOW = Decimal("1688669085.5")
ALL = {"report": "ledgers", "description": "all", "starttm": "0"}


def row(number: int, at: str, **fields: str) -> Entry:
    start = {
        "refid": f"R{number}",
        "type": "deposit",
        "subtype": "",
        "aclass": "currency",
        "asset": "XXBT",
        "amount": "1.0000000000",
    }
    return Entry(
        f"L{number}",
        Decimal(at),
        start | {"fee": "0.0000000000", "balance": f"{number}.0000000000", "wallet": "spot / main"} | fields,
    )


@pytest.fixture
def account() -> Account:
    trade = {"pair": "XXBTZEUR", "type": "buy", "price": "1.0", "ledgers": ["L1", "L2"]}
    rows = [row(1, "1600000000.1234"), row(2, "1688000000.999999"), row(3, "1688300000.1", type="trade", asset="DOT.B")]
    return Account(ledgers=rows, trades=[Entry("T1", Decimal("1600000000.99996"), trade)])


def unpack(packed: bytes) -> tuple[str, list[Json]]:
    with zipfile.ZipFile(io.BytesIO(packed)) as bundle:
        (name,) = bundle.namelist()
        return name, list(
            csv.DictReader(io.StringIO(bundle.read(name).decode()), delimiter="\t" if name.endswith("tsv") else ",")
        )


def fetch(exports: Exports, account: Account, params: Json) -> tuple[str, list[Json]]:
    return unpack(exports.retrieve(account, exports.add(account, params, NOW), NOW))


def refusal(call: object, *arguments: object) -> str:
    assert callable(call)
    with pytest.raises(ExchangeRefusal) as caught:
        call(*arguments)
    return caught.value.error


@pytest.mark.parametrize("generation", LEDGER_HEADERS)
def test_a_ledger_file_has_the_header_of_its_generation_and_whole_seconds(account: Account, generation: int) -> None:
    name, rows = fetch(Exports(generation=generation), account, ALL)
    assert name == "ledgers.csv"
    assert ",".join(rows[0]) == LEDGER_HEADERS[generation]
    assert [r["time"] for r in rows] == ["2020-09-13 12:26:40", "2023-06-29 00:53:20", "2023-07-02 12:13:20"]
    assert [r["asset"] for r in rows] == (["XXBT", "XXBT", "DOT.B"] if generation < 5 else ["BTC", "BTC", "DOT.B"])
    assert [r["balance"] for r in rows] == ["1.0000000000", "2.0000000000", "3.0000000000"]


def test_new_files_can_keep_the_codes_of_the_api(account: Account) -> None:
    assert fetch(Exports(display_names=False), account, ALL)[1][0]["asset"] == "XXBT"


def test_numbers_are_quoted_in_files_of_2026_only(account: Account) -> None:
    for generation, amount in ((5, b",1.0000000000,"), (6, b',"1.0000000000",')):
        exports = Exports(generation=generation)
        packed = exports.retrieve(account, exports.add(account, ALL, NOW), NOW)
        assert amount in zipfile.ZipFile(io.BytesIO(packed)).read("ledgers.csv")


def test_files_of_2026_say_what_a_row_was_worth_in_dollars() -> None:
    dollars = row(1, "1635689600.5", asset="ZUSD", amount="-12.3456", fee="0.0049", balance="7.0000")
    _, (cells,) = fetch(Exports(), Account(ledgers=[dollars]), ALL)
    assert [cells[name] for name in ("amountusd", "feeusd", "balanceusd", "feecurrency")] == [
        "-12.3456",
        "0.0049",
        "7.0000",
        "USD",
    ]


def test_a_trades_file_keeps_fractions_and_may_be_tab_separated(account: Account) -> None:
    name, rows = fetch(Exports(), account, ALL | {"report": "trades", "format": "TSV"})
    assert (name, len(rows)) == ("trades.tsv", 1)
    assert (rows[0]["time"], rows[0]["pair"], rows[0]["ledgers"]) == ("2020-09-13 12:26:40.9999", "BTC/EUR", "L1,L2")


def test_without_a_start_a_report_begins_with_the_month(account: Account) -> None:
    _, rows = fetch(Exports(), account, {"report": "ledgers", "description": "x"})
    assert [r["txid"] for r in rows] == ["L3"]


def test_a_key_window_clips_the_file(account: Account) -> None:
    exports = Exports()
    job = exports.add(account, ALL, NOW, (Decimal(1600000001), Decimal(1688200000)))
    assert [r["txid"] for r in unpack(exports.retrieve(account, job, NOW))[1]] == ["L2"]


def test_pending_funding_stands_in_the_file_without_id_and_balance(account: Account) -> None:
    rows = fetch(Exports(pending_rows=True), account, ALL)[1]
    assert [(r["txid"], r["balance"]) for r in rows][:2] == [("", ""), ("L1", "1.0000000000")]
    assert len(rows) == 5


def test_a_chosen_set_of_columns_is_all_there_is(account: Account) -> None:
    assert list(fetch(Exports(), account, ALL | {"fields": "time,amount"})[1][0]) == ["txid", "time", "amount"]


def test_a_report_is_queued_then_processed_then_forgotten(account: Account) -> None:
    exports = Exports(queue=Decimal(8), work=Decimal(27))
    job = exports.add(account, ALL, NOW)
    states = []
    for later in (0, 8, 34, 35, 209_599):
        (described,) = exports.status(account, {"report": "ledgers"}, NOW + later)
        states.append((described["status"], described["completedtm"]))
    assert states == [("Queued", "0"), ("Processing", "0"), ("Processing", "0"), *[("Processed", "1688669120")] * 2]
    assert refusal(exports.retrieve, account, job, NOW + 34) == "EExport:Not ready"
    assert exports.status(account, {"report": "trades"}, NOW) == []
    assert exports.status(account, {"report": "ledgers"}, NOW + 209_600) == []
    assert refusal(exports.retrieve, account, job, NOW + 209_600) == "EExport:Unknown report"


def test_a_stuck_report_stays_queued(account: Account) -> None:
    exports = Exports(stuck=True)
    exports.add(account, ALL, NOW)
    assert exports.status(account, {"report": "ledgers"}, NOW + 9999)[0]["status"] == "Queued"


def test_a_finished_report_is_deleted_an_unfinished_one_cancelled(account: Account) -> None:
    exports = Exports(work=Decimal(10))
    job = exports.add(account, ALL, NOW)
    assert refusal(exports.remove, account, job, NOW) == "EGeneral:Invalid arguments:type"
    assert refusal(exports.remove, account, job | {"type": "delete"}, NOW) == "EExport:Invalid status"
    assert exports.remove(account, job | {"type": "cancel"}, NOW) == {"cancel": True}
    job = exports.add(account, ALL, NOW)
    assert exports.remove(account, job | {"type": "delete"}, NOW + 10) == {"delete": True}
    assert refusal(exports.remove, account, job | {"type": "delete"}, NOW) == "EExport:Unknown report"


@pytest.mark.parametrize(
    "change", [{"report": "orders"}, {"description": ""}, {"format": "XML"}, {"fields": "colour"}, {"starttm": "soon"}]
)
def test_bad_arguments_are_refused(account: Account, change: dict[str, str]) -> None:
    assert refusal(Exports().add, account, ALL | change, NOW).startswith("EGeneral:Invalid arguments")
