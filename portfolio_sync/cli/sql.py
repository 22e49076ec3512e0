"""``sql``: a read-only query, for people who have no other client at hand."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from portfolio_sync.cli.options import Output, build, config_option, output_options, table


@click.command()
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@config_option
@output_options
def sql(query: str, as_csv: bool, config: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Run one read-only QUERY. The views are listed in docs/analysts.md; decimal_sum() adds exactly."""
    from portfolio_sync.store.sql import run_query

    output = Output(as_json, quiet, verbose)
    app = build(config, output)
    with run_query(app.engine, query) as (header, rows):
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
        elif as_json:
            output.data([dict(zip(header, row, strict=True)) for row in rows], [])
        else:
            output.data(None, table(header, list(rows)))
