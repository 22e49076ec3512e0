"""One HTTP call: which trouble is due, what the exchange says, how that goes out, and its line in the log of requests."""

from __future__ import annotations

import gzip
import socket
import struct
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from portfolio_sync.sandbox.auth import authenticate
from portfolio_sync.sandbox.connections import Server
from portfolio_sync.sandbox.exchange import Request
from portfolio_sync.sandbox.faults import CHANGED, NONCE_SPENT, STATUS, Fault, Trouble, throttled, words
from portfolio_sync.sandbox.message import failure, fields_of, success
from portfolio_sync.sandbox.refusal import ExchangeRefusal

JSON, ZIP = "application/json", b"PK\x03\x04"
COMPRESS_FROM = 4096  # bytes
LONGEST = 20  # digits of a nonce
LONGEST_URL = 4096  # beyond it 520 has been seen
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger, for no seconds

Outcome = tuple[bytes, str, int]
"""Body, ``ok`` or the error, cost."""


class Handler(BaseHTTPRequestHandler):
    server: Server
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
        fields = fields_of(body or parts.query.encode(), self.headers.get("Content-Type") or "")
        if prefix not in ("private", "public") or not parts.path.startswith("/0/"):
            self._note(parts.path, fields, None, ("not found", 0))
            self._send(404, b"not found", "text/plain")
            return
        if len(self.path) > LONGEST_URL:
            self._note(method, {}, None, ("url too long", 0))
            self._send(*STATUS[Trouble.HTML_520])
            return
        caller = (self.headers.get("API-Key") or "") if prefix == "private" else ""
        if not self.server.enter(caller):
            error = throttled(self.server.exchange.clock())
            self._note(method, fields, _nonce(fields), (error, 0))
            self._send(200, failure(error), JSON)
            return
        try:
            struck = self._strike(method)
            trouble = next((fault.trouble for fault in struck if fault.trouble), None)
            content, outcome, cost = self._outcome(prefix, method, body, fields, trouble)
        finally:
            self.server.leave(caller)  # before the answer leaves: the client may call again as soon as it has it
        self._note(method, fields, _nonce(fields) if prefix == "private" else None, (outcome, cost))
        for fault in struck:
            content = fault.alter(content) if fault.alter and outcome == "ok" else content
        self._deliver(content, trouble)

    def _strike(self, method: str) -> list[Fault]:
        """The faults that are due at this call, after what was to happen before it."""
        struck = self.server.exchange.strike(method)
        for fault in struck:
            if fault.act:
                fault.act()
        return struck

    def _outcome(
        self, prefix: str, method: str, body: bytes, fields: dict[str, str], trouble: Trouble | None
    ) -> Outcome:
        try:
            with self.server.exchange.lock:
                if trouble is None or trouble in CHANGED:
                    return self._call(prefix, method, body, fields)
                if prefix == "private" and trouble in NONCE_SPENT:
                    self._authenticate(method, body, fields, trouble)
                return failure(words(trouble, self.server.exchange.clock())), f"fault: {trouble}", 0
        except ExchangeRefusal as refusal:
            return failure(refusal.error), refusal.error, refusal.cost

    def _authenticate(self, method: str, body: bytes, fields: dict[str, str], trouble: Trouble) -> None:
        """The nonce of a call that fails is spent all the same, and a lockout is one for every later call."""
        exchange = self.server.exchange
        now, path = exchange.clock(), f"/0/private/{method}"
        key = authenticate(exchange.keys, path, self._headers(), body, fields, now, self.client_address[0])
        if trouble is Trouble.LOCKOUT:
            key.lock_out(now)

    def _headers(self) -> dict[str, str]:
        return {name: self.headers.get(name) or "" for name in ("API-Key", "API-Sign")}

    def _call(self, prefix: str, method: str, body: bytes, fields: dict[str, str]) -> Outcome:
        exchange, cost = self.server.exchange, 0
        if self.command != {"public": "GET", "private": "POST"}[prefix]:  # POST to public ended on 2024-01-01
            raise ExchangeRefusal("EGeneral:Unknown method")
        if prefix == "public":
            result = exchange.recorded.get(method) or exchange.public(method, fields)
        else:
            result, cost = exchange.private(method, self._headers(), body, fields, self.client_address[0])
        if isinstance(result, bytes):
            return result, "ok", cost
        if method == "Balance" and not result:
            return b'{"error":[]}', "ok", cost  # recorded: an empty account has no result at all
        return success(result), "ok", cost

    def _note(self, method: str, fields: dict[str, str], nonce: int | None, seen: tuple[str, int]) -> None:
        shown = {name: value for name, value in fields.items() if name not in ("nonce", "otp")}
        self.server.exchange.requests.append(Request(method, shown, nonce, *seen))

    def _deliver(self, content: bytes, trouble: Trouble | None) -> None:
        kind = "application/octet-stream" if content.startswith(ZIP) else JSON
        if trouble in (Trouble.RESET, Trouble.LOST):
            self._reset()
        elif trouble is Trouble.CLOSED:
            self.close_connection = True
        elif trouble in STATUS:
            self._send(*STATUS[trouble])
        elif trouble in CHANGED and not (trouble is Trouble.WARNING and kind != JSON):
            self._send(200, CHANGED[trouble](content), kind, short=trouble is Trouble.SHORT)
        else:
            self._send(200, content, kind)

    def _send(
        self, status: int, content: bytes, kind: str, more: Mapping[str, str] | None = None, *, short: bool = False
    ) -> None:
        headers = {"Content-Type": kind, **(more or {})}
        if len(content) >= COMPRESS_FROM and "gzip" in (self.headers.get("Accept-Encoding") or ""):
            content = gzip.compress(content, 1)
            headers["Content-Encoding"] = "gzip"
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if short else content)
        self.close_connection = self.close_connection or short

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """The log is ``requests``."""


def _nonce(fields: Mapping[str, str]) -> int:
    """As sent, for the log; 0 for none."""
    text = fields.get("nonce", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST else 0
