"""Downloads and odd bodies over real HTTP."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from collections.abc import Iterator
from decimal import Decimal

import pytest

from portfolio_sync.core.clock import Clock, Stopped, SystemClock
from portfolio_sync.errors import Refused, Unreachable
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.credentials import Credentials
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.key_state import MemoryKeyState
from portfolio_sync.kraken.throttle import TIERS, Pacing
from tests.fakes import FakeClock
from tests.wire.scripted import Line, Script, error, ok, scripted

# The published vector of the API guide; its secret guards nothing.
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


def client(script: Script, clock: Clock | None = None) -> Client:
    pacing = Pacing(TIERS["pro"], pace=False)
    return Client(Credentials("the-key", SECRET), script.url, pacing, MemoryKeyState(), clock or FakeClock())


@pytest.fixture(scope="module")
def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("ledgers.csv", os.urandom(300_000))  # does not compress: several pieces
    return file.getvalue()


@pytest.fixture
def wrong_type() -> dict[str, str]:
    """A recorded success came as JSON by its header (krakenex issue 114)."""
    return {"Content-Type": "application/json"}


def test_a_report_comes_whole_whatever_its_content_type(archive: bytes, wrong_type: dict[str, str]) -> None:
    with scripted(Line(archive, headers=wrong_type)) as script:
        pieces = list(client(script).download(Endpoint.RETRIEVE_EXPORT, id="TCJA"))
    assert b"".join(pieces) == archive
    assert len(pieces) > 1
    assert script.said[0][1]["id"] == "TCJA"


def test_a_download_that_breaks_half_way_is_begun_anew_and_nothing_of_it_is_handed_out(archive: bytes) -> None:
    broken = Line(archive[: len(archive) // 2], headers={"Content-Length": str(len(archive)), "Connection": "close"})
    with scripted(broken, Line(archive)) as script:
        assert b"".join(client(script).download(Endpoint.RETRIEVE_EXPORT, id="TCJA")) == archive
    assert len(set(script.nonces)) == 2


def test_an_error_in_place_of_a_report_is_raised_before_any_piece() -> None:
    with scripted(error("EExport:Invalid report")) as script, pytest.raises(Refused) as caught:
        client(script).download(Endpoint.RETRIEVE_EXPORT, id="TCJA")
    assert caught.value.error == "EExport:Invalid report"


def test_an_answer_cut_off_by_the_network_is_tried_again() -> None:
    half = Line(b'{"error":[],"result":{"ZUS', headers={"Content-Length": "60", "Connection": "close"})
    with scripted(half, ok({"ZUSD": "1.0000"})) as script:
        assert client(script).call(Endpoint.BALANCE) == {"ZUSD": "1.0000"}
    assert script.nonces[0] < script.nonces[1]


def test_an_odd_throttling_stamp_does_not_end_the_run() -> None:
    with scripted(error("EService: Throttled: 99999999999"), ok({})) as script:
        assert client(script).call(Endpoint.BALANCE) == {}


def test_a_server_that_is_not_there_is_unreachable_in_one_line() -> None:
    with scripted(ok({})) as script:
        gone = client(script)
    with pytest.raises(Unreachable) as caught:
        gone.call(Endpoint.BALANCE)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_numbers_come_with_all_their_digits() -> None:
    with scripted(Line(b'{"error":[],"result":{"count":2,"time":1406104521.2614448}}')) as script:
        assert client(script).call(Endpoint.LEDGERS) == {"count": 2, "time": Decimal("1406104521.2614448")}


@pytest.fixture
def stopping_clock() -> Iterator[SystemClock]:
    clock = SystemClock()
    timer = threading.Timer(0.05, clock.stop)
    timer.start()
    yield clock
    timer.join()


def test_a_stop_ends_the_wait_between_two_tries(stopping_clock: SystemClock) -> None:
    with scripted(Line(b"<html>", 520, {"Retry-After": "60"})) as script, pytest.raises(Stopped):
        client(script, stopping_clock).call(Endpoint.BALANCE)
    assert len(script.said) == 1


def test_threads_that_share_a_key_send_rising_nonces() -> None:
    with scripted(ok({})) as script:
        made = client(script)
        threads = [threading.Thread(target=made.call, args=(Endpoint.BALANCE,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert script.nonces == sorted(set(script.nonces))
    assert made.calls == 8
