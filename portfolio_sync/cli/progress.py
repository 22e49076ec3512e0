"""How a running sync is shown: a bar on a terminal, plain lines elsewhere, nothing with ``--quiet``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click

from portfolio_sync.cli.options import Output
from portfolio_sync.sync.progress import Progress, Silent


@contextmanager
def shown_progress(output: Output) -> Iterator[Progress]:
    if output.quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        with _bar() as bar:
            yield bar


class Lines:
    """A line a stream, and one about every thousand rows."""

    EVERY = 1000

    def __init__(self) -> None:
        self.name, self.rows, self.told = "", 0, 0

    def stream(self, account: str, stream: str) -> None:
        self.name, self.rows, self.told = f"{account} {stream}", 0, 0
        click.echo(f"{self.name}: reading", err=True)

    def advance(self, rows: int, total: int | None, calls: int, left: timedelta | None) -> None:
        self.rows += rows
        if self.rows - self.told >= self.EVERY:
            self.told = self.rows
            click.echo(f"{self.name}: {figures(self.rows, total, calls, left)}", err=True)

    def note(self, message: str) -> None:
        click.echo(message, err=True)


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}"))
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as rich:
        yield Bar(rich)


class Bar:
    """A bar a stream: rows, calls, and the time left at the pace of the tier."""

    def __init__(self, rich: Any) -> None:
        self.rich, self.task, self.rows = rich, None, 0

    def stream(self, account: str, stream: str) -> None:
        self.rows = 0
        self.task = self.rich.add_task(f"{account} {stream}", total=None, figures="")

    def advance(self, rows: int, total: int | None, calls: int, left: timedelta | None) -> None:
        self.rows += rows
        self.rich.update(
            self.task, completed=self.rows, total=total or self.rows, figures=figures(self.rows, total, calls, left)
        )

    def note(self, message: str) -> None:
        self.rich.console.print(message)


def figures(rows: int, total: int | None, calls: int, left: timedelta | None) -> str:
    """``1,200 of 12,431 rows, 30 calls, about 4m left``."""
    of = f" of {total:,}" if total is not None and total >= rows else ""  # a part of a stream counts its own rows alone
    remaining = f", about {rough(left)} left" if left else ""
    return f"{rows:,}{of} rows, {calls:,} calls{remaining}"


def rough(length: timedelta) -> str:
    """The two largest units: ``3h 20m``, ``4m``, ``12s``."""
    total = int(length.total_seconds())
    hours, minutes = total // 3600, total % 3600 // 60
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {total % 60}s" if minutes else f"{total}s"
