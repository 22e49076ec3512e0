"""``explain ID``: where a figure comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.command()
@click.argument("id_", metavar="ID")
@with_app
def explain(app: App, output: Output, id_: str) -> None:
    """Show how the row ID came about: gain, lots, events, raw rows with their changes, and the price with its source.

    ID is that of a row of a report, an event, a ledger row, a trade, an order, a refid or an imported transaction;
    ASSET@WALLET names a holding.
    """
    from portfolio_sync.tasks import explain as explaining

    found = explaining.explain(app, id_)
    document = {"id": id_, "explained": [node.document() for node in found]}
    output.data(document, [line for node in found for line in node.lines()])
