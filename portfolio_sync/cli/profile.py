"""``profile list | show``: jurisdictions as data."""

from __future__ import annotations

from dataclasses import fields

import click

from portfolio_sync.cli.options import Output, table, with_output


@click.group()
def profile() -> None:
    """Tax profiles as data, with citations."""


@profile.command("list")
@with_output
def list_(output: Output) -> None:
    """The profiles that come with the program."""
    from portfolio_sync.tax.profiles import PROFILES

    rows = [(p.name, p.title, p.currency, p.timezone, p.method.value) for p in PROFILES.values()]
    header = ("name", "title", "currency", "timezone", "method")
    output.data([dict(zip(header, row, strict=True)) for row in rows], table(header, rows))


@profile.command()
@click.argument("name")
@with_output
def show(output: Output, name: str) -> None:
    """Every field of a profile; each can be overridden with --set, and its citations."""
    from portfolio_sync.report.manifest import plain_json
    from portfolio_sync.tax.profiles import profile_named

    found = profile_named(name)
    values = {field.name: plain_json(getattr(found, field.name)) for field in fields(found)}
    citations = [f"  {line}" for line in found.citations]
    lines = [f"{key} = {_shown(value)}" for key, value in values.items() if key != "citations"]
    output.data(values, [*lines, "citations:", *citations])


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value if value is not None else "")
