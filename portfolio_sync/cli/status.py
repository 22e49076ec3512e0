"""``status``: how every account and stream stands, at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, account_option, table, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.command()
@account_option
@with_app
def status(app: App, output: Output, account: tuple[str, ...]) -> None:
    """Per account and stream: coverage, rows, last success, proof; last and next run; changes and findings."""
    from portfolio_sync.tasks.status import standing

    found = standing(app.engine, account)
    lines = []
    for one in found:
        lines += [
            f"account {one.name} (taxpayer {one.taxpayer}), key: {one.key_state or 'never used'}, proof: {one.proof}"
        ]
        lines += [f"  {line}" for line in table(one.header, one.streams)]
        lines += [f"  {line}" for line in one.words()]
    output.data([one.document() for one in found], lines or ["no account yet; the next step is: portfolio-sync sync"])
