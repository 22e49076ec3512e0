"""``key check``: what the key can do, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portfolio_sync.cli.options import Output, account_option, with_app, worst
from portfolio_sync.errors import ExitCode, PortfolioSyncError

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.group()
def key() -> None:
    """What the API key can do, and whether it is safe to use."""


@key.command()
@account_option
@with_app
def check(app: App, output: Output, account: tuple[str, ...]) -> int:
    """Ask Kraken what the key may do. A key that can do more than read is refused (exit 3)."""
    from portfolio_sync.sync.key import refusal
    from portfolio_sync.tasks.sync import look_at_key

    codes, documents, lines = [], [], []
    for each in app.accounts_with_key(account):
        document: dict[str, Any] = {"account": each.name}
        lines.append(f"account {each.name}")
        code = ExitCode.DONE
        try:
            report = look_at_key(app, each, output.note)
        except PortfolioSyncError as error:
            code = error.exit_code
            document |= {"state": "failed", "error": str(error)}
        else:
            document |= report.document()
            lines += [f"  {line}" for line in report.words]
            if report.verdict and report.verdict.refused:
                code = ExitCode.KEY_REFUSED
                document["error"] = refusal(report.verdict.refused)
        if "error" in document:
            click.echo(f"portfolio-sync: {each.name}: {document['error']}", err=True)
        codes.append(code)
        documents.append(document)
    output.data(documents, lines)
    return worst(codes)
