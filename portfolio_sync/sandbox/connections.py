"""HTTP/1.1 connections on loopback in front of an Exchange: opened, counted by key, and ended with the server."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from http.server import ThreadingHTTPServer
from socketserver import BaseRequestHandler, TCPServer
from typing import Any

from portfolio_sync.sandbox.exchange import Exchange


class Server(ThreadingHTTPServer):
    """``one_at_a_time``: a second call of a key while one is under way is refused."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, port: int, handler: type[BaseRequestHandler], exchange: Exchange, *, one_at_a_time: bool
    ) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.exchange, self.one_at_a_time = exchange, one_at_a_time
        self.failures: list[BaseException] = []
        self._under_way: set[str] = set()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def server_bind(self) -> None:
        """Without the name look-up of HTTPServer, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def enter(self, caller: str) -> bool:
        """Whether a call of this key may begin; one that may ends with ``leave``."""
        with self._lock:
            if caller in self._under_way:
                return False
            if caller and self.one_at_a_time:
                self._under_way.add(caller)
            return True

    def leave(self, caller: str) -> None:
        with self._lock:
            self._under_way.discard(caller)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End what is still connected: a server that is gone does not answer on an old connection either."""
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # it may have ended by itself just now
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: Any) -> None:
        """A client that goes away in the middle is everyday life; anything else is a mistake of ours, kept to be seen."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.failures.append(error)
