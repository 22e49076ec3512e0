"""The practice exchange for tests, for the demo, and to try a client on: started, stopped and looked into from Python."""

from __future__ import annotations

import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Self

from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.connections import Server
from portfolio_sync.sandbox.exchange import Exchange, Request, Ways
from portfolio_sync.sandbox.faults import Fault
from portfolio_sync.sandbox.handler import Handler
from portfolio_sync.sandbox.key import ALL_READS, Key


def real_time() -> Decimal:
    return Decimal(time.time_ns()) / 1_000_000_000


class Sandbox:
    """``with Sandbox(account) as exchange:`` serves until the block ends.

    ``url``, ``key``, ``secret`` are what a client needs; ``requests`` is the log of what it asked. ``clock`` gives Unix
    seconds. ``key_facts`` are fields of ``key.Key``, ``ways`` those of ``exchange.Ways``. A call that made the server itself
    stumble is raised when the block ends.
    """

    def __init__(
        self,
        account: Account | None = None,
        *,
        port: int = 0,
        clock: Callable[[], Decimal] = real_time,
        key_facts: Mapping[str, Any] | None = None,
        replay: Mapping[str, bytes] | None = None,
        one_at_a_time: bool = True,
        **ways: Any,
    ) -> None:
        self.exchange = Exchange(account or Account(), {}, clock, Ways(**ways))
        self.exchange.recorded = dict(replay or {})
        self.facts = self.add_key(**(key_facts or {}))
        self.key, self.secret = self.facts.key, self.facts.secret
        self._server = Server(port, Handler, self.exchange, one_at_a_time=one_at_a_time)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def add_key(self, **facts: Any) -> Key:
        """One more key of the account, with a nonce, a counter and permissions of its own."""
        made = {"key": "P" + secrets.token_urlsafe(40), "secret": b64encode(secrets.token_bytes(64)).decode()}
        key = Key(**(made | {"permissions": ALL_READS} | facts))
        self.exchange.keys[key.key] = key
        return key

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> list[Request]:
        return self.exchange.requests

    @property
    def faults(self) -> list[Fault]:
        return self.exchange.faults

    @property
    def account(self) -> Account:
        return self.exchange.account

    def book(self, row: Entry) -> None:
        self.exchange.book(row)

    def calls(self, method: str | None = None) -> int:
        """How many private calls came in (of one method)."""
        return sum(r.nonce is not None and method in (None, r.method) for r in self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()
        if failed is None and self._server.failures:
            raise self._server.failures[0]
