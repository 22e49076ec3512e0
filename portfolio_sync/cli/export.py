"""``export``: files for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, account_option, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.command()
@click.option("--format", "-f", "format_", metavar="F", required=True, help="kraken-ledgers, koinly or beancount.")
@click.option("--profile", "-p", metavar="P", help="Whose currency values are in [default: that of the settings].")
@click.option("--currency", metavar="C", help="Another currency than the profile's.")
@click.option("--taxpayer", metavar="X", help="Whose rows, where there are several.")
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file.")
@account_option
@with_app
def export(
    app: App,
    output: Output,
    format_: str,
    profile: str | None,
    currency: str | None,
    taxpayer: str | None,
    out: Path,
    account: tuple[str, ...],
) -> None:
    """Write what is stored in the format of another tool, exact; what is not known is left blank."""
    from portfolio_sync.tasks import export as exporting
    from portfolio_sync.tasks.report import Asked

    asked = Asked(profile, None, "all", currency, taxpayer, None, account)
    done = exporting.export(app, format_, asked, out)
    output.data(done.document(), [f"{done.lines:,} lines of {done.format} -> {done.path}"])
