"""``key check``: what the key can do, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from portfolio_sync.cli.options import Output, account_option, build, config_option, output_options, worst
from portfolio_sync.errors import ExitCode, PortfolioSyncError


@click.group()
def key() -> None:
    """What the API key can do, and whether it is safe to use."""


@key.command()
@account_option
@config_option
@output_options
def check(account: tuple[str, ...], config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Ask Kraken what the key may do. A key that can do more than read is refused (exit 3)."""
    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    results = [_check(app, each) for each in app.accounts_with_key(account)]
    output.data(results, [line for result in results for line in _lines(result)])
    return worst(result["exit_code"] for result in results)


def _check(app: Any, account: Any) -> dict[str, Any]:
    try:
        return {"account": account.name, "exit_code": ExitCode.DONE, **app.key_report(account)}
    except PortfolioSyncError as error:
        return {"account": account.name, "exit_code": error.exit_code, "usable": False, "error": str(error)}


def _lines(result: dict[str, Any]) -> list[str]:
    lines = [f"account {result['account']}"]
    lines += [f"  {line}" for line in result.get("words", ())]
    if "error" in result:
        lines.append(
            f"  REFUSED: {result['error']}" if result["exit_code"] == ExitCode.KEY_REFUSED else f"  {result['error']}"
        )
    return lines
