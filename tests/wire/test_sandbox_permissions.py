"""Which permission opens which endpoint, and what a call costs: the tables of the API reference's endpoint pages, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.key import ALL_READS
from portfolio_sync.sandbox.server import Sandbox
from tests.wire.signed import Signed

SECOND = Decimal(1)
DENIED, UNKNOWN, ARGUMENTS = "EGeneral:Permission denied", "EGeneral:Unknown method", "EGeneral:Invalid arguments"
EVERY = (
    *ALL_READS, "add-funds", "withdraw-funds", "earn-funds", "modify-trades", "close-trades", "create-ws-token",
    "add-withdraw-address", "update-withdraw-address",
)  # fmt: skip
NEEDS: dict[str, tuple[str, ...]] = {
    "Balance": ("query-funds",),
    "BalanceEx": ("query-funds",),
    "TradeVolume": ("query-funds",),
    "Earn/Allocations": ("query-funds",),
    "DepositStatus": ("query-funds",),
    "OpenOrders": ("query-open-trades",),
    "OpenPositions": ("query-open-trades",),
    "TradeBalance": ("query-open-trades",),
    "ClosedOrders": ("query-closed-trades",),
    "TradesHistory": ("query-closed-trades",),
    "QueryTrades": ("query-closed-trades",),
    "Ledgers": ("query-ledger",),
    "QueryLedgers": ("query-ledger",),
    "WithdrawStatus": ("query-ledger", "withdraw-funds"),
    "AddExport": ("export-data",),
    "ExportStatus": ("export-data",),
    "RetrieveExport": ("export-data",),
    "RemoveExport": ("export-data",),
}
FREE = ("GetApiKeyInfo", "Earn/Strategies")
WRITES = {
    "AddOrder": "modify-trades", "CancelOrder": "close-trades", "CancelAll": "close-trades", "Withdraw": "withdraw-funds",
    "Earn/Allocate": "earn-funds", "DepositAddresses": "add-funds", "GetWebSocketsToken": "create-ws-token",
}  # fmt: skip


@pytest.fixture(scope="module")
def exchange() -> Iterator[Sandbox]:
    with Sandbox(Account(), limited=False) as exchange:
        yield exchange


def keyed(exchange: Sandbox, *permissions: str) -> Signed:
    return Signed(exchange, exchange.add_key(permissions=permissions))


@pytest.mark.parametrize("method", NEEDS)
def test_an_endpoint_opens_to_each_permission_that_it_names_and_to_no_other(exchange: Sandbox, method: str) -> None:
    others = [permission for permission in EVERY if permission not in NEEDS[method]]
    assert keyed(exchange, *others).refusal(method) == DENIED
    for permission in NEEDS[method]:
        assert DENIED not in keyed(exchange, permission).ask(method)["error"]


@pytest.mark.parametrize("method", FREE)
def test_some_endpoints_are_open_to_any_key(exchange: Sandbox, method: str) -> None:
    assert keyed(exchange).ask(method)["error"] == []


@pytest.mark.parametrize("method", WRITES)
def test_an_attempt_to_write_is_refused_and_stays_in_the_log(exchange: Sandbox, method: str) -> None:
    assert keyed(exchange, *ALL_READS).refusal(method) == DENIED
    assert (exchange.requests[-1].method, exchange.requests[-1].outcome) == (method, DENIED)
    assert keyed(exchange, WRITES[method]).refusal(method) == ARGUMENTS  # nothing is ever carried out


def test_a_method_that_does_not_exist_is_unknown(exchange: Sandbox) -> None:
    assert Signed(exchange, exchange.add_key()).refusal("Staking/Assets") == UNKNOWN


def test_a_server_may_lack_a_method() -> None:
    with Sandbox(absent=frozenset({"GetApiKeyInfo", "BalanceEx"})) as older:
        client = Signed(older)
        assert [client.refusal(method) for method in ("GetApiKeyInfo", "BalanceEx")] == [UNKNOWN] * 2
        assert client.ask("Balance")["error"] == []


def test_the_key_info_has_either_spelling_and_the_key_s_own_facts() -> None:
    facts: dict[str, Any] = {"nonce_window": 5000, "query_from": 1_600_000_000, "valid_until": 4_000_000_000}
    with Sandbox(key_facts=facts) as exchange:
        camel = Signed(exchange).result("GetApiKeyInfo")
    assert {name: camel[name] for name in ("nonce", "nonceWindow", "queryFrom", "queryTo", "validUntil", "ipAllowlist")} == {
        "nonce": "1", "nonceWindow": 5000, "queryFrom": "1600000000", "queryTo": "0", "validUntil": "4000000000", "ipAllowlist": [],
    }  # fmt: skip
    assert camel["permissions"] == list(ALL_READS)
    with Sandbox(key_facts=facts, camel=False) as exchange:
        snake = Signed(exchange).result("GetApiKeyInfo")
    assert (snake["nonce_window"], snake["query_from"], snake["ip_allowlist"]) == ("5000", "1600000000", [""])
    assert len(snake) == len(camel)


COSTS = {"Balance": 1, "Ledgers": 2, "TradesHistory": 2, "ClosedOrders": 1, "QueryLedgers": 2, "QueryTrades": 2, "AddExport": 1, "GetApiKeyInfo": 1}  # fmt: skip


@pytest.mark.parametrize("history", [2, 4])
def test_what_a_call_costs_by_either_of_the_exchange_s_pages(history: int) -> None:
    dear = {"Ledgers", "TradesHistory", "ClosedOrders"} if history == 4 else set()
    for method, cost in COSTS.items():
        with Sandbox(history_cost=history) as exchange:  # its clock: two calls lie milliseconds apart
            Signed(exchange).ask(method)
            assert round(exchange.facts.level) == (4 if method in dear else cost), method


def test_a_call_is_counted_before_its_arguments_are_looked_at_and_not_without_permission() -> None:
    with Sandbox(clock=lambda: 1_700_000_000 * SECOND) as exchange:
        client = Signed(exchange)
        assert client.refusal("Ledgers", type="earn") == ARGUMENTS
        assert exchange.facts.level == 2
        assert exchange.requests[-1].cost == 2
        assert client.refusal("AddOrder") == DENIED
        assert exchange.facts.level == 2


def test_a_recorded_answer_is_given_to_those_who_may_have_it_alone() -> None:
    body = b'{"error":[],"result":{"XXBT":"1.0"}}'
    with Sandbox(replay={"Balance": body}, clock=lambda: 1_700_000_000 * SECOND) as exchange:
        assert Signed(exchange).result("Balance") == {"XXBT": "1.0"}
        assert exchange.facts.level == 1
        assert keyed(exchange, "query-ledger").refusal("Balance") == DENIED
        stranger = exchange.add_key()
        del exchange.exchange.keys[stranger.key]
        assert Signed(exchange, stranger).refusal("Balance") == "EAPI:Invalid key"
