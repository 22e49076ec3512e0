"""A small HTTP server for whoever watches the service. Three paths, GET and HEAD; everything else is refused."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from portfolio_sync.core.log import log
from portfolio_sync.errors import SettingsError

SILENCE = 10  # seconds that a caller may take to say what he wants
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    status: HTTPStatus
    body: str
    content_type: str = TEXT


Answers = Mapping[str, Callable[[], Answer]]


class Listener:
    """Listens from the start on and answers in threads of its own. Raises SettingsError where it cannot listen."""

    def __init__(self, host: str, port: int, answers: Answers) -> None:
        try:
            self._server = _server(host)((host, port), partial(_Handler, answers))
        except OSError as error:
            raise SettingsError(f"[service] listen: cannot listen on {host}:{port}: {_reason(error)}") from None
        self.host, self.port = host, int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="http", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def close(self) -> None:
        """Listen no more; answers under way are not waited for."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return 'the port is in use (by another serve?); choose another, or "off"'
    return error.strerror or str(error)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base class's
        log.debug("a caller of the status endpoints went away", exc_info=True)


class _Server6(_Server):
    address_family = socket.AF_INET6


def _server(host: str) -> type[_Server]:
    return _Server6 if ":" in host else _Server


# ruff: noqa: N815 - the standard library finds methods by these names
class _Handler(BaseHTTPRequestHandler):
    server_version = "portfolio-sync"
    sys_version = ""
    timeout = SILENCE

    def __init__(self, answers: Answers, *given: object) -> None:
        self._answers = answers
        super().__init__(*given)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        answer = self._answers.get(self.path.partition("?")[0])
        self._send(answer() if answer else Answer(HTTPStatus.NOT_FOUND, f"there are: {' '.join(self._answers)}\n"))

    do_HEAD = do_GET

    def _refuse(self) -> None:
        self._send(Answer(HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD only\n"))

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _refuse

    def _send(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        log.debug("http %s " + format, self.client_address[0], *args)
