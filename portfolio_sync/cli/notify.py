"""``notify test``: do the channels that are told of trouble work?"""

from __future__ import annotations

import click

from portfolio_sync.app import App
from portfolio_sync.cli.options import Output, with_app
from portfolio_sync.errors import ExitCode, SettingsError


@click.group()
def notify() -> None:
    """Who is told when an account needs a person."""


@notify.command()
@with_app
def test(app: App, output: Output) -> int:
    """Send a test message through every channel of [notify] urls. Exit 5 where one did not arrive."""
    from portfolio_sync.service.notify import channels_of

    channels = channels_of(app)
    if not channels:
        raise SettingsError('[notify] urls names no channel; write urls = [{ env = "ALERT_URL" }] under [notify]')
    text = "This is a test: notifications of portfolio-sync arrive."
    arrived = {channel.name: channel.tell("portfolio-sync: test", text) for channel in channels}
    lines = [f"{name}: {'sent' if sent else 'FAILED'}" for name, sent in arrived.items()]
    output.data([{"channel": name, "sent": sent} for name, sent in arrived.items()], lines)
    return ExitCode.DONE if all(arrived.values()) else ExitCode.EXCHANGE
