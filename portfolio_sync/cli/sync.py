"""``sync``: read what is new into the database."""

from __future__ import annotations

import signal
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from portfolio_sync.cli.options import Instant, Output, account_option, with_app, worst
from portfolio_sync.cli.progress import shown_progress
from portfolio_sync.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from portfolio_sync.app import App

STREAMS = ("balances", "ledgers", "trades", "earn", "deposits", "withdrawals")
VIA = ("auto", "pages", "export")


@click.command()
@account_option
@click.option(
    "--stream", "-s", "streams", multiple=True, type=click.Choice(STREAMS), help="Only this stream (repeatable)."
)
@click.option("--start", type=Instant(), help="Only rows from this instant on.")
@click.option("--end", type=Instant(), help="Only rows before this instant.")
@click.option("--full", is_flag=True, help="Read everything again, trust no coverage.")
@click.option(
    "--via",
    type=click.Choice(VIA),
    default="auto",
    show_default=True,
    help="How history is fetched: by export report, page by page, or by whichever takes fewer calls.",
)
@click.option("--strict", is_flag=True, help="Exit 4 where the history is not proven.")
@with_app
def sync(
    app: App,
    output: Output,
    account: tuple[str, ...],
    streams: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    full: bool,
    via: str,
    strict: bool,
) -> int:
    """Read what is new at Kraken into the database. Safe to stop and to run again at any moment."""
    from portfolio_sync.sync.coverage import Bounds
    from portfolio_sync.sync.reading import Request
    from portfolio_sync.tasks.sync import sync_one

    if start and end and start >= end:
        raise UsageError("--start must be before --end")
    signal.signal(signal.SIGTERM, lambda *_: app.clock.stop())
    request = Request(streams, Bounds(start, end), full, via)
    with shown_progress(output) as progress:
        results = [sync_one(app, each, request, progress) for each in app.accounts_with_key(account)]
    output.data([_document(result) for result in results], [line for result in results for line in _lines(result)])
    for result in results:
        if result.error:
            click.echo(f"portfolio-sync: {result.account}: {result.error}", err=True)
    return worst(_code(result, strict=strict) for result in results)


def _code(result: Any, *, strict: bool) -> ExitCode:
    if result.error:
        return ExitCode(result.error.exit_code)
    return ExitCode.NEEDS_PERSON if strict and result.proof not in ("proven", "windowed") else ExitCode.DONE


def _document(result: Any) -> dict[str, Any]:
    return {
        "account": result.account,
        "rows_new": result.rows_new,
        "rows_changed": result.rows_changed,
        "calls": result.calls,
        "proof": result.proof,
        "denied": result.denied,
        "notes": result.notes,
        "error": str(result.error) if result.error else None,
    }


def _lines(result: Any) -> list[str]:
    figures = (
        f"{result.rows_new:,} new rows, {result.rows_changed:,} changed, {result.calls} calls, proof: {result.proof}"
    )
    return [f"{result.account}: {figures}", *(f"  {note}" for note in (*result.denied.values(), *result.notes))]
