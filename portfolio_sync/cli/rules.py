"""``rules list``: how ledger rows are classified."""

from __future__ import annotations

import click

from portfolio_sync.cli.options import Output, output_options, table


@click.group()
def rules() -> None:
    """How ledger rows are classified."""


@rules.command("list")
@output_options
def list_(as_json: bool, quiet: bool, verbose: bool) -> None:
    """The classification table. What is not in it becomes a finding, never a guess."""
    from portfolio_sync.normalize.rules import RULES, VERSION

    header = ("type", "subtype", "treatment", "rule", "why")
    rows = [(r.type, subtype or "-", r.treatment.value, r.name, r.why) for r in RULES for subtype in r.subtypes]
    document = {"version": VERSION, "rules": [dict(zip(header, row, strict=True)) for row in rows]}
    Output(as_json, quiet, verbose).data(document, [f"version {VERSION}", *table(header, rows)])
