"""``db upgrade``, ``db current``, ``db backup``, ``db restore``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.group()
def db() -> None:
    """Create, upgrade and look at the database."""


@db.command()
@with_app
def upgrade(app: App, output: Output) -> None:
    """Create the database, or bring an older one to this program's version."""
    from portfolio_sync.store import migrate

    found = migrate.upgrade(app.database_url)
    revision = migrate.current(app.database_url)
    done = {None: "newly made", revision: "nothing to do"}.get(found, f"upgraded from {found}")
    document = {"database": app.shown_database, "revision": revision, "from": found}
    output.data(document, [f"{app.shown_database} is at {revision}, {done}"])


@db.command()
@with_app
def current(app: App, output: Output) -> None:
    """The database's version, and the one this program needs."""
    from portfolio_sync.store import migrate

    revision = migrate.current(app.database_url)
    document = {"database": app.shown_database, "revision": revision, "needed": migrate.HEAD}
    output.data(document, [f"{app.shown_database} is at {revision or 'nothing'}; this program needs {migrate.HEAD}"])


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Replace FILE if it exists.")
@with_app
def backup(app: App, output: Output, file: Path, replace: bool) -> None:
    """Copy the SQLite database to FILE while others use it, and check the copy."""
    from portfolio_sync.store.backup import back_up

    done = back_up(app.database_url, file, replace=replace)
    document = {"file": done.path, "revision": done.revision, "bytes": done.size}
    output.data(document, [f"{done.path}: whole, revision {done.revision}, {done.size:,} bytes"])


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Replace the database that is there.")
@with_app
def restore(app: App, output: Output, file: Path, replace: bool) -> None:
    """Put a backup in the place of the SQLite database. Stop the service first."""
    from portfolio_sync.store.backup import restore as put_back

    done = put_back(file, app.database_url, replace=replace)
    document = {"database": app.shown_database, "revision": done.revision, "bytes": done.size}
    output.data(document, [f"{app.shown_database} is what {file} holds, revision {done.revision}"])
