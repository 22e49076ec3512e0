"""What goes wrong on the way when told to: on the wire it looks as recorded, and its after-effects are those of the exchange."""

from __future__ import annotations

import http.client
import json
from decimal import Decimal

import pytest

from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.faults import ERRORS, NONCE_SPENT, Fault, Trouble
from portfolio_sync.sandbox.message import encode, warned
from portfolio_sync.sandbox.server import Sandbox
from tests.wire.caller import Caller, SandClock, called

OLD = "EAPI:Invalid nonce"


def entry(number: int, at: str) -> Entry:
    fields = {"refid": f"R{number}", "type": "deposit", "subtype": "", "aclass": "currency", "asset": "ZEUR"}
    return Entry(
        f"L{number:05}-AAAAA-AAAAAA",
        Decimal(at),
        fields | {"amount": "1.0000", "fee": "0.0000", "balance": f"{number}.0000"},
    )


def sandbox(trouble: Trouble | None = None, method: str = "Ledgers", **fault: object) -> Sandbox:
    exchange = Sandbox(Account([entry(1, "1406104521.2614448")]), clock=SandClock("1760000000"))
    if trouble is not None:
        exchange.faults.append(Fault(trouble, method, **fault))  # type: ignore[arg-type]  # numbers of calls
    return exchange


def test_a_fault_strikes_at_its_call_of_its_method_and_then_no_more() -> None:
    with called(sandbox(Trouble.BUSY, nth=2, times=2)) as call:
        answers = [call.error("Ledgers") for _ in range(4)]
        assert answers == ["", "EService:Busy", "EService:Busy", ""]
        assert call.error("Balance") == ""


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (Trouble.HTML_520, 520),
        (Trouble.HTTP_502, 502),
        (Trouble.HTTP_503, 503),
        (Trouble.HTTP_504, 504),
        (Trouble.DONE_520, 520),
    ],
)
def test_the_front_server_answers_with_a_page(trouble: Trouble, status: int) -> None:
    with called(sandbox(trouble)) as call:
        code, body = call.raw("Ledgers")
        assert (code, body[:15]) == (status, b"<!DOCTYPE html>")
        assert call.error("Ledgers") == ""


def test_too_many_requests_says_when_to_come_back() -> None:
    with called(sandbox(Trouble.HTTP_429)) as call:
        call.connection.request("POST", "/0/private/Ledgers", "")
        response = call.connection.getresponse()
        assert (response.status, response.headers["Retry-After"], response.read()) == (429, "1", b"")


@pytest.mark.parametrize("trouble", [*ERRORS, Trouble.THROTTLED])
def test_an_error_of_the_envelope_reads_like_the_exchange(trouble: Trouble) -> None:
    with called(sandbox(trouble)) as call:
        expected = "EService: Throttled: 1760000002" if trouble is Trouble.THROTTLED else ERRORS[trouble]
        assert call.error("Ledgers") == expected


@pytest.mark.parametrize("trouble", sorted(NONCE_SPENT - {Trouble.LOCKOUT}))
def test_the_nonce_of_a_call_that_failed_is_spent(trouble: Trouble) -> None:
    with called(sandbox(trouble)) as call:
        call.raw("Ledgers", nonce=5)
        assert call.error("Ledgers", nonce=5) == OLD
        assert call.error("Ledgers", nonce=6) == ""


@pytest.mark.parametrize("trouble", [Trouble.BUSY, Trouble.THROTTLED])
def test_a_failing_call_with_a_wrong_key_is_told_so_first(trouble: Trouble) -> None:
    with called(sandbox(trouble)) as call:
        assert b"EAPI:Invalid key" in call.raw("Ledgers", headers={"API-Key": "unknown"})[1]


def test_a_reset_comes_before_the_call_is_looked_at() -> None:
    with called(sandbox(Trouble.RESET)) as call:
        with pytest.raises(ConnectionResetError):
            call.raw("Ledgers", nonce=5)
        assert call.error("Ledgers", nonce=5) == ""


def test_a_lost_answer_belongs_to_a_call_that_was_done_and_counted() -> None:
    with called(sandbox(Trouble.LOST)) as call:
        with pytest.raises(ConnectionResetError):
            call.raw("Ledgers", nonce=5)
        assert call.exchange.requests[0].cost == 2
        assert call.exchange.facts.level == 2
        assert call.error("Ledgers", nonce=5) == OLD


def test_a_truncated_body_has_its_announced_length_and_a_short_one_has_not() -> None:
    with called(sandbox(Trouble.TRUNCATED)) as call:
        status, body = call.raw("Ledgers")
        assert status == 200
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
    with called(sandbox(Trouble.SHORT)) as call:
        with pytest.raises(http.client.IncompleteRead):
            call.raw("Ledgers")
        call.connection.close()
        assert call.error("Ledgers") == ""


def test_a_warning_stands_beside_a_result_with_all_its_digits() -> None:
    with called(sandbox(Trouble.WARNING)) as call:
        answer = call("Ledgers")
        assert answer["error"] == ["WGeneral:Something to know"]
        (row,) = answer["result"]["ledger"].values()
        assert str(row["time"]) == "1406104521.2614448"


def test_a_warning_goes_before_an_error() -> None:
    assert json.loads(warned(b'{ "error": ["EQuery:Unknown asset"] }'))["error"] == [
        "WGeneral:Something to know",
        "EQuery:Unknown asset",
    ]


def test_a_result_may_be_missing() -> None:
    with called(sandbox(Trouble.NO_RESULT)) as call:
        assert call("Ledgers") == {"error": []}


def test_a_lockout_holds_for_a_quarter_of_an_hour_after_the_last_attempt() -> None:
    exchange = sandbox(Trouble.LOCKOUT)
    with called(exchange) as call:
        assert [call.error("Ledgers") for _ in range(3)] == ["EGeneral:Temporary lockout"] * 3
        exchange.exchange.clock.wait("900")  # type: ignore[attr-defined]  # it is a SandClock
        assert call.error("Ledgers") == ""


def test_a_fault_without_a_method_strikes_any() -> None:
    exchange = sandbox()
    exchange.faults.append(Fault(Trouble.UNAVAILABLE, nth=2))
    with called(exchange) as call:
        assert [call.error("Balance"), call.error("Ledgers"), call.error("Ledgers")] == ["", "EService:Unavailable", ""]


def test_public_calls_fail_too() -> None:
    with called(sandbox(Trouble.UNAVAILABLE, "Time")) as call:
        assert call.public("Time") == ["EService:Unavailable"]
        assert call.public("Time")["unixtime"] == 1760000000


def test_a_row_booked_in_the_middle_of_a_walk_is_the_new_head() -> None:
    exchange = sandbox()
    exchange.faults.append(Fault(method="Ledgers", nth=2, act=lambda: exchange.book(entry(2, "1500000000.5"))))
    with called(exchange) as call:
        assert [call.result("Ledgers")["count"] for _ in range(3)] == [1, 2, 2]
        assert list(call.result("Ledgers")["ledger"]) == ["L00002-AAAAA-AAAAAA", "L00001-AAAAA-AAAAAA"]


def test_an_url_that_is_too_long_ends_at_the_front_server() -> None:
    with called(sandbox()) as call:
        assert call.send("GET", f"/0/public/Ticker?pair={'XBTUSD,' * 700}")[0] == 520


def test_a_stopped_exchange_does_not_answer_on_an_old_connection() -> None:
    exchange = sandbox()
    with exchange:
        call = Caller(exchange)
        assert call.error("Ledgers") == ""
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        call.raw("Ledgers")


def test_a_mistake_of_the_exchange_itself_is_seen_at_the_end() -> None:
    def stumble() -> None:
        raise ZeroDivisionError

    exchange = sandbox()
    exchange.faults.append(Fault(method="Ledgers", act=stumble))
    with pytest.raises(ZeroDivisionError), exchange:  # noqa: PT012 - the block that ends is what raises
        call = Caller(exchange)
        with pytest.raises(http.client.RemoteDisconnected):
            call.raw("Ledgers")


@pytest.mark.parametrize("text", ["1406104521.2614448", "0.0000000001", "1E+3"])
def test_numbers_keep_their_digits(text: str) -> None:
    assert encode([Decimal(text)]) == f"[{Decimal(text):f}]"
