"""``explain ID``: where a figure comes from."""

from __future__ import annotations

from pathlib import Path

import click

from portfolio_sync.cli.options import Output, build, config_option, output_options


@click.command()
@click.argument("id_", metavar="ID")
@config_option
@output_options
def explain(id_: str, config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Show how the row ID came about: gain, lots, events, raw rows with their changes, and the price with its source.

    ID is that of a row of a report, an event, a ledger row, a trade, an order, a refid or an imported transaction;
    ASSET@WALLET names a holding.
    """
    from portfolio_sync.tasks import explain as explaining

    output = Output(as_json, quiet, verbose)
    found = explaining.explain(build(config, output), id_)
    document = {"id": id_, "explained": [node.document() for node in found]}
    output.data(document, [line for node in found for line in node.lines()])
