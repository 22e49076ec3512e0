"""``compare``: every permitted method side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, account_option, table, with_app
from portfolio_sync.cli.report import pair, year_asked
from portfolio_sync.core.amount import shortest

if TYPE_CHECKING:
    from portfolio_sync.app import App
    from portfolio_sync.tasks.compare import Line

SHOWN = {
    "proceeds": "proceeds", "cost": "cost", "net_gain_short": "gain short", "net_gain_long": "gain long", "net_gain": "gain",
    "income": "income", "open_cost": "open cost",
}  # fmt: skip


def unknown(line: Line) -> str:
    return str(line.figures["disposals_unknown"]) if line.figures else "-"


@click.command()
@click.option("--profile", "-p", metavar="P", help="Tax profile [default: that of the settings].")
@click.option(
    "--year", metavar="Y", help="Tax year by the calendar year it starts in, or all [default: the last complete one]."
)
@click.option("--currency", metavar="C", help="Currency [default: the profile's].")
@click.option("--taxpayer", metavar="X", help="Whose, where there are several.")
@click.option("--set", "overrides", multiple=True, metavar="K=V", help="Override a field of the profile (repeatable).")
@account_option
@with_app
def compare(
    app: App,
    output: Output,
    profile: str | None,
    year: str | None,
    currency: str | None,
    taxpayer: str | None,
    overrides: tuple[str, ...],
    account: tuple[str, ...],
) -> None:
    """Proceeds, cost, gains, income and open cost by every method that the profile permits, on one frozen input.

    Disposals of unknown gain are in no figure; their number is in the column unknown.
    """
    from portfolio_sync.tasks import compare as comparing
    from portfolio_sync.tasks.report import Asked, money

    asked = Asked(profile, None, year_asked(year), currency, taxpayer, dict(map(pair, overrides)), account)
    done = comparing.compare(app, asked)
    rows = [
        (
            line.method,
            *(money(line.figures[name]) if line.figures else "-" for name in SHOWN),
            unknown(line),
            line.findings,
        )
        for line in done.lines
    ]
    document = {
        "profile": done.profile.name, "year": done.year, "currency": done.profile.currency, "input_seq": done.seq,
        "input_digest": done.digest, "note": done.note,
        "methods": [
            {"method": line.method, "refused": line.refused or None, "findings": line.findings}
            | {name: shortest(amount) for name, amount in line.figures.items()}
            for line in done.lines
        ],
    }  # fmt: skip
    refused = [f"{line.method}: {line.refused}" for line in done.lines if line.refused]
    title = f"{done.profile.title}, {done.year}, {done.profile.currency}"
    shown = table(("method", *SHOWN.values(), "unknown", "findings"), rows)
    output.data(document, [title, *shown, *refused, *([f"note: {done.note}"] if done.note else [])])
