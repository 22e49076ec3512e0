"""``db upgrade``, ``db current``, ``db backup``, ``db restore``."""

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


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Replace FILE if it exists.")
@config_option
@output_options
def backup(file: Path, replace: bool, config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Copy the SQLite database to FILE while others use it, and check the copy."""
    from portfolio_sync.store.backup import back_up

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    done = back_up(app.database_url, file, replace=replace)
    document = {"file": done.path, "revision": done.revision, "bytes": done.size}
    output.data(document, [f"{done.path}: whole, revision {done.revision}, {done.size:,} bytes"])


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Replace the database that is there.")
@config_option
@output_options
def restore(file: Path, replace: bool, config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Put a backup in the place of the SQLite database. Stop the service first."""
    from portfolio_sync.store.backup import restore as put_back

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    done = put_back(file, app.database_url, replace=replace)
    document = {"database": app.shown_database, "revision": done.revision, "bytes": done.size}
    output.data(document, [f"{app.shown_database} is what {file} holds, revision {done.revision}"])
