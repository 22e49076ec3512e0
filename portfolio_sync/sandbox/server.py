"""The practice exchange over HTTP on loopback, for tests, for the demo, and to try a client on."""

from __future__ import annotations

import gzip
import json
import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.exchange import Exchange, Request, Ways
from portfolio_sync.sandbox.faults import BEFORE, ERRORS, Fault, Trouble, throttled
from portfolio_sync.sandbox.key import ALL_READS, Key
from portfolio_sync.sandbox.refusal import ExchangeRefusal

HTML = b"<!DOCTYPE html><html><head><title>520: Web server is returning an unknown error</title></head></html>"
COMPRESS_FROM = 4096  # bytes


def real_time() -> Decimal:
    return Decimal(time.time_ns()) / 1_000_000_000


class Sandbox:
    """``with Sandbox(account) as exchange:`` serves until the block ends.

    ``url``, ``key``, ``secret`` are what a client needs; ``requests`` is the log of what it asked. ``ways`` are the fields
    of ``exchange.Ways``, ``key_facts`` those of ``key.Key``.
    """

    def __init__(
        self,
        account: Account | None = None,
        *,
        port: int = 0,
        clock: Callable[[], Decimal] = real_time,
        key_facts: Mapping[str, Any] | None = None,
        replay: Mapping[str, bytes] | None = None,
        **ways: Any,
    ) -> None:
        self.key, self.secret = "P" + secrets.token_urlsafe(40), b64encode(secrets.token_bytes(64)).decode()
        facts: dict[str, Any] = {"permissions": ALL_READS} | dict(key_facts or {})
        self.facts = Key(self.key, self.secret, **facts)
        self.exchange = Exchange(account or Account(), {self.key: self.facts}, clock, Ways(**ways))
        self.exchange.recorded = dict(replay or {})
        self._server = _Server(("127.0.0.1", port), self.exchange)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

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

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], exchange: Exchange) -> None:
        super().__init__(address, _Handler)
        self.exchange = exchange

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is everyday life, no traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    wbufsize = -1  # one packet an answer: unbuffered writes cost 44 ms each with Nagle's algorithm
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        prefix, _, method = parts.path.removeprefix("/0/").partition("/")
        if prefix not in ("private", "public") or not parts.path.startswith("/0/"):
            self._send(404, b"not found", "text/plain")
            return
        struck = self.server.exchange.strike(method)
        for fault in struck:
            if fault.act:
                fault.act()
        troubles = [fault.trouble for fault in struck if fault.trouble]
        before = next((t for t in troubles if t in BEFORE), None)
        after = next((t for t in troubles if t not in BEFORE), None)
        fields = _fields(body or parts.query.encode(), self.headers.get("Content-Type") or "")
        if before is not None:
            self._note(method, prefix, fields, f"fault: {before}", 0)
            self._trouble(before)
            return
        with self.server.exchange.lock:
            content, outcome, cost = self._call(prefix, method, body, fields)
        self._note(method, prefix, fields, outcome, cost)
        self._deliver(content, after)

    def _call(self, prefix: str, method: str, body: bytes, fields: dict[str, str]) -> tuple[bytes, str, int]:
        try:
            if method in self.server.exchange.recorded:
                return self.server.exchange.recorded[method], "ok", 0
            if prefix == "public":
                self._only("GET")  # POST is no longer served here since 2024-01-01
                return _json({"error": [], "result": self.server.exchange.public(method, fields)}), "ok", 0
            self._only("POST")
            result, cost = self.server.exchange.private(method, self.headers, body, fields, self.client_address[0])  # type: ignore[arg-type]  # a Message is read like a mapping
        except ExchangeRefusal as refusal:
            return _json({"error": [refusal.error]}), refusal.error, 0
        if isinstance(result, bytes):
            return result, "ok", cost
        if method == "Balance" and not result:
            return _json({"error": []}), "ok", cost  # recorded: an empty account has no result at all
        return _json({"error": [], "result": result}), "ok", cost

    def _only(self, command: str) -> None:
        if self.command != command:
            raise ExchangeRefusal("EGeneral:Unknown method")

    def _note(self, method: str, prefix: str, fields: dict[str, str], outcome: str, cost: int) -> None:
        nonce = fields.get("nonce", "")
        taken = int(nonce) if prefix == "private" and nonce.isdigit() else (0 if prefix == "private" else None)
        shown = {name: value for name, value in fields.items() if name not in ("nonce", "otp")}
        self.server.exchange.requests.append(Request(method, shown, taken, outcome, cost))

    def _deliver(self, content: bytes, trouble: Trouble | None) -> None:
        if trouble is Trouble.LOST:
            self._hang_up()
        elif trouble is Trouble.TRUNCATED:
            self._send(200, content[: len(content) // 2], "application/json")
        elif trouble is Trouble.WARNING:
            warned = content.replace(b'"error":[', b'"error":["WGeneral:Something to know"', 1)
            self._send(200, warned, "application/json")
        elif trouble is Trouble.NO_RESULT:
            self._send(200, b'{"error":[]}', "application/json")
        else:
            zipped = content.startswith(b"PK")
            self._send(200, content, "application/octet-stream" if zipped else "application/json")

    def _trouble(self, trouble: Trouble) -> None:
        if trouble is Trouble.RESET:
            self._hang_up()
        elif trouble is Trouble.HTML_520:
            self._send(520, HTML, "text/html")
        elif trouble is Trouble.HTTP_502:
            self._send(502, HTML, "text/html")
        elif trouble is Trouble.HTTP_429:
            self._send(429, b"", "text/plain", {"Retry-After": "1"})
        else:
            error = throttled(self.server.exchange.clock()) if trouble is Trouble.THROTTLED else ERRORS[trouble]
            self._send(200, _json({"error": [error]}), "application/json")

    def _send(self, status: int, content: bytes, kind: str, more: Mapping[str, str] | None = None) -> None:
        headers = {"Content-Type": kind, **(more or {})}
        if len(content) >= COMPRESS_FROM and "gzip" in (self.headers.get("Accept-Encoding") or ""):
            content = gzip.compress(content, 1)
            headers["Content-Encoding"] = "gzip"
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """The log is ``requests``."""


def _fields(body: bytes, kind: str) -> dict[str, str]:
    """The fields of a form or of a JSON body, as text."""
    if kind.startswith("application/json"):
        try:
            return {name: _text(value) for name, value in json.loads(body).items()}
        except (ValueError, AttributeError):
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(document: object) -> bytes:
    """Decimals become JSON numbers with all their digits: the standard library would make floats of them."""
    return _encode(document).encode()


def _encode(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(k))}:{_encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)
