"""``method set | list``: standing orders, dated and never changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from portfolio_sync.cli.options import Instant, Output, table, with_app
from portfolio_sync.core.instant import iso

if TYPE_CHECKING:
    from portfolio_sync.app import App
    from portfolio_sync.core.record import RecordedOrder

FIELDS = ("taxpayer", "account", "method", "from", "recorded_at")


@click.group()
def method() -> None:
    """Standing orders: which lots go first from a date on, with the time that was recorded."""


@method.command("set")
@click.argument("method")
@click.option("--from", "start", type=Instant(), metavar="T", required=True, help="From this instant on.")
@click.option("--account", "-a", metavar="A", help="For the lots of this account alone.")
@click.option("--taxpayer", metavar="X", help="Whose order, where there are several.")
@with_app
def set_(app: App, output: Output, method: str, start: datetime, account: str | None, taxpayer: str | None) -> None:
    """Record that METHOD (fifo, lifo, hifo, lofo, spec_id) stands from T on. Nothing on record is ever changed.

    Where the law wants it in advance (us, from 2025), an order has no say in sales before it was recorded.
    """
    from portfolio_sync.tasks.records import set_method

    done = set_method(app, method, start, account, taxpayer)
    order, where = done.order, done.order.account or "every account"
    lines = [f"{order.method} stands from {iso(order.start)} on for {where} of {done.taxpayer}"]
    if order.start < order.recorded_at:
        lines.append(f"  recorded {iso(order.recorded_at)}: no say in earlier sales where the law wants it in advance")
    output.data(row(done.taxpayer, order), lines)


@method.command("list")
@click.option("--taxpayer", metavar="X", help="Only this one.")
@with_app
def list_(app: App, output: Output, taxpayer: str | None) -> None:
    """All standing orders in the order of recording."""
    from portfolio_sync.tasks.records import listed

    found = listed(app, taxpayer)
    rows = [row(whose, order) for whose, recorded in found.items() for order in recorded.orders]
    output.data(rows, table(FIELDS, [[one[name] or "every" for name in FIELDS] for one in rows]))


def row(taxpayer: str, order: RecordedOrder) -> dict[str, Any]:
    return dict(zip(FIELDS, (taxpayer, order.account, order.method, order.start, order.recorded_at), strict=True))
