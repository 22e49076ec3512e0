"""``sql``: a read-only query, for people who have no other client at hand."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, table, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.command()
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@with_app
def sql(app: App, output: Output, query: str, as_csv: bool) -> None:
    """Run one read-only QUERY. The views are listed in docs/analysts.md; decimal_sum() adds exactly."""
    from portfolio_sync.store.sql import run_query

    with run_query(app.engine, query) as (header, rows):
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
        elif output.json:
            output.data([dict(zip(header, row, strict=True)) for row in rows], [])
        else:
            output.data(None, table(header, list(rows)))
