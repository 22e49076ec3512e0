"""Who may call the practice exchange: signatures, nonces, one-time passwords, addresses, validity, lockout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portfolio_sync.sandbox.auth import signature
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.server import Sandbox
from tests.wire.caller import Caller, SandClock, called

VECTOR = json.loads((Path(__file__).parents[1] / "data/kraken-samples/kraken-docs/auth-vector.json").read_text())
SECRET, NONCE = VECTOR["secret"], VECTOR["nonce"]
KEY, SIGNATURE, OLD = "EAPI:Invalid key", "EAPI:Invalid signature", "EAPI:Invalid nonce"
LOCKED = "EGeneral:Temporary lockout"


def test_the_published_signature_is_reproduced() -> None:
    assert signature(SECRET, VECTOR["path"], NONCE, VECTOR["body"].encode()) == VECTOR["api_sign"]


# The published function on other bodies, form and JSON (same secret and nonce).
@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("Ledgers", f"nonce={NONCE}&ofs=50&start=1600000000", "Ea807jwqJa6+T8jOSLSaBS4lDZCia1NcIi87ufv3LYtpVV53RLsKpe+flqwbmQaIePEi9YnziD7CxS4585MC9g=="),
        ("Balance", f"nonce={NONCE}", "1nH4vwR+8FHiYh1QT649xXkGd3JR3x0DWkgv3u9Ed/Qqv6KPtgQpEU4m+Emb/VgpEji3j1XNwI+HCbfXxmrTOg=="),
        ("Balance", f'{{"nonce":"{NONCE}"}}', "nIQSuxvFDn8/AZLI9lNhKmRGRFBmNFwMDugKmtSQG6frJ3HT06eRwAGt40G5kwz6PRsywnaL628Nr8TofSiHrw=="),
    ],
)  # fmt: skip
def test_derived_signatures(method: str, body: str, expected: str) -> None:
    assert signature(SECRET, f"/0/private/{method}", NONCE, body.encode()) == expected


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_a_signed_body_is_let_in(as_json: bool) -> None:
    with called(Sandbox()) as call:
        assert call.raw("GetApiKeyInfo", as_json=as_json)[0] == 200
        assert call.result("GetApiKeyInfo")["nonce"] == "2"


def test_errors_come_with_status_200() -> None:
    with called(Sandbox()) as call:
        status, body = call.raw("Balance", headers={"API-Key": "unknown"})
        assert (status, json.loads(body)) == (200, {"error": [KEY]})


def test_a_body_that_was_changed_on_the_way_is_refused() -> None:
    with called(Sandbox()) as call:
        sent = {"API-Key": call.key.key, "API-Sign": signature(call.key.secret, "/0/private/Balance", "1", b"nonce=1")}
        for body in ("nonce=1&asset=XXBT", "nonce=2", "nonce=01"):
            assert b"Invalid signature" in call.send("POST", "/0/private/Balance", body, sent)[1]
        assert b"Invalid signature" in call.send("POST", "/0/private/TradeBalance", "nonce=1", sent)[1]
        assert b"Invalid" not in call.send("POST", "/0/private/Balance", "nonce=1", sent)[1]


def test_a_wrong_secret_is_a_wrong_signature_and_spends_no_nonce() -> None:
    with called(Sandbox()) as call:
        assert b"Invalid signature" in call.raw("Balance", nonce=10, secret=SECRET)[1]
        assert call.error("Balance", nonce=10) == ""


@pytest.mark.parametrize("nonce", [7, 6, 0, "", "-1", "8.5", "٨", 2**64, "9" * 5000])
def test_a_nonce_must_be_a_higher_unsigned_64_bit_number(nonce: object) -> None:
    with called(Sandbox()) as call:
        assert call.error("Balance", nonce=7) == ""
        assert call.error("Balance", nonce=nonce) == OLD
        assert call.error("Balance", nonce=8) == ""


def test_the_largest_nonce_ends_the_key() -> None:
    with called(Sandbox()) as call:
        assert call.error("Balance", nonce=2**64 - 1) == ""
        assert call.error("Balance", nonce=2**63) == OLD


def test_inside_a_window_lower_nonces_pass_once() -> None:
    with called(Sandbox(key_facts={"nonce_window": 10})) as call:
        answers = [call.error("Balance", nonce=nonce) for nonce in (100, 95, 95, 91, 90, 100, 101, 91)]
        assert answers == ["", "", OLD, "", OLD, OLD, "", OLD]


def test_nonces_belong_to_a_key() -> None:
    exchange = Sandbox()
    other = exchange.add_key(name="second")
    with called(exchange) as first, Caller(exchange, other) as second:
        assert first.error("Balance", nonce=1000) == ""
        assert second.error("Balance") == ""
        assert second.result("GetApiKeyInfo")["apiKeyName"] == "second"


def test_a_refused_call_has_spent_its_nonce() -> None:
    with called(Sandbox(key_facts={"permissions": ()})) as call:
        assert call.error("Balance", nonce=5) == "EGeneral:Permission denied"
        assert call.error("GetApiKeyInfo", nonce=5) == OLD


def test_a_static_password_is_asked_for() -> None:
    with called(Sandbox(key_facts={"otp": "horse"})) as call:
        assert [call.error("Balance", otp=otp) for otp in ("horse", "house")] == ["", SIGNATURE]
        assert call.error("Balance") == SIGNATURE


# RFC 6238, appendix B, SHA-1: the last six digits of its eight.
@pytest.mark.parametrize(("now", "otp"), [("59", "287082"), ("1111111109", "081804"), ("2000000000", "279037")])
def test_a_time_based_password_is_that_of_the_rfc(now: str, otp: str) -> None:
    clock = SandClock(now)
    with called(Sandbox(clock=clock, key_facts={"totp": b"12345678901234567890"})) as call:
        assert call.error("Balance", otp=otp) == ""
        clock.wait("90")
        assert call.error("Balance", otp=otp) == SIGNATURE


def test_an_address_outside_the_list_is_refused() -> None:
    for allowed, error in (("10.0.0.0/8", KEY), ("127.0.0.0/8", ""), ("127.0.0.1", "")):
        with called(Sandbox(key_facts={"ip_allowlist": (allowed,)})) as call:
            assert call.error("Balance") == error


def test_a_key_expires() -> None:
    clock = SandClock("1760000000")
    with called(Sandbox(clock=clock, key_facts={"valid_until": 1760000010})) as call:
        assert call.error("Balance") == ""
        clock.wait("10.5")
        assert call.error("Balance") == KEY


def wrong(call: Caller, times: int) -> list[str]:
    return [json.loads(call.raw("Balance", secret=SECRET)[1])["error"][0] for _ in range(times)]


def test_five_errors_in_a_row_lock_out_and_every_attempt_starts_the_quarter_hour_anew() -> None:
    clock = SandClock()
    with called(Sandbox(clock=clock)) as call:
        assert wrong(call, 5) == [SIGNATURE] * 5
        assert call.error("Balance") == LOCKED
        clock.wait("899")
        assert call.error("Balance") == LOCKED
        clock.wait("899")
        assert call.error("Balance") == LOCKED
        clock.wait("900")
        assert call.error("Balance") == ""


def test_after_a_lockout_one_error_is_one_error() -> None:
    clock = SandClock()
    with called(Sandbox(clock=clock)) as call:
        wrong(call, 5)
        clock.wait("900")
        assert wrong(call, 4) == [SIGNATURE] * 4
        assert call.error("Balance") == ""


def test_a_good_call_ends_the_row_of_errors() -> None:
    with called(Sandbox()) as call:
        for _ in range(3):
            wrong(call, 4)
            assert call.error("Balance") == ""


def test_old_nonces_lock_out_as_well() -> None:
    with called(Sandbox()) as call:
        call("Balance", nonce=9)
        assert [call.error("Balance", nonce=1) for _ in range(6)] == [OLD] * 5 + [LOCKED]


def test_who_keeps_trying_an_unknown_key_is_locked_out_but_nobody_else() -> None:
    with called(Sandbox()) as call:
        answers = [json.loads(call.raw("Balance", headers={"API-Key": "unknown"})[1])["error"][0] for _ in range(6)]
        assert answers == [KEY] * 5 + [LOCKED]
        assert call.error("Balance") == ""


def test_secrets_do_not_show() -> None:
    key = Key("public", SECRET, otp="horse", totp=b"battery")
    assert not any(secret in repr(key) for secret in (SECRET, "horse", "battery"))
    with called(Sandbox(key_facts={"otp": "horse"})) as call:
        call("Balance", otp="horse")
        assert "horse" not in repr(call.exchange.requests)
