"""``serve``: the scheduled background service."""

from __future__ import annotations

import click

from portfolio_sync.app import App
from portfolio_sync.cli.options import Output, with_app


@click.command()
@with_app
def serve(app: App, output: Output) -> None:  # noqa: ARG001 - its log level is set already
    """Sync every account at its interval until stopped (SIGTERM, Ctrl-C). One sync at a time an account.

    Meanwhile /healthz, /readyz and /metrics answer on [service] listen, and [notify] urls are told of trouble.
    """
    from portfolio_sync.core.clock import SystemClock
    from portfolio_sync.service.serve import serve as run

    assert isinstance(app.clock, SystemClock)
    run(app, app.clock)
