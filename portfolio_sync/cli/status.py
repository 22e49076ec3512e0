"""``status``: how every account and stream stands, at a glance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, account_option, table, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App
    from portfolio_sync.tasks.status import Standing

AT_A_GLANCE = ("account", "proof", "key", "last run", "next run", "findings")


@click.command()
@account_option
@with_app
def status(app: App, output: Output, account: tuple[str, ...]) -> None:
    """One account in full: coverage, rows, last success, proof, last and next run, changes, findings. Several: a line each
    (in full with --verbose).
    """
    from portfolio_sync.tasks.status import standing

    found = standing(app.engine, account)
    lines = table(AT_A_GLANCE, [at_a_glance(one, app.clock.now()) for one in found]) if len(found) > 1 else []
    if len(found) == 1 or output.verbose:
        lines += [line for one in found for line in in_full(one)]
    output.data([one.document() for one in found], lines or ["no account yet; the next step is: portfolio-sync sync"])


def at_a_glance(one: Standing, now: datetime) -> tuple[str | int, ...]:
    """One line an account."""
    run, due = one.last_run, one.next_run_at
    ended = run["ended_at"] if run and run["ended_at"] else None
    last = f"{run['outcome']} {span(now - ended)} ago" if run and ended else "never"
    coming = "not planned" if due is None else f"in {span(due - now)}" if due > now else "due"
    return one.name, one.proof, one.key_state or "never used", last, "now" if one.running else coming, one.findings


def in_full(one: Standing) -> Iterator[str]:
    yield f"account {one.name} (taxpayer {one.taxpayer}), key: {one.key_state or 'never used'}, proof: {one.proof}"
    yield from (f"  {line}" for line in table(one.header, one.streams))
    yield from (f"  {line}" for line in one.words())


def span(length: timedelta) -> str:
    """In the largest unit that makes it two or more: ``90 s``, ``12 min``, ``5 h``, ``3 d``."""
    seconds = max(int(length.total_seconds()), 0)
    for unit, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {word}"
    return f"{seconds} s"
