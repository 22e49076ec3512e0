"""The smallest client there can be: it signs as the exchange's own code sample does, and reads numbers exactly."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.server import Sandbox


class Signed:
    """``ask("Ledgers", ofs="50")`` gives the whole envelope; ``result`` what is in it."""

    def __init__(self, exchange: Sandbox, key: Key | None = None) -> None:
        self.exchange, self.key = exchange, key or exchange.facts
        self._nonces: Iterator[int] = count(1)

    def ask(self, method: str, /, **params: object) -> dict[str, Any]:
        nonce, path = str(next(self._nonces)), f"/0/private/{method}"
        body = urlencode({"nonce": nonce, **params})
        message = path.encode() + hashlib.sha256((nonce + body).encode()).digest()
        sign = b64encode(hmac.new(b64decode(self.key.secret), message, hashlib.sha512).digest()).decode()
        request = Request(self.exchange.url + path, body.encode(), {"API-Key": self.key.key, "API-Sign": sign})
        with urlopen(request, timeout=10) as response:
            assert response.status == 200  # whatever the exchange has to say, it says in the envelope
            answer: dict[str, Any] = json.loads(response.read(), parse_float=Decimal)
        return answer

    def result(self, method: str, /, **params: object) -> Any:
        answer = self.ask(method, **params)
        assert answer["error"] == []
        return answer["result"]

    def refusal(self, method: str, /, **params: object) -> str:
        (error,) = self.ask(method, **params)["error"]
        return str(error)
