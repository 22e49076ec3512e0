"""``portfolio``: what there is, what it cost, what it is worth."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Instant, Output, account_option, table, with_app
from portfolio_sync.core.amount import shortest

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.command()
@click.option("--at", type=Instant(), help="As it stood then [default: now].")
@click.option("--currency", metavar="C", help="Currency of the values [default: the profile's].")
@click.option("--profile", "-p", metavar="P", help="Tax profile [default: that of the settings].")
@click.option("--taxpayer", metavar="X")
@account_option
@with_app
def portfolio(
    app: App,
    output: Output,
    at: datetime | None,
    currency: str | None,
    profile: str | None,
    taxpayer: str | None,
    account: tuple[str, ...],
) -> None:
    """Holdings from the latest balances, with value by the price table and cost by the lots.

    At an earlier time what was booked since is taken back. Of an account from files it is what its ledger, or your own
    transactions, add up to.
    """
    from portfolio_sync.tasks.portfolio import FIELDS, holdings
    from portfolio_sync.tasks.report import Asked, money

    found = holdings(app, Asked(profile, None, "all", currency, taxpayer, None, account), at)
    rows = [[getattr(row, name) for name in FIELDS] for row in found.rows]
    plain = [[shortest(cell) if isinstance(cell, Decimal) else cell for cell in row] for row in rows]
    shown = [
        [*exact[:3], *(money(v) if v is not None else "?" for v in row[3:])]
        for row, exact in zip(rows, plain, strict=True)
    ]
    lines = [*table((*FIELDS[:3], *(f"{name} {found.currency}" for name in FIELDS[3:])), shown), *found.notes]
    document = {"currency": found.currency, "holdings": [dict(zip(FIELDS, row, strict=True)) for row in plain]}
    output.data(document | {"notes": found.notes}, lines)
