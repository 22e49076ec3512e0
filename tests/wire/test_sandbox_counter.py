"""The call counter of the practice exchange: its height by tier, its decay, what calls cost, and one call at a time."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from portfolio_sync.sandbox.faults import Fault
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.server import Sandbox
from tests.patience import PATIENCE
from tests.wire.caller import Caller, SandClock, called

LIMIT = "EAPI:Rate limit exceeded"


def until_refused(call: Caller, method: str) -> int:
    """How many calls were answered before the first refusal."""
    for number in range(100):
        if call.error(method) == LIMIT:
            return number
    raise AssertionError("never refused")


# Kraken's table of tiers: 15, 20, 20 units; histories cost 2 or 4 (its pages differ), others 1.
@pytest.mark.parametrize(
    ("tier", "method", "history_cost", "burst"),
    [
        ("starter", "Balance", 2, 15),
        ("starter", "Ledgers", 2, 7),
        ("starter", "Ledgers", 4, 3),
        ("starter", "TradesHistory", 4, 3),
        ("intermediate", "Ledgers", 2, 10),
        ("intermediate", "Balance", 2, 20),
        ("pro", "Ledgers", 4, 5),
    ],
)
def test_a_burst_fits_under_the_limit_of_the_tier(tier: str, method: str, history_cost: int, burst: int) -> None:
    with called(Sandbox(clock=SandClock(), key_facts={"tier": tier}, history_cost=history_cost)) as call:
        assert until_refused(call, method) == burst


@pytest.mark.parametrize(("tier", "seconds"), [("starter", "6.1"), ("intermediate", "4"), ("pro", "2")])
def test_the_steady_pace_of_history_pages_is_that_of_the_tier(tier: str, seconds: str) -> None:
    clock = SandClock()
    with called(Sandbox(clock=clock, key_facts={"tier": tier})) as call:
        while call.error("Ledgers") == "":
            pass
        clock.wait("60")  # from the refused call's height down to zero or near
        until_refused(call, "Ledgers")
        clock.wait("10")
        for _ in range(20):
            assert call.error("Ledgers") == ""
            clock.wait(seconds)


def test_calling_on_while_refused_keeps_the_key_refused() -> None:
    clock = SandClock()
    with called(Sandbox(clock=clock)) as call:
        until_refused(call, "Balance")
        for _ in range(30):
            clock.wait("2")  # 0.66 units fall, and each attempt adds one
            assert call.error("Balance") == LIMIT
        clock.wait("7")
        assert call.error("Balance") == ""


def test_the_counter_may_fall_in_whole_units_only() -> None:
    key = Key("public", "secret", tier="pro", stepped=True)
    for _ in range(20):
        assert key.charge(1, Decimal(100))
    assert not key.charge(1, Decimal("100.9"))
    assert not key.charge(1, Decimal("101.9"))
    assert key.charge(1, Decimal(103))


def test_each_key_has_a_counter_of_its_own() -> None:
    exchange = Sandbox(clock=SandClock())
    other = exchange.add_key()
    with called(exchange) as first, Caller(exchange, other) as second:
        until_refused(first, "Balance")
        assert second.error("Balance") == ""


def test_public_calls_do_not_count() -> None:
    with called(Sandbox(clock=SandClock())) as call:
        for _ in range(30):
            call.public("Time")
        assert until_refused(call, "Balance") == 15


def test_without_a_limit_nothing_is_refused() -> None:
    with called(Sandbox(clock=SandClock(), limited=False)) as call:
        assert {call.error("Ledgers") for _ in range(40)} == {""}


def test_the_log_knows_what_each_call_was_and_cost() -> None:
    with called(Sandbox(clock=SandClock(), key_facts={"permissions": ("query-ledger",)})) as call:
        call("Ledgers", ofs="50")
        call("Balance")
        call("AddOrder", pair="XBTEUR")
        call.public("Time")
        call.send("GET", "/elsewhere")
        seen = [(r.method, r.nonce, r.outcome, r.cost) for r in call.exchange.requests]
        assert call.exchange.requests[0].params == {"ofs": "50"}
    assert seen == [
        ("Ledgers", 1, "ok", 2),
        ("Balance", 2, "EGeneral:Permission denied", 0),
        ("AddOrder", 3, "EGeneral:Permission denied", 0),
        ("Time", None, "ok", 0),
        ("/elsewhere", None, "not found", 0),
    ]


def overlap(exchange: Sandbox, first: Caller, second: Caller) -> tuple[list[str], str]:
    """Answers of two callers, the second of which calls while the first waits for its answer."""
    entered, leave, answers = threading.Event(), threading.Event(), []

    def hold() -> None:
        entered.set()
        assert leave.wait(PATIENCE)

    exchange.faults.append(Fault(method="Ledgers", act=hold))
    thread = threading.Thread(target=lambda: answers.append(first.error("Ledgers", nonce=100)))
    thread.start()
    assert entered.wait(PATIENCE)
    seen = second.error("Balance", nonce=101)
    leave.set()
    thread.join()
    return answers, seen


def test_a_second_call_of_a_key_at_the_same_time_is_throttled() -> None:
    exchange = Sandbox(clock=SandClock("1760000000"))
    with called(exchange) as first, Caller(exchange) as second:
        assert overlap(exchange, first, second) == ([""], "EService: Throttled: 1760000002")
        assert second.error("Balance", nonce=102) == ""


def test_two_keys_may_call_at_the_same_time_and_a_patient_server_lets_one_key_do_so() -> None:
    exchange = Sandbox()
    with called(exchange) as first, Caller(exchange, exchange.add_key()) as second:
        assert overlap(exchange, first, second) == ([""], "")
    exchange = Sandbox(one_at_a_time=False, key_facts={"nonce_window": 10})
    with called(exchange) as first, Caller(exchange) as second:
        assert overlap(exchange, first, second) == ([""], "")
