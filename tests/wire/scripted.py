"""A server that says its lines: each request gets the next answer, and is written down."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Line:
    """One answer. ``reset``: the connection breaks instead."""

    body: bytes = b'{"error":[],"result":{}}'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False


def ok(result: object) -> Line:
    return Line(json.dumps({"error": [], "result": result}).encode())


def error(*texts: str) -> Line:
    return Line(json.dumps({"error": list(texts)}).encode())


@dataclass
class Script:
    """``said`` holds what was asked: path and form fields. The last line is repeated."""

    lines: list[Line]
    url: str = ""
    said: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def nonces(self) -> list[int]:
        return [int(fields["nonce"]) for _, fields in self.said if "nonce" in fields]

    def answer(self, path: str, body: bytes) -> Line:
        self.said.append((path, {name: values[0] for name, values in parse_qs(body.decode()).items()}))
        return self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]


@contextmanager
def scripted(*lines: Line, tls: SSLContext | None = None) -> Iterator[Script]:
    """``tls``: it speaks https, as ``localhost``."""
    script = Script(list(lines))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            line = script.answer(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if line.reset:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(line.status)
            for name, value in {"Content-Length": str(len(line.body)), **line.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(line.body)
            self.wfile.flush()

        do_GET = do_POST  # noqa: N815 - http.server's naming

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        script.url = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
