"""The small HTTP server: three paths, two methods, and a question that hangs hangs nobody."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse

import pytest

from portfolio_sync.errors import DatabaseError, SettingsError
from portfolio_sync.service.bounded import Bounded
from portfolio_sync.service.endpoints import Answer, Listener
from portfolio_sync.settings.model import address_of
from tests.patience import PATIENCE


def asked(listener: Listener, method: str, path: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(listener.host, listener.port, timeout=PATIENCE)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_other_paths_are_404_other_methods_405_and_head_has_no_body() -> None:
    listener = Listener("127.0.0.1", 0, {"/healthz": lambda: Answer(HTTPStatus.OK, "ok\n")})
    try:
        assert asked(listener, "GET", "/healthz?x=1")[1] == b"ok\n"
        head, body = asked(listener, "HEAD", "/healthz")
        assert (head.status, head.headers["Content-Length"], body) == (200, "3", b"")
        assert asked(listener, "GET", "/healthz/")[0].status == 404
        refused = asked(listener, "POST", "/healthz")[0]
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
        with pytest.raises(SettingsError, match=r"\[service\] listen.*in use"):
            Listener("127.0.0.1", listener.port, {})
    finally:
        listener.close()
    with pytest.raises(ConnectionRefusedError):
        asked(listener, "GET", "/healthz")


def test_a_question_that_hangs_is_given_up_and_so_are_those_behind_it() -> None:
    gate, bounded = threading.Event(), Bounded(0.05, many=1)
    for _ in range(2):
        with pytest.raises(DatabaseError, match="did not answer"):
            bounded.ask(lambda: gate.wait(PATIENCE))
    gate.set()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            assert bounded.ask(lambda: 1) == 1
        except DatabaseError:
            continue
        return
    raise AssertionError("it is asked no more")


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8731", ("127.0.0.1", 8731)), (":1", ("127.0.0.1", 1)), ("[::1]:2", ("::1", 2)), ("off", None), ("", None)],
)  # fmt: skip
def test_addresses(text: str, address: tuple[str, int] | None) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["8731", "host:", "host:99999", "::1:80"])
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        address_of(text)
