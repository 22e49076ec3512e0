"""``init``: a settings file to edit, and a database."""

from __future__ import annotations

import os
from pathlib import Path

import click

from portfolio_sync.cli.options import Output, build, with_output
from portfolio_sync.errors import UsageError


@click.command()
@click.option("--config", type=click.Path(path_type=Path), default=Path("portfolio-sync.toml"), show_default=True)
@click.option("--force", is_flag=True, help="Replace the settings file that is there.")
@with_output
def init(output: Output, config: Path, force: bool) -> None:
    """Write a commented settings file and create (or migrate) the database."""
    from portfolio_sync.settings.template import template
    from portfolio_sync.store import migrate

    if config.exists() and not force:
        raise UsageError(f"{config} is there already; edit it, or replace it with --force")
    write_private(config, template(None))
    app = build(config, output)
    migrate.upgrade(app.database_url)
    output.data(
        {"config": config, "database": app.shown_database},
        [
            f"settings  {config}",
            f"database  {app.shown_database}",
            "",
            "next: set KRAKEN_API_KEY and KRAKEN_API_SECRET to a key with Query permissions only, then",
            "  portfolio-sync key check",
            "  portfolio-sync sync",
        ],
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
