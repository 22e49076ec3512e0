"""The program cannot trade: there is no such endpoint, and no other request can leave."""

from __future__ import annotations

import ast
import re
import socket
from pathlib import Path

import pytest

from portfolio_sync.errors import SettingsError
from portfolio_sync.kraken.adapter import ForbiddenRequest, session
from portfolio_sync.kraken.endpoint import Endpoint

PACKAGE = Path(__file__).parents[3] / "portfolio_sync"
# Methods of Kraken that place orders, move coins, or open another way to do so.
FORBIDDEN = (
    "AddOrder", "AddOrderBatch", "EditOrder", "AmendOrder", "CancelOrder", "CancelAll", "CancelAllOrdersAfter",
    "CancelOrderBatch", "Withdraw", "WithdrawCancel", "WithdrawAddresses", "WithdrawInfo", "WalletTransfer",
    "DepositAddresses", "DepositMethods", "Earn/Allocate", "Earn/Deallocate", "Stake", "Unstake", "AccountTransfer",
    "CreateSubaccount", "GetWebSocketsToken",
)  # fmt: skip


@pytest.mark.parametrize("method", FORBIDDEN)
def test_no_endpoint_that_writes_is_in_the_enum(method: str) -> None:
    assert f"/0/private/{method}" not in {endpoint.path for endpoint in Endpoint}
    with pytest.raises(ValueError, match="is not a valid Endpoint"):
        Endpoint(method)


def test_no_text_in_the_program_names_such_a_method() -> None:
    """Whole words or the end of a path, in any string of the source; the practice exchange knows them to refuse them."""
    named = re.compile(rf"(^|/)({'|'.join(map(re.escape, FORBIDDEN))})$")
    for path in PACKAGE.rglob("*.py"):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not named.search(node.value), f"{path}:{node.lineno} names {node.value}"


def test_the_enum_cannot_be_extended() -> None:
    with pytest.raises(TypeError, match="cannot extend"):
        exec("class More(Endpoint):\n    ADDED = 1\n", {"Endpoint": Endpoint})


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    opened: list[object] = []

    def refuse(*args: object, **_: object) -> None:
        opened.append(args)
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    return opened


@pytest.mark.parametrize("method", ["AddOrder", "CancelAll", "Withdraw", "Earn/Allocate", "WalletTransfer"])
def test_a_write_is_refused_before_any_byte_leaves(no_network: list[object], method: str) -> None:
    with pytest.raises(ForbiddenRequest):
        session("https://api.kraken.com", "test").post(f"https://api.kraken.com/0/private/{method}", b"nonce=1")
    assert no_network == []


@pytest.mark.parametrize(
    ("verb", "url"),
    [
        ("POST", "https://example.org/0/private/Balance"),
        ("POST", "https://api.kraken.com:8443/0/private/Balance"),
        ("POST", "http://api.kraken.com/0/private/Balance"),
        ("POST", "https://api.kraken.com.example.org/0/private/Balance"),
        ("POST", "https://api.kraken.com/0/private/../private/" + "AddOrder"),
        ("GET", "https://api.kraken.com/0/private/Balance"),
        ("POST", "https://api.kraken.com/0/public/Time"),
        ("DELETE", "https://api.kraken.com/0/private/Balance"),
    ],
)
def test_other_hosts_ports_schemes_paths_and_verbs_are_refused(no_network: list[object], verb: str, url: str) -> None:
    with pytest.raises(ForbiddenRequest):
        session("https://api.kraken.com", "test").request(verb, url)
    assert no_network == []


@pytest.mark.parametrize(
    "url", ["http://api.kraken.com", "http://127.0.0.1.example.org", "ftp://localhost", "localhost"]
)
def test_plain_http_is_for_loopback_only(url: str) -> None:
    with pytest.raises(SettingsError, match="https"):
        session(url, "test")


def test_no_password_of_the_computer_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine api.kraken.com login me password hidden\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    from requests import Request

    made = session("https://api.kraken.com", "test")
    prepared = made.prepare_request(Request("POST", "https://api.kraken.com/0/private/Balance"))
    assert "Authorization" not in prepared.headers
