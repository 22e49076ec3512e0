"""A caller of the practice exchange that signs as Kraken's guide says, and can do each step wrong. Shares no code with ours."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.server import Sandbox
from tests.patience import PATIENCE


class SandClock:
    """Unix seconds that pass only when told to."""

    def __init__(self, now: str = "1760000000") -> None:
        self.now = Decimal(now)

    def __call__(self) -> Decimal:
        return self.now

    def wait(self, seconds: str) -> None:
        self.now += Decimal(seconds)


class Caller:
    """``call("Ledgers", ofs="50")`` is the parsed answer. One connection; nonces count up from 1."""

    def __init__(self, exchange: Sandbox, key: Key | None = None) -> None:
        self.exchange, self.key = exchange, key or exchange.facts
        self.connection = http.client.HTTPConnection(
            str(urlsplit(exchange.url).hostname), urlsplit(exchange.url).port, timeout=PATIENCE
        )
        self.nonce = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def __call__(self, method: str, /, *, nonce: object = None, **params: Any) -> Any:
        return json.loads(self.raw(method, nonce=nonce, **params)[1], parse_float=Decimal)

    def result(self, method: str, /, **params: str) -> Any:
        answer = self(method, **params)
        assert answer["error"] == []
        return answer["result"]

    def error(self, method: str, /, *, nonce: object = None, **params: str) -> str:
        """The only error of a refusal, or nothing."""
        return "".join(self(method, nonce=nonce, **params)["error"])

    def raw(
        self, method: str, /, *, nonce: object = None, as_json: bool = False, secret: str = "", headers: dict[str, str] | None = None,
        **params: str,
    ) -> tuple[int, bytes]:  # fmt: skip
        self.nonce += 1
        fields = {"nonce": str(self.nonce if nonce is None else nonce), **params}
        body = json.dumps(fields) if as_json else urlencode(fields)
        path = f"/0/private/{method}"
        message = path.encode() + hashlib.sha256((fields["nonce"] + body).encode()).digest()
        sign = hmac.new(b64decode(secret or self.key.secret), message, hashlib.sha512).digest()
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        sent = {"API-Key": self.key.key, "API-Sign": b64encode(sign).decode(), "Content-Type": kind, **(headers or {})}
        return self.send("POST", path, body, sent)

    def send(
        self, command: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        try:
            self.connection.request(command, path, body, headers or {})
            response = self.connection.getresponse()
            return response.status, response.read()
        except OSError:
            self.connection.close()
            raise

    def public(self, method: str, /, **params: object) -> Any:
        answer = json.loads(self.send("GET", f"/0/public/{method}?{urlencode(params)}")[1], parse_float=Decimal)
        return answer["result"] if "result" in answer else answer["error"]


@contextmanager
def called(exchange: Sandbox) -> Iterator[Caller]:
    """A served exchange, and a caller with its key."""
    with exchange, Caller(exchange) as caller:
        yield caller
