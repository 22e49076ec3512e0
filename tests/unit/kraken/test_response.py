"""From bytes to a result or a remedy: the table of errors, and every way an answer can be none."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from portfolio_sync.kraken.response import Answer, Failure, Remedy, read


def answer(document: Any, status: int = 200, method: str = "Ledgers") -> Answer | Failure:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read(status, {}, body, method)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("EAPI:Invalid key", Remedy.STOP_KEY),
        ("EAPI:Invalid signature", Remedy.STOP_KEY),
        ("EAPI:Invalid nonce", Remedy.NEW_NONCE),
        ("EAPI:Rate limit exceeded", Remedy.WAIT),
        ("EGeneral:Too many requests", Remedy.WAIT),
        ("EAuth:Rate limit exceeded", Remedy.WAIT),
        ("EGeneral:Temporary lockout", Remedy.PARK),
        ("EGeneral:Permission denied", Remedy.PERMISSION),
        ("EGeneral:Internal error:17", Remedy.RETRY),
        ("EService:Unavailable", Remedy.RETRY),
        ("eservice: busy", Remedy.RETRY),
        ("EService:Deadline elapsed", Remedy.RETRY),
        ("EAuth:Account temporary disabled", Remedy.STOP_KEY),
        ("EGeneral:Invalid arguments:start", Remedy.FAIL),
        ("EGeneral:Unknown method", Remedy.FAIL),
        ("ESomething:New", Remedy.FAIL),
    ],
)
def test_each_error_has_its_remedy(error: str, remedy: Remedy) -> None:
    got = answer({"error": [error]})
    assert isinstance(got, Failure)
    assert (got.remedy, got.text) == (remedy, error)


def test_throttled_says_until_when_with_or_without_the_space() -> None:
    for text in ("EService: Throttled: 1768478400", "EService:Throttled:1768478400"):
        got = answer({"error": [text]})
        assert isinstance(got, Failure)
        assert (got.remedy, got.until) == (Remedy.RETRY, Decimal(1768478400))


def test_of_several_errors_the_gravest_decides() -> None:
    got = answer({"error": ["EService:Busy", "EGeneral:Temporary lockout"]})
    assert isinstance(got, Failure)
    assert got.remedy is Remedy.PARK


def test_a_warning_beside_a_result_does_not_fail_the_call() -> None:
    assert answer({"error": ["WGeneral:Be careful"], "result": {"a": 1}}) == Answer({"a": 1}, ("WGeneral:Be careful",))


def test_an_empty_result_beside_an_error_is_an_error() -> None:
    assert isinstance(answer({"error": ["EAPI:Invalid key"], "result": {}}), Failure)


def test_only_a_balance_may_come_without_result() -> None:
    assert answer({"error": []}, method="Balance") == Answer({})
    assert isinstance(answer({"error": []}, method="Ledgers"), Failure)


def test_numbers_never_pass_through_a_float() -> None:
    got = answer(b'{"error":[],"result":{"time":1406104521.2614448,"x":0.30000000000000000004}}')
    assert isinstance(got, Answer)
    assert str(got.result["time"]) == "1406104521.2614448"
    assert got.result["x"] == Decimal("0.30000000000000000004")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (520, b"<html>Web server is returning an unknown error</html>"),
        (502, b""),
        (503, b'{"error":["EService:Unavailable"]}'),
        (200, b'{"error":[],"result":{"ledger":{"L4UESK'),
        (200, b"<!DOCTYPE html>"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"\xff\xfe"),
        (403, b"<html>blocked</html>"),
    ],
)
def test_what_is_not_krakens_json_is_tried_again(status: int, body: bytes) -> None:
    got = answer(body, status)
    assert isinstance(got, Failure)
    assert got.remedy is Remedy.RETRY


def test_http_429_waits_as_long_as_it_asks() -> None:
    got = read(429, {"Retry-After": "7"}, b"", "Ledgers")
    assert got == Failure(Remedy.RETRY, "HTTP 429", Decimal(7))
    plain = read(429, {}, b"", "Ledgers")
    assert isinstance(plain, Failure)
    assert plain.remedy is Remedy.WAIT
