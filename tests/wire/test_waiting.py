"""A stop ends the wait for an answer that does not come, or not to its end; a slow answer is waited for all the same."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from portfolio_sync.core.clock import Stopped, SystemClock
from portfolio_sync.errors import Unreachable
from portfolio_sync.kraken import connection
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.key_state import MemoryKeyState
from tests.wire.test_client import NO_PACE

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 43\r\nConnection: close\r\n\r\n"
BODY = b'{"error":[],"result":{"unixtime":17684784}}'


class Slow:
    """Sends pieces, then waits until it is let go. ``heard`` is set when it was asked."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.heard, self.go = pieces, threading.Event(), threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self.answer)
        self.thread.start()

    def answer(self) -> None:
        asked, _ = self.listening.accept()
        with asked:
            asked.recv(65536)
            for piece in self.pieces:
                asked.sendall(piece)
                time.sleep(0.05)
            self.heard.set()
            self.go.wait(10)


@pytest.fixture(autouse=True)
def _looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LOOK_EVERY", 0.01)


@pytest.fixture
def slow(request: pytest.FixtureRequest) -> Iterator[Slow]:
    made = Slow(*request.param)
    yield made
    made.go.set()
    made.thread.join()
    made.listening.close()


def asked(slow: Slow, clock: SystemClock) -> object:
    client = Client(None, slow.url, NO_PACE, MemoryKeyState(), clock, timedelta(0))
    try:
        return client.public(Endpoint.TIME)
    finally:
        client.session.close()


@pytest.mark.parametrize("slow", [(), (HEAD,), (HEAD, BODY[:20])], indirect=True)
def test_a_stop_ends_the_wait_for_an_answer(slow: Slow) -> None:
    clock = SystemClock()

    def stop() -> None:
        slow.heard.wait(10)
        clock.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    start = time.monotonic()
    with pytest.raises(Stopped):
        asked(slow, clock)
    stopper.join()
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("slow", [(HEAD[:20], HEAD[20:], BODY[:9], BODY[9:])], indirect=True)
def test_an_answer_in_pieces_is_waited_for(slow: Slow) -> None:
    assert asked(slow, SystemClock()) == {"unixtime": 17684784}


@pytest.mark.parametrize("slow", [(HEAD,)], indirect=True)
def test_patience_with_an_answer_ends_as_ever(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portfolio_sync.kraken.client.OPTIONS", {"timeout": (1, 0.05), "stream": True})
    with pytest.raises(Unreachable, match=r"no answer in time|no connection"):
        asked(slow, SystemClock())
