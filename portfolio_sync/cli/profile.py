"""``profile list | show``: jurisdictions as data."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, table, with_output

if TYPE_CHECKING:
    from portfolio_sync.tax.profile import Allowance, Profile


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
    """Every field of a profile with what --set may make of it, its allowances, and its citations."""
    from portfolio_sync.report.manifest import plain_json
    from portfolio_sync.tax.profiles import profile_named

    found = profile_named(name)
    values = {field.name: plain_json(getattr(found, field.name)) for field in fields(found)}
    lines = [f"{key} = {_shown(value)}{_choices(found, key)}" for key, value in values.items() if key not in LISTED]
    allowances = [f"  {line}" for line in map(_allowance, found.allowances)]
    citations = [f"  {line}" for line in found.citations]
    output.data(values, [*lines, *(["allowances:"] if allowances else []), *allowances, "citations:", *citations])


LISTED = ("allowances", "citations")


def _choices(found: Profile, key: str) -> str:
    from portfolio_sync.tax.profile import FIXED, choices

    said = (
        "" if key in FIXED or key == "method" else choices(found, key)
    )  # of methods those that are permitted stand beside it
    return f"  ({said})" if said else ""


def _allowance(one: Allowance) -> str:
    years = f"{one.first} to {one.last}" if one.last else f"{one.first} on"
    return f"{one.item} = {one.amount} {one.currency}, years from {years}: {one.citation}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value if value is not None else "")
