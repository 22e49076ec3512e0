"""Connections that notice, while they wait for an answer, that the program was asked to stop."""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from portfolio_sync.core.clock import Check

LOOK_EVERY = 1.0  # seconds


def noticing(manager: PoolManager, check: Check) -> None:
    """Every wait for bytes on its new connections ends as soon as ``check`` raises; else as its timeout says."""

    def answer(sock: socket.socket, *given: Any, **named: Any) -> HTTPResponse:
        return HTTPResponse(_Watched(sock, check), *given, **named)  # type: ignore[arg-type]

    class Plain(HTTPConnection):
        response_class = staticmethod(answer)  # type: ignore[assignment]

    class Secure(HTTPSConnection):
        response_class = staticmethod(answer)  # type: ignore[assignment]

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


class _Watched:
    """As much of a socket as an answer asks for."""

    def __init__(self, sock: socket.socket, check: Check) -> None:
        self._socket, self._check = sock, check

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Bytes(self._socket, self._check))


class _Bytes(io.RawIOBase):
    """What the socket brings, waited for in short pieces."""

    def __init__(self, sock: socket.socket, check: Check) -> None:
        self._socket, self._check = sock, check
        self._own = sock.makefile("rb", buffering=0)  # a connection that is closed stays open for who still reads

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises TimeoutError as the socket would, and what ``check`` raises."""
        patience = self._socket.gettimeout()
        start = time.monotonic()
        try:
            while True:
                left = None if patience is None else start + patience - time.monotonic()
                self._socket.settimeout(LOOK_EVERY if left is None else min(LOOK_EVERY, max(left, 0.001)))
                try:
                    return self._socket.recv_into(buffer)
                except TimeoutError:
                    self._check()
                    if left is not None and left <= LOOK_EVERY:
                        raise
        finally:
            self._socket.settimeout(patience)

    def close(self) -> None:
        self._own.close()
        super().close()
