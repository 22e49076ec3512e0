"""``year close | diff | list``: filed years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, account_option, with_app
from portfolio_sync.cli.report import pair, year_asked
from portfolio_sync.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.group()
def year() -> None:
    """Freeze a filed year; see later what would come out differently, and why."""


@year.command()
@click.argument("year")
@click.option("--profile", "-p", metavar="P", help="Tax profile [default: that of the settings].")
@click.option("--method", metavar="M", help="Cost-basis method [default: the profile's].")
@click.option("--currency", metavar="C", help="Report currency [default: the profile's].")
@click.option("--taxpayer", metavar="X", help="Whose year, where there are several.")
@click.option("--set", "overrides", multiple=True, metavar="K=V", help="Override a field of the profile (repeatable).")
@click.option(
    "--again", is_flag=True, help="Close a closed year anew (a corrected return); the old closing is kept, too."
)
@account_option
@with_app
def close(
    app: App,
    output: Output,
    year: str,
    profile: str | None,
    method: str | None,
    currency: str | None,
    taxpayer: str | None,
    overrides: tuple[str, ...],
    again: bool,
    account: tuple[str, ...],
) -> None:
    """Keep the report of tax year YEAR as it stands now: settings, digest of the input, and every table.

    Of all the taxpayer's accounts, unless some are named: `year diff` then counts accounts that came later, too.
    """
    from portfolio_sync.tasks.report import Asked
    from portfolio_sync.tasks.year import close_year

    asked = Asked(profile, method, one_year(year), currency, taxpayer, dict(map(pair, overrides)), account)
    done = close_year(app, asked, again=again)
    output.data(done.document(), done.lines())


@year.command()
@click.argument("year")
@click.option("--profile", "-p", metavar="P", help="Of which closing, where there are several.")
@click.option("--taxpayer", metavar="X", help="Whose year, where there are several.")
@click.option("--strict", is_flag=True, help="Exit 4 where something would differ.")
@with_app
def diff(app: App, output: Output, year: str, profile: str | None, taxpayer: str | None, strict: bool) -> int:
    """What of the filed YEAR would differ now (rows added, removed, changed), and why."""
    from portfolio_sync.tasks.year import diff_year

    found = diff_year(app, one_year(year), profile, taxpayer)
    output.data(found.document(), found.lines())
    return ExitCode.NEEDS_PERSON if strict and found.changes else ExitCode.DONE


@year.command("list")
@with_app
def list_(app: App, output: Output) -> None:
    """The years that were closed."""
    from portfolio_sync.tasks.year import every_closed

    found = every_closed(app)
    output.data([one.document() for one in found], [line for one in found for line in one.lines()])


def one_year(text: str) -> int:
    found = year_asked(text)
    if not isinstance(found, int):
        raise UsageError(f"{text}: write one tax year such as 2024")
    return found
