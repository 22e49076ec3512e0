"""The client against a server that says its lines, over real HTTP."""

from __future__ import annotations

import traceback
from datetime import timedelta
from decimal import Decimal

import pytest

from portfolio_sync.core.instant import from_unix
from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.errors import InvalidKey, LockedOut, PermissionMissing, RateLimited, Refused, Unreachable
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.credentials import Credentials
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.key_state import MemoryKeyState
from portfolio_sync.kraken.throttle import TIERS, Pacing
from tests.fakes import FakeClock
from tests.wire.scripted import Line, Script, error, ok, scripted

SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
NO_PACE = Pacing(TIERS["pro"], pace=False)


def client(script: Script, clock: FakeClock | None = None, **given: object) -> Client:
    arguments: dict[str, object] = {"pacing": NO_PACE, "state": MemoryKeyState(), "give_up_after": timedelta(minutes=2)}
    arguments |= given
    credentials = arguments.pop("credentials", Credentials("the-key", SECRET))
    return Client(credentials, script.url, clock=clock or FakeClock(), **arguments)  # type: ignore[arg-type]  # keyword bag of a test


@pytest.mark.parametrize(
    "trouble",
    [
        Line(b"<html>520</html>", 520),
        Line(b"", 502),
        Line(b'{"error":[],"result":{"a', 200),
        Line(reset=True),
        Line(b"", 429, {"Retry-After": "3"}),
        error("EService:Unavailable"),
        error("EService: Throttled: 1768478401"),
        error("EAPI:Rate limit exceeded"),
        error("EGeneral:Internal error"),
        error("EAPI:Invalid nonce"),
    ],
)
def test_trouble_is_tried_again_with_a_fresh_nonce(trouble: Line) -> None:
    with scripted(trouble, trouble, ok({"ZUSD": "1.0000"})) as script:
        assert client(script).call(Endpoint.BALANCE) == {"ZUSD": "1.0000"}
    assert len(script.said) == 3
    assert script.nonces == sorted(set(script.nonces))


@pytest.mark.parametrize("text", ["EAPI:Invalid key", "EAPI:Invalid signature", "EAuth:Account unconfirmed"])
def test_a_refused_key_is_not_tried_again_by_any_stream(text: str) -> None:
    with scripted(error(text)) as script:
        made = client(script)
        for endpoint in (Endpoint.BALANCE, Endpoint.LEDGERS):
            with pytest.raises(InvalidKey, match=text):
                made.call(endpoint)
    assert len(script.said) == 1


def test_a_locked_out_key_is_parked_across_runs() -> None:
    clock, state = FakeClock(), MemoryKeyState()
    with scripted(error("EGeneral:Temporary lockout"), ok({})) as script:
        with pytest.raises(LockedOut):
            client(script, clock, state=state).call(Endpoint.BALANCE)
        clock.time += timedelta(minutes=14)
        with pytest.raises(LockedOut, match="no call is made before 2026-01-15T12:15:00Z"):
            client(script, clock, state=state).call(Endpoint.BALANCE)
        assert len(script.said) == 1
        clock.time += timedelta(minutes=2)
        assert client(script, clock, state=state).call(Endpoint.BALANCE) == {}


def test_nonces_escalate_from_milliseconds_and_stop_after_four() -> None:
    with (
        scripted(error("EAPI:Invalid nonce")) as script,
        pytest.raises(InvalidKey, match="another program uses this key"),
    ):
        client(script).call(Endpoint.BALANCE)
    assert [len(str(nonce)) for nonce in script.nonces] == [13, 13, 16, 19]


def test_the_nonce_is_kept_before_it_is_sent() -> None:
    state = MemoryKeyState()
    with scripted(Line(reset=True)) as script, pytest.raises(Unreachable):
        client(script, state=state, give_up_after=timedelta(0)).call(Endpoint.BALANCE)
    assert state.record.last_nonce == script.nonces[-1]


def test_a_nonce_told_by_the_exchange_is_stayed_above() -> None:
    with scripted(ok({})) as script:
        made = client(script)
        made.seed_nonce(10**18)
        made.call(Endpoint.BALANCE)
    assert script.nonces == [10**18 + 1]


def test_giving_up_takes_as_long_as_the_settings_say() -> None:
    clock = FakeClock()
    with scripted(Line(b"<html>", 520)) as script, pytest.raises(Unreachable, match="HTTP 520") as caught:
        client(script, clock, give_up_after=timedelta(minutes=2)).call(Endpoint.BALANCE)
    assert 60 < sum(clock.slept) <= 120
    assert "\n" not in str(caught.value)


def test_a_limit_that_never_ends_is_reported_as_one() -> None:
    with scripted(error("EAPI:Rate limit exceeded")) as script, pytest.raises(RateLimited):
        client(script, pacing=Pacing(TIERS["starter"])).call(Endpoint.BALANCE)


def test_after_a_refusal_the_counter_is_waited_for() -> None:
    clock = FakeClock()
    with scripted(error("EAPI:Rate limit exceeded"), ok({})) as script:
        client(script, clock, pacing=Pacing(TIERS["starter"])).call(Endpoint.LEDGERS)
    assert sum(clock.slept) > Decimal(12)


def test_the_counter_is_remembered_between_runs() -> None:
    clock, state = FakeClock(), MemoryKeyState()
    with scripted(ok({"ledger": {}, "count": 0})) as script:
        for _ in range(2):
            made = client(script, clock, pacing=Pacing(TIERS["starter"]), state=state)
            for _ in range(3):
                made.call(Endpoint.LEDGERS)
    assert sum(clock.slept) > Decimal(24)


def test_a_missing_permission_is_named() -> None:
    with scripted(error("EGeneral:Permission denied")) as script, pytest.raises(PermissionMissing) as caught:
        client(script).call(Endpoint.LEDGERS)
    assert caught.value.permission == "query-ledger"


@pytest.mark.parametrize("text", ["EGeneral:Unknown method", "EQuery:Unknown asset", "ENew:Thing"])
def test_what_retrying_cannot_change_fails_at_once(text: str) -> None:
    with scripted(error(text)) as script, pytest.raises(Refused) as caught:
        client(script).call(Endpoint.BALANCE_EX)
    assert caught.value.error == text
    assert len(script.said) == 1


def test_redirects_are_not_followed() -> None:
    with scripted(Line(b"", 302, {"Location": "/0/private/Balance"})) as script, pytest.raises(Unreachable):
        client(script, give_up_after=timedelta(0)).call(Endpoint.BALANCE)
    assert len(script.said) == 1


@pytest.mark.parametrize(
    ("credentials", "otp"),
    [
        (Credentials("k", SECRET, otp="static"), "static"),
        (Credentials("k", SECRET, totp_secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "050471"),  # RFC 6238
        (Credentials("k", SECRET), None),
    ],
)
def test_the_second_factor_is_sent_where_there_is_one(credentials: Credentials, otp: str | None) -> None:
    with scripted(ok({})) as script:
        client(script, FakeClock(from_unix(1111111111)), credentials=credentials).call(Endpoint.BALANCE)
    assert script.said[0][1].get("otp") == otp


def test_nothing_secret_shows_when_it_fails() -> None:
    with scripted(error("EAPI:Invalid signature")) as script:
        made = client(script, credentials=Credentials("the-public-key", SECRET, otp="static-otp"))
        with pytest.raises(InvalidKey) as caught:
            made.call(Endpoint.BALANCE)
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(made)) + repr(KeyRecord())
    assert not any(secret in shown for secret in (SECRET, "static-otp", "the-public-key"))


def test_public_calls_need_no_key_and_cost_nothing() -> None:
    with scripted(ok({"unixtime": 1768478400})) as script:
        made = client(script, credentials=None)
        assert made.public(Endpoint.TIME) == {"unixtime": 1768478400}
        assert made.calls == 0
    assert script.said == [("/0/public/Time", {})]


def test_market_data_is_asked_for_once_a_second() -> None:
    clock = FakeClock()
    with scripted(ok({})) as script:
        made = client(script, clock, pacing=Pacing(TIERS["pro"]), credentials=None)
        for _ in range(3):
            made.public(Endpoint.OHLC, pair="XXBTZUSD")
    assert sum(clock.slept) == 2
