"""The one door to the network: it lets through the endpoints of the enum, at one host, and nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter, HTTPAdapter

from portfolio_sync.core.loopback import is_loopback
from portfolio_sync.errors import SettingsError
from portfolio_sync.kraken.endpoint import Endpoint

ALLOWED = frozenset((endpoint.method, endpoint.path) for endpoint in Endpoint)
DEFAULT_PORTS = {"https": 443, "http": 80}


class ForbiddenRequest(RuntimeError):
    """A bug of ours: something tried to send what this program must never send. No byte left."""


class OnlyReads(HTTPAdapter):
    """Sends requests to ``origin`` whose method and path are in the enum; refuses the rest before a connection is opened."""

    def __init__(self, origin: str) -> None:
        self.origin = _origin(origin)
        super().__init__(max_retries=0)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        url = request.url or ""
        if _origin(url) != self.origin or (request.method, urlsplit(url).path) not in ALLOWED:
            raise ForbiddenRequest(f"refused to send {request.method} {urlsplit(url).path or url}")
        return super().send(request, *args, **kwargs)


class Refuses(BaseAdapter):
    """Stands at every other address."""

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        raise ForbiddenRequest(f"refused to send {request.method} to another place than the exchange")

    def close(self) -> None:
        pass


def session(url: str, user_agent: str) -> Session:
    """A session that can reach the exchange at ``url`` and nothing else. Raises SettingsError for plain http beyond loopback."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise SettingsError("the exchange's URL must be https, or http on loopback only")
    made = Session()
    made.trust_env = parts.scheme == "https"  # a company's proxy, never for loopback
    made.auth = _no_auth  # and never a password from ~/.netrc
    made.max_redirects = 0
    for prefix in list(made.adapters):
        made.mount(prefix, Refuses())
    made.mount(f"{parts.scheme}://", OnlyReads(url))
    made.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
    return made


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _no_auth(request: PreparedRequest) -> PreparedRequest:
    return request
