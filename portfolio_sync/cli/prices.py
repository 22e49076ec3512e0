"""``prices fetch | import | list``: the price table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, account_option, table, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App

SHOWN = 20  # reasons why there is no price


@click.group()
def prices() -> None:
    """Fetch, import and list prices."""


@prices.command()
@click.option("--profile", "-p", metavar="P", help="Whose currency is wanted [default: that of the settings].")
@click.option("--currency", metavar="C", help="Another currency than the profile's.")
@click.option("--taxpayer", metavar="X")
@click.option(
    "--fiat", type=click.Choice(["kraken", "ecb"]), help="Whose rates of currencies [default: that of the settings]."
)
@account_option
@with_app
def fetch(
    app: App,
    output: Output,
    profile: str | None,
    currency: str | None,
    taxpayer: str | None,
    fiat: str | None,
    account: tuple[str, ...],
) -> None:
    """Ask the exchange's public market data for the prices that events lack; each is stored as it comes.

    With --fiat ecb rates of currencies are the European Central Bank's.
    """
    from portfolio_sync.tasks import prices as quotes
    from portfolio_sync.tasks.report import Asked

    asked = Asked(profile, None, "all", currency, taxpayer, None, account)
    done = quotes.fetch_missing(app, asked, fiat or app.settings.prices.fiat, output.note)
    output.data(
        {"wanted": done.wanted, "stored": done.stored, "without_price": done.without},
        [f"{done.stored:,} prices stored for {done.wanted:,} wanted", *lines_without(done.without)],
    )


def lines_without(reasons: Sequence[str]) -> list[str]:
    """The first of many."""
    more = [f"  ... and {len(reasons) - SHOWN:,} more"] if len(reasons) > SHOWN else []
    return [*(f"  no price: {reason}" for reason in reasons[:SHOWN]), *more]


@prices.command("import")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--profile", "-p", metavar="P", help="Of an archive: whose currency is wanted.")
@click.option("--currency", metavar="C", help="Of an archive: another currency than the profile's.")
@click.option("--taxpayer", metavar="X", help="Of an archive: whose events, where there are several.")
@account_option
@with_app
def import_(
    app: App,
    output: Output,
    file: Path,
    profile: str | None,
    currency: str | None,
    taxpayer: str | None,
    account: tuple[str, ...],
) -> None:
    """Read prices from a file.

    A CSV with the columns symbol (BTC, not XBT), currency, time, rate, source, or the European Central Bank's eurofxref CSV or ZIP: all
    of it is stored, or nothing. Kraken's OHLCVT history (a folder, the ZIP, or one CSV): what events lack is taken from it.
    """
    from portfolio_sync.tasks import prices as quotes
    from portfolio_sync.tasks.report import Asked

    done = quotes.import_path(app, file, Asked(profile, None, "all", currency, taxpayer, None, account))
    wanted = "" if done.wanted is None else f" for {done.wanted:,} wanted"
    output.data(
        {"read": done.read, "stored": done.stored, "wanted": done.wanted, "without_price": done.without},
        [f"{done.read:,} prices read{wanted}, {done.stored:,} new or changed", *lines_without(done.without)],
    )


@prices.command("list")
@click.option("--symbol", help="Only this one.")
@with_app
def list_(app: App, output: Output, symbol: str | None) -> None:
    """What the table holds, by pair and source."""
    from portfolio_sync.tasks import prices as quotes

    rows = quotes.overview(app, symbol)
    header = ("symbol", "currency", "source", "prices", "first", "last")
    output.data([dict(zip(header, row, strict=True)) for row in rows], table(header, rows))
