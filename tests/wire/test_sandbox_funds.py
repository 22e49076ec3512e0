"""Balances, orders, positions, Earn, deposit and withdrawal status: what else the account shows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from tests.wire.signed import Signed

NOW = Decimal(1_700_000_000)


def fill(row_id: str, order: str, at: int, volume: str, cost: str, **fields: Any) -> Entry:
    plain = {
        "ordertxid": order, "postxid": "P1", "pair": "XXBTZEUR", "type": "buy", "ordertype": "limit", "price": "30000.0", "cost": cost,
        "fee": "1.00000", "vol": volume, "margin": "0.00000", "leverage": "0", "misc": "", "ledgers": [],
    }  # fmt: skip
    return Entry(row_id, NOW + at, plain | fields)


def transfer(number: int, **fields: Any) -> dict[str, Any]:
    plain = {
        "method": "Bitcoin",
        "aclass": "currency",
        "asset": "XXBT",
        "refid": f"FT{number}",
        "txid": "00",
        "info": "bc1q",
    }
    return plain | {"amount": "1.0", "fee": "0.0", "time": int(NOW) - number, "status": "Success"} | fields


ACCOUNT = Account(
    trades=[
        fill("T1", "O1", 0, "0.10000000", "3000.00000"),
        fill("T2", "O2", 5, "1.00000000", "30000.00000", type="sell", ordertype="market"),
        fill("T3", "O1", 10, "0.30000000", "9100.00000"),
        fill(
            "T4",
            "O4",
            20,
            "0.50000000",
            "100.00000",
            margin="20.00000",
            leverage="5",
            posstatus="open",
            cvol="0.20000000",
        ),
    ],
    balances={"ZUSD": "100.0000", "XXBT": "2.0000000000", "XICN": "5.0"},
    holds={"XXBT": "0.5000000000", "ZEUR": "100.0000"},
    deposits=[transfer(n) for n in range(120)] + [transfer(500, asset="XETH", method="Ether (Hex)")],
)


@pytest.fixture
def client() -> Iterator[Signed]:
    with Sandbox(ACCOUNT, clock=lambda: NOW + 100, limited=False) as exchange:
        yield Signed(exchange)


def test_balances_come_with_what_orders_hold(client: Signed) -> None:
    assert client.result("Balance") == ACCOUNT.balances
    assert client.result("BalanceEx")["XXBT"] == {"balance": "2.0000000000", "hold_trade": "0.5000000000"}
    assert client.result("BalanceEx")["ZUSD"] == {"balance": "100.0000", "hold_trade": "0"}


def test_some_servers_send_numbers_for_balances() -> None:
    with Sandbox(ACCOUNT, balance_numbers=True) as exchange:
        assert Signed(exchange).result("BalanceEx")["XXBT"]["balance"] == Decimal("2.0000000000")


def test_an_empty_account_has_a_balance_without_a_result() -> None:
    with Sandbox() as exchange:
        assert Signed(exchange).ask("Balance") == {"error": []}


def test_an_order_is_the_sum_of_its_fills(client: Signed) -> None:
    result = client.result("ClosedOrders", trades="true")
    assert list(result["closed"]) == ["O4", "O1", "O2"]  # by the time they closed
    order = result["closed"]["O1"]
    assert (order["opentm"], order["closetm"], order["trades"]) == (NOW, NOW + 10, ["T1", "T3"])
    assert [order[n] for n in ("vol_exec", "cost", "fee", "price")] == [
        "0.40000000",
        "12100.00000",
        "2.00000",
        "30250.0",
    ]
    assert (order["descr"]["pair"], order["descr"]["leverage"]) == ("XBTEUR", "none")
    assert result["closed"]["O4"]["descr"]["leverage"] == "5:1"
    assert "trades" not in client.result("ClosedOrders")["closed"]["O1"]


@pytest.mark.parametrize(
    ("params", "orders"),
    [
        ({"closetime": "open"}, ["O4", "O2", "O1"]),
        ({"start": int(NOW), "closetime": "open"}, ["O4", "O2"]),
        ({"start": int(NOW) + 5}, ["O4", "O1"]),
        ({"end": int(NOW) + 10}, ["O1", "O2"]),
        ({"start": "O2"}, ["O4", "O1"]),
        ({"ofs": 2}, ["O2"]),
    ],
)
def test_closed_orders_are_paged_like_the_other_histories(
    client: Signed, params: dict[str, object], orders: list[str]
) -> None:
    assert list(client.result("ClosedOrders", **params)["closed"]) == orders


def test_orders_are_asked_for_by_id(client: Signed) -> None:
    assert list(client.result("QueryOrders", txid="O2,O1")) == ["O2", "O1"]
    assert client.refusal("QueryOrders", txid="O9").startswith("EGeneral:Invalid arguments")
    assert client.refusal("ClosedOrders", closetime="never").startswith("EGeneral:Invalid arguments")


def test_open_orders_hold_what_the_balance_says_is_held(client: Signed) -> None:
    orders = client.result("OpenOrders")["open"].values()
    held = {order["descr"]["type"]: Decimal(order["vol"]) for order in orders}
    assert held["sell"] == Decimal("0.5")
    (buy,) = (order for order in orders if order["descr"]["type"] == "buy")
    assert abs(Decimal(buy["vol"]) * Decimal(buy["descr"]["price"]) - 100) < Decimal("0.01")


def test_an_open_position_is_valued_only_where_that_is_asked_for(client: Signed) -> None:
    (position,) = client.result("OpenPositions").values()
    assert (position["vol"], position["vol_closed"], position["margin"]) == ("0.50000000", "0.20000000", "20.00000")
    assert not {"value", "net"} & set(position)
    (valued,) = client.result("OpenPositions", docalcs="true").values()
    assert valued["net"].startswith("+")  # an explicit sign
    assert abs(Decimal(valued["net"]) - (Decimal(valued["value"]) - 60)) < Decimal(
        "0.001"
    )  # three fifths of the cost are still open
    assert client.result("OpenPositions", txid="T9") == {}


def test_the_trade_balance_adds_up_in_any_currency(client: Signed) -> None:
    dollars, euros = (client.result("TradeBalance", **p) for p in ({}, {"asset": "EUR"}))
    figures = {name: Decimal(text) for name, text in dollars.items()}
    assert figures["e"] == figures["tb"] + figures["n"]
    assert figures["mf"] == figures["e"] - figures["m"]
    assert figures["m"] == 20
    assert figures["eb"] > Decimal(euros["eb"]) > 0  # a euro is worth more than a dollar
    assert client.refusal("TradeBalance", asset="NOPE") == "EQuery:Unknown asset"


def test_transfers_come_bare_or_in_pages_where_a_cursor_asks(client: Signed) -> None:
    assert len(client.result("DepositStatus")) == 25
    assert len(client.result("DepositStatus", limit=500)) == 50
    seen, cursor = [], "true"
    while cursor:
        page = client.result("DepositStatus", cursor=cursor, limit=50)
        seen += [row["refid"] for row in page["deposit"]]
        cursor = page["next_cursor"]
    assert seen == [row["refid"] for row in ACCOUNT.deposits]
    assert client.result("WithdrawStatus", cursor="true") == {"withdrawal": [], "next_cursor": None}


def test_an_older_server_ignores_the_cursor() -> None:
    with Sandbox(ACCOUNT, paged_status=False) as exchange:
        assert len(Signed(exchange).result("DepositStatus", cursor="true")) == len(ACCOUNT.deposits)


@pytest.mark.parametrize(
    ("params", "rows"),
    [
        ({"asset": "XETH"}, 1), ({"asset": "ETH"}, 1), ({"method": "Bitcoin"}, 120), ({"start": int(NOW) - 9}, 10),
        ({"end": "2023-11-14T22:11:40Z"}, 21), ({"start": "2023-11-14T23:13:20+01:00"}, 1),
    ],
)  # fmt: skip
def test_transfers_are_filtered(params: dict[str, object], rows: int) -> None:
    with Sandbox(ACCOUNT, paged_status=False) as exchange:
        assert len(Signed(exchange).result("DepositStatus", **params)) == rows


@pytest.mark.parametrize("params", [{"limit": "x"}, {"cursor": "x"}, {"start": "soon"}, {"end": "2023-11-14T22:13:20"}])
def test_transfers_refuse_what_makes_no_sense(client: Signed, params: dict[str, object]) -> None:
    assert client.refusal("DepositStatus", **params).startswith("EGeneral:Invalid arguments")


def test_earn_totals_are_the_sum_of_their_items() -> None:
    account = generate(7, 2000)
    with Sandbox(account) as exchange:
        client = Signed(exchange)
        result = client.result("Earn/Allocations")
        assert result["items"] == account.allocations
        assert Decimal(result["total_allocated"]) == sum(
            Decimal(i["amount_allocated"]["total"]["converted"]) for i in result["items"]
        )
        assert Decimal(result["total_rewarded"]) == sum(
            Decimal(i["total_rewarded"]["converted"]) for i in result["items"]
        )
        shown = client.result("Earn/Allocations", hide_zero_allocations="true")["items"]
        assert all(Decimal(item["amount_allocated"]["total"]["native"]) for item in shown)
        asset = account.allocations[0]["native_asset"]
        assert {item["asset"] for item in client.result("Earn/Strategies", asset=asset)["items"]} == {asset}
