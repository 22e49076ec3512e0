"""Ledgers and TradesHistory over HTTP: what a page holds, where a window begins and ends, what a filter brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from tests.wire.signed import Signed

SECOND = 1_700_000_000


def ledger(row_id: str, at: str, **fields: str) -> Entry:
    plain = {
        "refid": f"R{row_id}", "type": "deposit", "subtype": "", "aclass": "currency", "asset": "ZEUR", "amount": "1.0000",
        "fee": "0.0000", "balance": "1.0000", "wallet": "spot / main",
    }  # fmt: skip
    return Entry(row_id, Decimal(at), plain | fields)


def trade(row_id: str, at: str, **fields: Any) -> Entry:
    plain = {
        "ordertxid": "O1", "postxid": "P1", "pair": "XXBTZEUR", "type": "buy", "ordertype": "limit", "price": "10.0", "cost": "10.00000",
        "fee": "0.10000", "vol": "1.00000000", "margin": "0.00000", "leverage": "0", "misc": "", "ledgers": ["L1", "L2"],
    }  # fmt: skip
    return Entry(row_id, Decimal(at), plain | fields)


def few() -> Account:
    """Six rows around one second, two of them at one instant; one in a tokenised share."""
    return Account(
        ledgers=[
            ledger("LA", f"{SECOND - 1}.9999"),
            ledger("LB", f"{SECOND}", type="trade", asset="XXBT"),
            ledger("LC", f"{SECOND}.5000000", type="spend"),
            ledger("LD", f"{SECOND}.5", type="receive", asset="XXBT"),
            ledger("LE", f"{SECOND + 1}.000001", aclass="tokenized_asset", asset="AAPLx"),
            ledger("LF", f"{SECOND + 2}", type="nftrebate"),
        ],
        balances={"ZEUR": "1.0000", "XXBT": "1.0000", "AAPLx": "1.0000"},
    )


@pytest.fixture
def opened() -> Iterator[Callable[..., Signed]]:
    running: list[Sandbox] = []

    def open_exchange(account: Account, **ways: Any) -> Signed:
        exchange = Sandbox(account, **{"limited": False} | ways)
        running.append(exchange)
        exchange.__enter__()
        return Signed(exchange)

    yield open_exchange
    for exchange in running:
        exchange.__exit__(None, None, None)


Open = Callable[..., Signed]


def ids(client: Signed, **params: object) -> list[str]:
    return list(client.result("Ledgers", **params)["ledger"])


def test_rows_come_newest_first_with_ties_by_id(opened: Open) -> None:
    assert ids(opened(few(), aclass_hides=False)) == ["LF", "LE", "LD", "LC", "LB", "LA"]


def test_a_row_has_its_digits_and_no_wallet(opened: Open) -> None:
    old = ledger("LOLD", "1406104521.2614448")
    client = opened(Account(ledgers=[old]))
    row = client.result("Ledgers")["ledger"]["LOLD"]
    assert row["time"] == Decimal("1406104521.2614448")
    assert list(row) == ["refid", "time", "type", "subtype", "aclass", "asset", "amount", "fee", "balance"]


def test_a_page_has_fifty_rows_and_offsets_meet_without_gap_or_overlap(opened: Open) -> None:
    account = generate(3, 330)
    client = opened(account, aclass_hides=False)
    pages = [ids(client, ofs=ofs) for ofs in range(0, 400, 50)]
    assert [len(page) for page in pages] == [50] * 6 + [30, 0]
    assert [row_id for page in pages for row_id in page] == [row.id for row in reversed(account.ledgers)]


def test_an_offset_beyond_the_end_is_an_empty_page_with_its_count(opened: Open) -> None:
    assert opened(few(), aclass_hides=False).result("Ledgers", ofs=10_000) == {"ledger": {}, "count": 6}


@pytest.mark.parametrize(
    ("params", "rows"),
    [
        ({"start": SECOND}, "F D C"),  # exclusive: LB, at the second itself, is out
        ({"start": SECOND - 1}, "F D C B A"),
        ({"end": SECOND}, "B A"),  # inclusive; what follows within the second is out
        ({"end": SECOND + 2}, "F D C B A"),
        ({"start": SECOND, "end": SECOND + 1}, "D C"),
        ({"start": SECOND + 2}, ""),
        ({"start": f"{SECOND}.5"}, "F D C"),  # cut to whole seconds
        ({"end": f"{SECOND}.9"}, "B A"),
        ({"start": "LC"}, "F"),  # an id is its row's exact time: the sibling of that instant goes too
        ({"end": "LC"}, "D C B A"),
        ({"end": "LE"}, "D C B A"),  # the id of a row that the class hides is a time all the same
        ({"start": 0}, "F D C B A"),
    ],
)
def test_start_is_exclusive_and_end_inclusive(opened: Open, params: dict[str, object], rows: str) -> None:
    result = opened(few()).result("Ledgers", **params)
    assert list(result["ledger"]) == [f"L{letter}" for letter in rows.split()]
    assert result["count"] == len(rows.split())


def test_a_server_may_take_fractions_in_bounds(opened: Open) -> None:
    client = opened(few(), fractions=True)
    assert ids(client, start=f"{SECOND}.5") == ["LF"]
    assert ids(client, end=f"{SECOND}.5") == ["LD", "LC", "LB", "LA"]


@pytest.mark.parametrize(
    ("params", "rows"),
    [
        ({}, "F D C B A"),  # currency alone, unless asked
        ({"aclass": "tokenized_asset"}, "E"),
        ({"type": "all"}, "F D C B A"),
        ({"type": "trade"}, "B"),
        ({"type": "sale"}, "D C"),
        ({"type": "nft_rebate"}, "F"),
        ({"type": "staking"}, ""),
        ({"asset": "XXBT"}, "D B"),
        ({"asset": "XBT"}, "D B"),
        ({"asset": "XBT,ZEUR"}, "F D C B A"),
        ({"asset": "all"}, "F D C B A"),
        ({"asset": "XBT", "type": "trade", "start": SECOND - 5}, "B"),
    ],
)
def test_a_filter_brings_its_rows_and_counts_them(opened: Open, params: dict[str, object], rows: str) -> None:
    result = opened(few()).result("Ledgers", **params)
    assert list(result["ledger"]) == [f"L{letter}" for letter in rows.split()]
    assert result["count"] == len(rows.split())


@pytest.mark.parametrize("kind", ["earn", "spend", "receive", "reward", "conversion", "Trade", "nftrebate"])
def test_a_type_that_is_no_filter_is_refused(opened: Open, kind: str) -> None:
    assert opened(few()).refusal("Ledgers", type=kind) == "EGeneral:Invalid arguments"


@pytest.mark.parametrize(
    "params",
    [
        {"start": "yesterday"}, {"end": "LNONE"}, {"start": "NaN"}, {"end": "1e9"}, {"ofs": "-1"}, {"ofs": "x"}, {"ofs": "²"},
        {"ofs": "1.5"}, {"aclass": "shares"},
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense_are_refused(opened: Open, params: dict[str, object]) -> None:
    assert opened(few()).refusal("Ledgers", **params).startswith("EGeneral:Invalid arguments")


def test_an_asset_that_nobody_knows_is_refused(opened: Open) -> None:
    assert opened(few()).refusal("Ledgers", asset="NOPE") == "EQuery:Unknown asset"


def test_an_asset_that_is_held_and_no_longer_listed_is_a_filter(opened: Open) -> None:
    gone = ledger("LG", "1400000000", asset="XICN")
    assert ids(opened(Account(ledgers=[gone], balances={"XICN": "1.0000"})), asset="XICN") == ["LG"]


def test_the_count_is_left_out_where_that_is_asked_for(opened: Open) -> None:
    client = opened(few())
    assert "count" not in client.result("Ledgers", without_count="true")
    assert "count" in client.result("Ledgers", without_count="True")  # Python's word is not the form's


def test_rows_booked_between_two_pages_push_the_older_ones_down(opened: Open) -> None:
    client = opened(few(), page_size=2)
    first = ids(client)
    client.exchange.book(ledger("LG", f"{SECOND + 9}"))
    second = ids(client, ofs=2)
    assert (first, second) == (["LF", "LD"], ["LD", "LC"])


def test_late_and_changed_rows_show_in_every_selection_that_was_made_before(opened: Open) -> None:
    client = opened(few())
    for params in ({}, {"asset": "XBT"}, {"type": "trade"}):
        client.result("Ledgers", **params)
    client.result("QueryLedgers", id="LA")
    client.exchange.book(ledger("LAA", f"{SECOND}.1", asset="XXBT", type="trade"))
    client.exchange.exchange.replace(ledger("LB", f"{SECOND}", asset="XXBT", type="deposit", amount="7.0000"))
    assert ids(client) == ["LF", "LD", "LC", "LAA", "LB", "LA"]
    assert ids(client, asset="XBT") == ["LD", "LAA", "LB"]
    assert ids(client, type="trade") == ["LAA"]
    assert client.result("QueryLedgers", id="LB,LAA")["LB"]["amount"] == "7.0000"
    client.exchange.account.book(ledger("LH", f"{SECOND + 30}"))  # behind the exchange's back
    assert ids(client)[0] == "LH"


def test_the_window_of_the_key_cuts_without_a_word(opened: Open) -> None:
    client = opened(few(), key_facts={"query_from": SECOND, "query_to": SECOND + 1})
    assert client.result("Ledgers")["count"] == 3
    assert ids(client) == ["LD", "LC", "LB"]
    assert ids(client, start=0, end=SECOND + 100) == ["LD", "LC", "LB"]
    assert list(client.result("QueryLedgers", id="LA,LB,LF")) == ["LB"]


def test_a_server_may_refuse_what_lies_outside_the_window_of_the_key(opened: Open) -> None:
    """Met by a client whose key had a date range: https://github.com/rotki/rotki/issues/1438."""
    client = opened(few(), window_refuses=True, key_facts={"query_from": SECOND, "query_to": SECOND + 1})
    assert ids(client) == ["LD", "LC", "LB"]
    assert ids(client, start=SECOND, end=SECOND + 1) == ["LD", "LC"]
    assert client.refusal("Ledgers", start=0) == "EGeneral:Invalid arguments"
    assert client.refusal("Ledgers", end=SECOND + 2) == "EGeneral:Invalid arguments"


def test_query_takes_one_to_twenty_ids_and_gives_no_wrapper(opened: Open) -> None:
    account = generate(3, 60)
    client, wanted = opened(account), [row.id for row in account.ledgers[:20]]
    assert list(client.result("QueryLedgers", id=",".join(wanted))) == wanted
    one_more = ",".join([*wanted, account.ledgers[21].id])
    for bad in (one_more, "", "LNONE", f"{wanted[0]},LNONE"):
        assert client.refusal("QueryLedgers", id=bad) == "EGeneral:Invalid arguments"


TRADES = Account(
    trades=[
        trade("TA", f"{SECOND}"),
        trade("TB", f"{SECOND + 1}.1234", margin="2.00000", posstatus="closed", trades=["TC"]),
        trade("TC", f"{SECOND + 2}", misc="closing"),
        trade("TD", f"{SECOND + 3}", margin="2.00000", posstatus="open"),
    ]
)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("all", "D C B A"), ("any position", "D C B"), ("closed position", "B"), ("closing position", "C"), ("no position", "A"),
    ],
)  # fmt: skip
def test_trades_are_filtered_by_position(opened: Open, kind: str, rows: str) -> None:
    result = opened(TRADES).result("TradesHistory", type=kind)
    assert list(result["trades"]) == [f"T{letter}" for letter in rows.split()]
    assert result["count"] == len(rows.split())


def test_what_a_trade_does_not_show_unless_asked(opened: Open) -> None:
    client = opened(TRADES)
    shown = client.result("TradesHistory")["trades"]["TB"]
    assert not {"ledgers", "trades"} & set(shown)
    assert list(shown)[:4] == ["ordertxid", "postxid", "pair", "time"]
    assert client.result("TradesHistory", ledgers="true")["trades"]["TB"]["ledgers"] == ["L1", "L2"]
    assert client.result("QueryTrades", txid="TB", trades="true")["TB"]["trades"] == ["TC"]
    assert client.refusal("TradesHistory", type="open position") == "EGeneral:Invalid arguments"


def test_a_server_may_heed_the_limit_of_trades_and_clamps_it(opened: Open) -> None:
    account = Account(trades=[trade(f"T{number:04}", str(SECOND + number)) for number in range(150)])
    for ways, lengths in (({}, [50, 50, 50]), ({"trades_limit": True}, [7, 100, 1])):
        client = opened(account, **ways)
        assert [len(client.result("TradesHistory", limit=n)["trades"]) for n in (7, 500, 0)] == lengths
