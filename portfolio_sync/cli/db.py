"""``db upgrade``, ``db current``."""

from __future__ import annotations

from pathlib import Path

import click

from portfolio_sync.cli.options import Output, build, config_option, output_options


@click.group()
def db() -> None:
    """Create, upgrade and look at the database."""


@db.command()
@config_option
@output_options
def upgrade(config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Create the database, or bring an older one to this program's version."""
    from portfolio_sync.store import migrate

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    found = migrate.upgrade(app.database_url)
    revision = migrate.current(app.database_url)
    done = {None: "newly made", revision: "nothing to do"}.get(found, f"upgraded from {found}")
    document = {"database": app.shown_database, "revision": revision, "from": found}
    output.data(document, [f"{app.shown_database} is at {revision}, {done}"])


@db.command()
@config_option
@output_options
def current(config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """The database's version, and the one this program needs."""
    from portfolio_sync.store import migrate

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    revision = migrate.current(app.database_url)
    document = {"database": app.shown_database, "revision": revision, "needed": migrate.HEAD}
    output.data(document, [f"{app.shown_database} is at {revision or 'nothing'}; this program needs {migrate.HEAD}"])
