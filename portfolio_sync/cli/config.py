"""``config show``: what is in force, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portfolio_sync.cli.options import Output, table, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App

SECTIONS = ("database", "exchange", "sync", "service", "log", "prices", "tax")
KEY_PLACES = ("key_file", "key", "secret", "otp", "totp_secret")


@click.group()
def config() -> None:
    """The settings in force."""


@config.command()
@with_app
def show(app: App, output: Output) -> None:
    """Every setting, its value and where that comes from; of secrets only the place. Asks nobody, opens no key file."""
    settings, accounts = list(_settings(app)), [_account(app, name) for name in range(len(app.settings.accounts))]
    document = {"file": app.loaded.path, "settings": settings, "accounts": accounts}
    lines = [f"settings file: {app.loaded.path or 'none'}", ""]
    lines += table(("setting", "value", "from"), [tuple(each.values()) for each in settings])
    for account in accounts:
        lines += [
            "",
            f"account {account['name']}",
            *(f"  {line}" for line in table(("", ""), list(account.items())[1:])[1:]),
        ]
    output.data(document, lines)


def _settings(app: App) -> Iterator[dict[str, Any]]:
    for section in SECTIONS:
        for key, value in getattr(app.settings, section).model_dump(mode="json").items():
            name = f"{section}.{key}"
            shown = app.shown_database if name == "database.url" else _plain(value)
            yield {"setting": name, "value": shown, "from": app.loaded.origins.get(name, "default")}
    urls = ", ".join(_place(app, place) for place in app.settings.notify.urls)
    yield {"setting": "notify.urls", "value": urls, "from": str(app.loaded.path) if urls else "default"}


def _account(app: App, number: int) -> dict[str, Any]:
    """The account's own: its places of secrets, and what it sets apart from ``[exchange]`` and ``[sync]``."""
    account = app.settings.accounts[number]
    own = {"name": account.name, "taxpayer": account.taxpayer}
    own |= {name: _place(app, place) for name in KEY_PLACES if (place := getattr(account, name)) is not None}
    for section in ("exchange", "sync"):
        common = getattr(app.settings, section).model_dump(mode="json")
        theirs = getattr(account, section).model_dump(mode="json")
        own |= {key: _plain(value) for key, value in theirs.items() if value != common[key]}
    if account.allow_permissions:
        own["allow_permissions"] = ", ".join(account.allow_permissions)
    return own


def _place(app: App, place: Any) -> str:
    if getattr(place, "env", None):
        return app.loaded.environ.origin(place.env) if place.env in app.loaded.environ else f"{place.env} (not set)"
    return f"file {place}" if isinstance(place, Path) else str(place)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
