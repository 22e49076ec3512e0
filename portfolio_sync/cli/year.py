"""``year close | diff | list``: filed years."""

from __future__ import annotations

from pathlib import Path

import click

from portfolio_sync.cli.options import Output, account_option, build, config_option, output_options
from portfolio_sync.cli.report import pair, year_asked
from portfolio_sync.errors import ExitCode, UsageError


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
@config_option
@output_options
def close(
    year: str,
    profile: str | None,
    method: str | None,
    currency: str | None,
    taxpayer: str | None,
    overrides: tuple[str, ...],
    again: bool,
    account: tuple[str, ...],
    config: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Keep the report of tax year YEAR as it stands now: settings, digest of the input, and every table."""
    from portfolio_sync.tasks.report import Asked
    from portfolio_sync.tasks.year import close_year

    output = Output(as_json, quiet, verbose)
    asked = Asked(profile, method, one_year(year), currency, taxpayer, dict(map(pair, overrides)), account)
    done = close_year(build(config, output), asked, again=again)
    output.data(done.document(), done.lines())


@year.command()
@click.argument("year")
@click.option("--profile", "-p", metavar="P", help="Of which closing, where there are several.")
@click.option("--taxpayer", metavar="X", help="Whose year, where there are several.")
@click.option("--strict", is_flag=True, help="Exit 4 where something would differ.")
@config_option
@output_options
def diff(
    year: str,
    profile: str | None,
    taxpayer: str | None,
    strict: bool,
    config: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """What of the filed YEAR would differ now (rows added, removed, changed), and why."""
    from portfolio_sync.tasks.year import diff_year

    output = Output(as_json, quiet, verbose)
    found = diff_year(build(config, output), one_year(year), profile, taxpayer)
    output.data(found.document(), found.lines())
    return ExitCode.NEEDS_PERSON if strict and found.changes else ExitCode.DONE


@year.command("list")
@config_option
@output_options
def list_(config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """The years that were closed."""
    from portfolio_sync.tasks.year import every_closed

    output = Output(as_json, quiet, verbose)
    found = every_closed(build(config, output))
    output.data([one.document() for one in found], [line for one in found for line in one.lines()])


def one_year(text: str) -> int:
    found = year_asked(text)
    if not isinstance(found, int):
        raise UsageError(f"{text}: write one tax year such as 2024")
    return found
