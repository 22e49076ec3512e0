"""``status``: how every account and stream stands, at a glance."""

from __future__ import annotations

from pathlib import Path

import click

from portfolio_sync.cli.options import Output, account_option, build, config_option, output_options, table


@click.command()
@account_option
@config_option
@output_options
def status(account: tuple[str, ...], config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Per account and stream: coverage, rows, last success, proof; last and next run; changes and findings."""
    from portfolio_sync.tasks.status import standing

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    found = standing(app.engine, account)
    lines = []
    for one in found:
        lines += [
            f"account {one.name} (taxpayer {one.taxpayer}), key: {one.key_state or 'never used'}, proof: {one.proof}"
        ]
        lines += [f"  {line}" for line in table(one.header, one.streams)]
        lines += [f"  {line}" for line in one.words()]
    output.data([one.document() for one in found], lines or ["no account yet; the next step is: portfolio-sync sync"])
