"""``prices fetch | import | list``: the price table."""

from __future__ import annotations

from pathlib import Path

import click

from portfolio_sync.cli.options import Output, account_option, build, config_option, output_options, table


@click.group()
def prices() -> None:
    """Fetch, import and list prices."""


@prices.command()
@click.option("--profile", "-p", metavar="P", help="Whose currency is wanted [default: that of the settings].")
@click.option("--currency", metavar="C", help="Another currency than the profile's.")
@click.option("--taxpayer", metavar="X")
@account_option
@config_option
@output_options
def fetch(
    profile: str | None,
    currency: str | None,
    taxpayer: str | None,
    account: tuple[str, ...],
    config: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Ask the exchange's public market data for the prices that events lack; each is stored as it comes."""
    from portfolio_sync.tasks import prices as quotes
    from portfolio_sync.tasks.report import Asked

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    done = quotes.fetch_missing(app, Asked(profile, None, "all", currency, taxpayer, None, account), output.note)
    output.data(
        {"wanted": done.wanted, "stored": done.stored, "without_price": done.without},
        [
            f"{done.stored:,} prices stored for {done.wanted:,} wanted",
            *(f"  no price: {reason}" for reason in done.without[:20]),
            *([f"  ... and {len(done.without) - 20:,} more"] if len(done.without) > 20 else []),
        ],
    )


@prices.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@output_options
def import_(file: Path, config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Read a CSV with the columns symbol, currency, time, rate, source. All of it is stored, or nothing."""
    from portfolio_sync.tasks import prices as quotes

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    read, stored = quotes.import_file(app, file)
    output.data({"read": read, "stored": stored}, [f"{read:,} prices read, {stored:,} new or changed"])


@prices.command("list")
@click.option("--symbol", help="Only this one.")
@config_option
@output_options
def list_(symbol: str | None, config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """What the table holds, by pair and source."""
    from portfolio_sync.tasks import prices as quotes

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    rows = quotes.overview(app, symbol)
    header = ("symbol", "currency", "source", "prices", "first", "last")
    output.data([dict(zip(header, row, strict=True)) for row in rows], table(header, rows))
