"""The one door to the network: it lets through the endpoints of the enum, at one host, and nothing else."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, BaseAdapter, HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from portfolio_sync.core.clock import Check, never
from portfolio_sync.core.loopback import is_loopback
from portfolio_sync.errors import SettingsError
from portfolio_sync.kraken.connection import noticing
from portfolio_sync.kraken.endpoint import Endpoint

ALLOWED = frozenset((endpoint.method, endpoint.path) for endpoint in Endpoint)
DEFAULT_PORTS = {"https": 443, "http": 80}


class ForbiddenRequest(RuntimeError):
    """A bug of ours: something tried to send what this program must never send. No byte left."""


class OnlyReads(HTTPAdapter):
    """Sends requests to ``origin`` whose method and path are in the enum; refuses the rest before a connection is opened."""

    def __init__(self, origin: str, check: Check) -> None:
        self.origin, self._check = _origin(origin), check
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        noticing(self.poolmanager, self._check)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        noticing(manager, self._check)
        return manager

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        url = request.url or ""
        if _origin(url) != self.origin or (request.method, urlsplit(url).path) not in ALLOWED:
            raise ForbiddenRequest(f"refused to send {request.method} {urlsplit(url).path or url}")
        return super().send(request, *args, **kwargs)

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: bool | str, cert: Any = None
    ) -> Any:
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, _trusting(verify) if host["scheme"] == "https" else tls

    def cert_verify(self, *_: Any) -> None:
        """The context has the certificates; requests would read them anew for each connection."""


class Refuses(BaseAdapter):
    """Stands at every other address."""

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        raise ForbiddenRequest(f"refused to send {request.method} to another place than the exchange")

    def close(self) -> None:
        pass


def session(url: str, user_agent: str, check: Check = never) -> Session:
    """A session that can reach the exchange at ``url`` and nothing else. Raises SettingsError for plain http beyond loopback.

    What ``check`` raises ends a wait for an answer.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise SettingsError("the exchange's URL must be https, or http on loopback only")
    made = Session()
    made.trust_env = parts.scheme == "https"  # a company's proxy, never for loopback
    made.auth = _no_auth  # and never a password from ~/.netrc
    made.max_redirects = 0
    for prefix in list(made.adapters):
        made.mount(prefix, Refuses())
    made.mount(f"{parts.scheme}://", OnlyReads(url, check))
    made.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
    return made


def _trusting(verify: bool | str) -> dict[str, Any]:
    """``verify``: the bundle that ``REQUESTS_CA_BUNDLE`` names, else that of certifi. That nothing is verified cannot be said."""
    bundle = Path(verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH)
    try:
        context = _context(bundle, bundle.stat().st_mtime_ns)
    except OSError as error:
        raise SettingsError(
            f"{bundle}: the certificates to trust cannot be read (REQUESTS_CA_BUNDLE?): {error}"
        ) from None
    return {"cert_reqs": "CERT_REQUIRED", "ssl_context": context}


@lru_cache(maxsize=4)
def _context(bundle: Path, _changed: int) -> SSLContext:
    """One for the process: to read the certificates at each connection would cost more than all else of an idle sync."""
    context = create_urllib3_context()
    context.load_verify_locations(**{"capath" if bundle.is_dir() else "cafile": str(bundle)})
    return context


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _no_auth(request: PreparedRequest) -> PreparedRequest:
    return request
