"""``status``: how every account and stream stands, at a glance, by the judgement of ``/readyz`` and the notifications."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from portfolio_sync.cli.options import Output, account_option, table, with_app

if TYPE_CHECKING:
    from portfolio_sync.app import App
    from portfolio_sync.service.judged import Judged

AT_A_GLANCE = ("account", "state", "proof", "key", "last run", "next run", "findings")
UNSERVED = "not served"  # no key in the settings: nobody syncs it, so it cannot be late


@click.command()
@account_option
@with_app
def status(app: App, output: Output, account: tuple[str, ...]) -> None:
    """One account in full: whether it is ready and why not, coverage, rows, last success, proof, last and next run,
    changes, findings. Several: a line each (in full with --verbose).
    """
    from portfolio_sync.service.judged import judged

    found = judged(app, account)
    lines = table(AT_A_GLANCE, [at_a_glance(one, app.clock.now()) for one in found]) if len(found) > 1 else []
    if len(found) == 1 or output.verbose:
        lines += [line for one in found for line in in_full(one)]
    output.data([document(one) for one in found], lines or ["no account yet; the next step is: portfolio-sync sync"])


def at_a_glance(one: Judged, now: datetime) -> tuple[str | int, ...]:
    """One line an account."""
    facts, run = one.standing.vitals, one.standing.last_run
    ended = run["ended_at"] if run and run["ended_at"] else None
    last = f"{run['outcome']} {span(now - ended)} ago" if run and ended else "never"
    due = facts.next_run_at
    coming = "not planned" if due is None else f"in {span(due - now)}" if due > now else "due"
    coming = "now" if facts.running else coming
    return one.standing.name, state_of(one), facts.proof, one.standing.key_state, last, coming, one.standing.findings


def state_of(one: Judged) -> str:
    """``ready``, or the words of ``/readyz`` for what is the matter; then what will be."""
    if one.health is None:
        return UNSERVED
    return ", ".join([*(["ready"] if one.health.ready else []), *troubles(one)])


def in_full(one: Judged) -> Iterator[str]:
    facts = one.standing.vitals
    yield (
        f"account {one.standing.name} (taxpayer {facts.account.taxpayer}): {state_of(one)}, "
        f"key: {one.standing.key_state}, proof: {facts.proof}"
    )
    yield from (f"  {words}" for words in troubles(one).values())
    yield from (f"  {line}" for line in table(one.standing.header, one.standing.streams))
    yield from (f"  {line}" for line in one.standing.words())


def troubles(one: Judged) -> dict[str, str]:
    """What is the matter, and what soon will be: code -> words."""
    if one.health is None:
        return {}
    expires = one.health.alerts.get("key-expires")
    return {**one.health.reasons, **({"key-expires": expires} if expires else {})}


def document(one: Judged) -> dict[str, Any]:
    ready = None if one.health is None else one.health.ready
    return {**one.standing.document(), "ready": ready, "troubles": troubles(one)}


def span(length: timedelta) -> str:
    """In the largest unit that makes it two or more: ``90 s``, ``12 min``, ``5 h``, ``3 d``."""
    seconds = max(int(length.total_seconds()), 0)
    for unit, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {word}"
    return f"{seconds} s"
