"""Tell people: webhook, e-mail and what else Apprise knows. A channel's URL holds credentials and is never printed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from portfolio_sync.app import App
from portfolio_sync.core.log import log
from portfolio_sync.core.redact import hide, redact
from portfolio_sync.errors import SettingsError
from portfolio_sync.settings.secrets import secret_at

LEAST_TOKEN = 8  # letters; shorter parts of a URL are words, not credentials
Tell = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Channel:
    """``name`` is that of the setting: ``env ALERT_URL``. ``tell(title, text)`` says whether it arrived, and never raises."""

    name: str
    tell: Tell


def channels_of(app: App) -> list[Channel]:
    """The channels of ``[notify] urls``. Raises SettingsError: the library is not there, a reference or its URL leads nowhere."""
    return [_channel(app, f"[notify] urls: {place}", str(place), place) for place in app.settings.notify.urls]


def _channel(app: App, setting: str, name: str, place: Any) -> Channel:
    try:
        from apprise import Apprise
    except ImportError:
        raise SettingsError("[notify] urls needs: pip install 'portfolio-sync[notify]'") from None
    url = secret_at(place, setting, app.loaded.environ, app.loaded.folder, app.warn).reveal()
    _hide_parts(url)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of what its plugins import, all of which it loads here
        service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise SettingsError(
            f"{setting}: what is kept there is no URL of a channel, such as jsons://host/path or mailtos://user:password@host"
        )
    return Channel(name, lambda title, text: _tell(service, name, title, text))


def _tell(service: Any, name: str, title: str, text: str) -> bool:
    try:
        arrived = bool(service.notify(title=redact(title), body=redact(text)))
    except Exception as error:  # noqa: BLE001 - whatever a plugin runs into, it must not stop the syncing
        log.warning("notification through %s failed: %s: %s", name, type(error).__name__, error)
        return False
    if not arrived:
        log.warning("notification through %s failed; it is tried again later", name)
    return arrived


def _hide_parts(url: str) -> None:
    """The URL's credentials, as a whole and one by one: libraries log parts of it."""
    hide(url)
    try:
        parts = urlsplit(url)
        secrets = [parts.password or "", *_tokens(parts.username, parts.hostname, *parts.path.split("/"))]
        secrets += _tokens(*(pair.partition("=")[2] for pair in parts.query.split("&")))
    except ValueError:
        return
    for secret in secrets:
        hide(unquote(secret))


def _tokens(*texts: str | None) -> list[str]:
    """What could be a token: long, and not a host or an address."""
    return [text for text in texts if text and len(text) >= LEAST_TOKEN and "." not in text and text != "localhost"]


def tell_all(channels: Sequence[Channel], title: str, text: str) -> list[str]:
    """The names of the channels that it arrived at."""
    return [channel.name for channel in channels if channel.tell(title, text)]
