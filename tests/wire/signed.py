"""A caller that goes on where its key stands, one connection a call: for tests of what the exchange answers, not how it is reached."""

from __future__ import annotations

from typing import Any

from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.server import Sandbox
from tests.wire.caller import Caller


class Signed:
    """``ask("Ledgers", ofs=50)`` gives the whole envelope; ``result`` what is in it; ``refusal`` its only error."""

    def __init__(self, exchange: Sandbox, key: Key | None = None) -> None:
        self.exchange, self.key = exchange, key or exchange.facts

    def ask(self, method: str, /, **params: object) -> Any:
        with Caller(self.exchange, self.key) as caller:
            caller.nonce = self.key.nonce
            return caller(method, **{name: str(value) for name, value in params.items()})

    def result(self, method: str, /, **params: object) -> Any:
        answer = self.ask(method, **params)
        assert answer["error"] == []
        return answer["result"]

    def refusal(self, method: str, /, **params: object) -> str:
        (error,) = self.ask(method, **params)["error"]
        return str(error)
