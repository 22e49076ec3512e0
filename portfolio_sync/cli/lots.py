"""``lots pick | list``: the lots that a sale takes, named and dated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portfolio_sync.cli.options import Output, table, with_app
from portfolio_sync.core.amount import shortest
from portfolio_sync.core.instant import iso

if TYPE_CHECKING:
    from portfolio_sync.app import App
    from portfolio_sync.core.record import RecordedPick

FIELDS = ("taxpayer", "sale", "lot", "amount", "recorded_at")


@click.group()
def lots() -> None:
    """Lots named for one sale, with the time that was recorded."""


@lots.command()
@click.argument("sale")
@click.argument("picks", metavar="LOT:AMOUNT...", nargs=-1, required=True)
@click.option("--taxpayer", metavar="X", help="Whose sale, where there are several.")
@click.option(
    "--not-yet", is_flag=True, help="The sale is still to come: SALE is its order, or a transaction to import."
)
@with_app
def pick(app: App, output: Output, sale: str, picks: tuple[str, ...], taxpayer: str | None, not_yet: bool) -> None:
    """Record that SALE takes AMOUNT units of each LOT; what is left of the sale follows the order that stands.

    SALE and LOT are ids of ledger rows, trades, orders or imported transactions. A later list for the same sale takes the
    place of this one, except where the law wants it recorded no later than the sale (us, from 2025).
    """
    from portfolio_sync.tasks import records

    wanted = [records.parse_pick(text) for text in picks]
    done = records.pick(app, sale, wanted, taxpayer, not_yet=not_yet)
    shown = [f"  {shortest(one.amount)} of {one.lot}" for one in done]
    output.data([row("", one) for one in done], [f"{sale} takes (recorded {iso(done[0].recorded_at)})", *shown])


@lots.command("list")
@click.option("--taxpayer", metavar="X", help="Only this one.")
@with_app
def list_(app: App, output: Output, taxpayer: str | None) -> None:
    """All picks in the order of recording."""
    from portfolio_sync.tasks.records import listed

    found = listed(app, taxpayer)
    rows = [row(whose, one) for whose, recorded in found.items() for one in recorded.picks]
    output.data(rows, table(FIELDS, [[one[name] for name in FIELDS] for one in rows]))


def row(taxpayer: str, one: RecordedPick) -> dict[str, Any]:
    said = dict(zip(FIELDS, (taxpayer, one.sale, one.lot, one.amount, one.recorded_at), strict=True))
    return {name: value for name, value in said.items() if value != ""}
