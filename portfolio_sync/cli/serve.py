"""``serve``: the scheduled background service."""

from __future__ import annotations

from pathlib import Path

import click

from portfolio_sync.cli.options import Output, build, config_option, output_options


@click.command()
@config_option
@output_options
def serve(config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Sync every account at its interval until stopped (SIGTERM, Ctrl-C). One sync at a time an account."""
    from portfolio_sync.core.clock import SystemClock
    from portfolio_sync.service.serve import serve as run

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    assert isinstance(app.clock, SystemClock)
    run(app, app.clock, output.note)
