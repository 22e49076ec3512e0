"""``rules list``: how ledger rows are classified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, table, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App
    from portfolio_sync.normalize.rules import Rules

HEADER = ("type", "subtype", "treatment", "rule", "why", "decision")


@click.group()
def rules() -> None:
    """How ledger rows are classified."""


@rules.command("list")
@click.option("--markdown", is_flag=True, help="As the page docs/classification.md has it.")
@with_app
def list_(app: App, output: Output, markdown: bool) -> None:
    """The classification table, with your own rules of the settings. What is not in it becomes a finding, never a guess."""
    from portfolio_sync.normalize.rules import VERSION
    from portfolio_sync.tasks.rules import rules_with, stated_rules

    rows = cells(rules_with(stated_rules(app.settings)))
    document = {"version": VERSION, "rules": [dict(zip(HEADER, row, strict=True)) for row in rows]}
    output.data(document, page_table(rows) if markdown else [f"version {VERSION}", *table(HEADER, rows)])


def cells(known: Rules) -> list[tuple[str, ...]]:
    """A row a (type, subtype)."""
    return [
        (rule.type, subtype or "-", said(rule.treatment.value, rule.income_type or rule.place), rule.name, rule.why, rule.decision)
        for rule in known.every for subtype in rule.subtypes
    ]  # fmt: skip


def said(treatment: str, more: str) -> str:
    return f"{treatment} ({more})" if more else treatment


def page_table(rows: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (HEADER, ("---",) * len(HEADER), *rows)]
