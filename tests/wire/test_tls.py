"""Over https: whose certificates are believed, and that they are read once."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from urllib3.util.ssl_ import create_urllib3_context

from portfolio_sync.errors import SettingsError, Unreachable
from portfolio_sync.kraken import adapter
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.key_state import MemoryKeyState
from portfolio_sync.kraken.throttle import TIERS, Pacing
from tests.fakes import FakeClock
from tests.wire.scripted import Script, ok, scripted


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a company's proxy makes its users trust."""
    path = tmp_path / "bundle.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return path


@pytest.fixture
def exchange(authority: trustme.CA) -> Iterator[Script]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with scripted(ok({"unixtime": 1}), tls=context) as script:
        yield script


def ask(url: str) -> object:
    client = Client(None, url, Pacing(TIERS["pro"]), MemoryKeyState(), FakeClock(), timedelta(seconds=1))
    with client.session:
        return client.public(Endpoint.TIME)


def test_a_certificate_of_the_bundle_is_accepted(exchange: Script, bundle: Path) -> None:
    assert bundle.exists()
    assert ask(exchange.url) == {"unixtime": 1}


def test_an_unknown_authority_is_refused(exchange: Script) -> None:
    with pytest.raises(Unreachable, match="certificate was not accepted"):
        ask(exchange.url)
    assert exchange.said == []


def test_another_hosts_certificate_is_refused(exchange: Script, bundle: Path) -> None:
    assert bundle.exists()
    with pytest.raises(Unreachable, match="certificate was not accepted"):
        ask(exchange.url.replace("localhost", "127.0.0.1"))
    assert exchange.said == []


def test_the_certificates_are_read_once_and_again_when_they_change(
    exchange: Script, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ssl.SSLContext] = []

    def context() -> ssl.SSLContext:
        made.append(create_urllib3_context())
        return made[-1]

    monkeypatch.setattr(adapter, "create_urllib3_context", context)
    adapter._context.cache_clear()
    for _ in range(3):
        ask(exchange.url)
    assert len(made) == 1
    bundle.write_bytes(trustme.CA().cert_pem.bytes())
    with pytest.raises(Unreachable):
        ask(exchange.url)
    assert len(made) == 2


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_read_is_named(exchange: Script, bundle: Path, content: str | None) -> None:
    bundle.unlink() if content is None else bundle.write_text(content)
    with pytest.raises(SettingsError, match=r"bundle\.pem.*REQUESTS_CA_BUNDLE"):
        ask(exchange.url)
