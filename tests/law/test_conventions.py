"""Each convention that a report can be asked for (tests/cases/data/README.md), by one history reckoned by hand."""

from __future__ import annotations

import pytest

from portfolio_sync.tax.profile import with_settings
from portfolio_sync.tax.profiles import GENERIC
from portfolio_sync.tax.result import Computation
from tests.law.published import figures, transaction
from tests.shown import shown


def said(number: int, kind: str, asset: str, amount: str, value: str = "", **more: str) -> dict[str, str]:
    row = {"id": f"t{number}", "time": f"2024-0{number}-01T12:00:00Z", "kind": kind, "asset": asset, "amount": amount}
    return row | ({"value": value} if value else {}) | more


def fee(amount: str, asset: str, value: str) -> dict[str, str]:
    return {"fee": amount, "fee_asset": asset, "fee_value": value}


HISTORY = (
    said(1, "buy", "A", "10", "1000", **fee("10", "USD", "10")),
    said(2, "sell", "A", "4", "600", **fee("6", "USD", "6")),
    said(3, "trade", "A", "4", "800", counter_asset="B", counter_amount="8", **fee("8", "USD", "8")),
    said(4, "sell", "A", "1", "100", **fee("0.5", "A", "40")),
    said(5, "transfer", "B", "2", wallet="case", to_wallet="own", **fee("1", "B", "120")),
)
# Each row: kind, units, proceeds, cost.
SOLD, SWAPPED, SOLD_FOR_COINS, COINS, MOVED = (
    "sell 4 594 404",
    "trade 4 792 404",
    "sell 1 60 101",
    "fee 0.5 40 50.5",
    "transfer_fee 1 120 100",
)


def lines(result: Computation) -> list[str]:
    return [shown(row.kind, row.quantity, row.proceeds, row.cost) for row in result.disposals]


@pytest.mark.parametrize(
    ("setting", "rows"),
    [
        ("buy_fee=cost", [SOLD, SWAPPED, SOLD_FOR_COINS, COINS, MOVED]),
        ("buy_fee=ignore", ["sell 4 594 400", "trade 4 792 400", "sell 1 60 100", "fee 0.5 40 50", MOVED]),
        ("sell_fee=cost", ["sell 4 600 410", "trade 4 800 412", "sell 1 100 141", COINS, MOVED]),
        ("sell_fee=ignore", ["sell 4 600 404", SWAPPED, "sell 1 100 101", COINS, MOVED]),
        ("trade_fee=acquisition", [SOLD, "trade 4 800 404", SOLD_FOR_COINS, COINS, "transfer_fee 1 120 101"]),
        ("trade_fee=split", [SOLD, "trade 4 796 404", SOLD_FOR_COINS, COINS, "transfer_fee 1 120 100.5"]),
        ("crypto_fee=in_disposal", [SOLD, SWAPPED, "sell 1.5 100 151.5", MOVED]),
        ("crypto_fee=disposal_only", [SOLD, SWAPPED, "sell 1 100 101", COINS, MOVED]),
        ("transfer_fee=consume", [SOLD, SWAPPED, SOLD_FOR_COINS, COINS, "transfer_fee 1 100 100"]),
    ],
)
def test_a_convention_changes_what_it_is_about_and_nothing_else(setting: str, rows: list[str]) -> None:
    key, _, value = setting.partition("=")
    assert lines(figures(map(transaction, HISTORY), with_settings(GENERIC, {key: value}))) == rows


WITHHELD = (
    said(1, "buy", "A", "1", "100"),
    said(2, "buy", "A", "1", "300", **fee("0.1", "A", "30")),
)


@pytest.mark.parametrize(("value", "lot"), [("false", ("t1",)), ("true", ("t2",))])
def test_coins_held_back_come_out_of_the_first_lot_or_of_their_own(value: str, lot: tuple[str, ...]) -> None:
    result = figures(map(transaction, WITHHELD), with_settings(GENERIC, {"withheld_fee_own_lot": value}))
    assert [(row.kind, row.acquired_ids) for row in result.disposals] == [("fee", lot)]


WALLETS = (
    said(1, "buy", "A", "1", "100", wallet="x"),
    said(2, "buy", "A", "1", "300", wallet="y"),
    said(3, "sell", "A", "1", "500", wallet="y"),
)


@pytest.mark.parametrize(
    ("method", "scope", "cost"),
    [
        ("fifo", "universal", "100"), ("fifo", "wallet", "300"), ("hifo", "wallet", "300"), ("lofo", "universal", "100"),
        ("lofo", "wallet", "300"), ("acb", "universal", "200"), ("acb", "wallet", "300"),
    ],
)  # fmt: skip
def test_the_scope_of_a_pool_is_all_wallets_or_one(method: str, scope: str, cost: str) -> None:
    asked = with_settings(GENERIC, {"method": method, "pool_scope": scope})
    assert lines(figures(map(transaction, WALLETS), asked)) == [f"sell 1 500 {cost}"]


@pytest.mark.parametrize(("value", "rows"), [("error", []), ("zero_cost", ["sell 1 500 100", "sell 1 500 0"])])
def test_more_than_is_known_is_refused_or_sold_at_no_cost(value: str, rows: list[str]) -> None:
    history = (WALLETS[0], said(3, "sell", "A", "2", "1000", wallet="x"))
    result = figures(map(transaction, history), with_settings(GENERIC, {"oversell": value}))
    assert lines(result) == rows
    assert [found.code for found in result.findings] == ([] if rows else ["insufficient_holdings"])


@pytest.mark.parametrize(("value", "row"), [("no_gain", "gift_out 1 100 100"), ("fmv", "gift_out 1 500 100")])
def test_a_gift_leaves_without_gain_or_at_its_value(value: str, row: str) -> None:
    history = (WALLETS[0], said(3, "gift_out", "A", "1", "500", wallet="x"))
    assert lines(figures(map(transaction, history), with_settings(GENERIC, {"gift_out": value}))) == [row]


@pytest.mark.parametrize(("value", "counted"), [("no_gain", "0 0"), ("fmv", "100 1")])
def test_a_gift_that_is_a_disposal_counts_as_one_though_nothing_is_gained(value: str, counted: str) -> None:
    history = (WALLETS[0], said(3, "gift_out", "A", "1", "100", wallet="x"))
    result = figures(map(transaction, history), with_settings(GENERIC, {"gift_out": value}))
    sums = {line.item: line.amount for line in result.summary if not line.asset}
    assert shown(sums["proceeds"], sums["disposals"]) == counted


@pytest.mark.parametrize(
    ("settings", "paid", "rows"),
    [
        ({"gift_out": "fmv"}, fee("5", "USD", "5"), ["gift_out 4 595 400"]),
        ({"gift_out": "fmv", "sell_fee": "cost"}, fee("5", "USD", "5"), ["gift_out 4 600 405"]),
        ({"gift_out": "fmv"}, fee("1", "A", "150"), ["gift_out 4 450 400", "fee 1 150 100"]),
        ({"gift_out": "fmv", "crypto_fee": "in_disposal"}, fee("1", "A", "150"), ["gift_out 5 600 500"]),
        ({"gift_out": "fmv", "crypto_fee": "disposal_only"}, fee("1", "A", "150"), ["gift_out 4 600 400", "fee 1 150 100"]),
        ({}, fee("5", "USD", "5"), ["gift_out 4 400 400"]),
        ({}, fee("1", "A", "150"), ["gift_out 4 400 400", "fee 1 150 100"]),
        ({"crypto_fee": "in_disposal"}, fee("1", "A", "150"), ["gift_out 5 500 500"]),
    ],
)  # fmt: skip
def test_what_it_took_to_make_a_gift_at_value_is_taken_off(
    settings: dict[str, str], paid: dict[str, str], rows: list[str]
) -> None:
    history = (said(1, "buy", "A", "10", "1000"), said(2, "gift_out", "A", "4", "600", **paid))
    assert lines(figures(map(transaction, history), with_settings(GENERIC, settings))) == rows
