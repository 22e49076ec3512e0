"""``import``: rows from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, with_app
from portfolio_sync.errors import ExitCode

if TYPE_CHECKING:
    from portfolio_sync.app import App

FORMATS = ("auto", "kraken", "transactions")


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", "-a", required=True, metavar="A", help="Whose rows these are; created if it is new.")
@click.option("--taxpayer", metavar="X", help="Whose account it is, where it is new [default: me].")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="auto",
    show_default=True,
    help="Kraken's ledgers and trades exports (CSV, TSV, or ZIP), or a transactions CSV; auto: by the header.",
)
@with_app
def import_(app: App, output: Output, files: tuple[Path, ...], account: str, taxpayer: str | None, format_: str) -> int:
    """Import files: all of them, or nothing where one has a mistake. The same file again changes nothing.

    Rows meet those of the API by their id; where a file says otherwise, the API's figure is kept, and exit 4 tells it.
    """
    from portfolio_sync.tasks.imports import AUTO, TRANSACTIONS, format_of, import_kraken

    if (format_of(files) if format_ == AUTO else format_) == TRANSACTIONS:
        from portfolio_sync.tasks.transactions import import_transactions

        own = import_transactions(app, account, taxpayer, files)
        output.data(own.document(), own.lines())
        return ExitCode.DONE
    imported = import_kraken(app, account, taxpayer, files)
    output.data(imported.document(), imported.lines())
    return ExitCode.NEEDS_PERSON if imported.needs_person else ExitCode.DONE
