"""Options that many commands share, and the two ways to print: for people, for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from portfolio_sync.core.amount import plain
from portfolio_sync.core.instant import iso, parse_iso
from portfolio_sync.core.log import configure, log, speaks_json
from portfolio_sync.core.redact import redact
from portfolio_sync.errors import ExitCode

if TYPE_CHECKING:
    from portfolio_sync.app import App

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Output:
    """How this call talks: data on stdout, everything else on stderr."""

    json: bool
    quiet: bool
    verbose: bool

    def data(self, document: Any, lines: Iterable[str]) -> None:
        """The answer: one JSON document with ``--json``, else the lines."""
        if self.json:
            click.echo(json.dumps(document, default=_jsonable, ensure_ascii=False, indent=2))
        else:
            for line in lines:
                click.echo(line)

    @property
    def level(self) -> int:
        """Of log lines."""
        return logging.DEBUG if self.verbose else logging.WARNING if self.quiet else logging.INFO

    def note(self, message: str) -> None:
        """Talk; silent with ``--quiet``."""
        if speaks_json():
            log.info(message)
        elif not self.quiet:
            click.echo(redact(message), err=True)

    def warn(self, message: str) -> None:
        """A warning is never silenced."""
        if speaks_json():
            log.warning(message)
        else:
            click.echo(redact(f"warning: {message}"), err=True)


def with_output(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the command ``output`` first, made of ``--json``, ``--quiet`` and ``--verbose``."""

    @wraps(command)
    def run(*given: Any, as_json: bool, quiet: bool, verbose: bool, **options: Any) -> Any:
        return command(*given, Output(as_json, quiet, verbose), **options)

    return output_options(run)


def with_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the command ``app`` and ``output`` first: the application that the settings describe, closed with the command."""

    @wraps(command)
    def run(output: Output, *, config: Path | None, **options: Any) -> Any:
        return command(build(config, output), output, **options)

    return config_option(with_output(run))


def output_options(command: F) -> F:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
        click.option("--quiet", "-q", is_flag=True, help="Only the answer and warnings."),
        click.option("--verbose", "-v", is_flag=True, help="More detail; tracebacks of errors."),
    ):
        command = option(command)
    return command


def config_option(command: F) -> F:
    return click.option(
        "--config", type=click.Path(path_type=Path), help="Settings file [default: ./portfolio-sync.toml]."
    )(command)


def account_option(command: F) -> F:
    return click.option("--account", "-a", multiple=True, metavar="A", help="Only this account (repeatable).")(command)


class Instant(click.ParamType[datetime]):
    """ISO 8601, UTC unless it has an offset."""

    name = "T"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return parse_iso(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2024-01-31 or 2024-01-31T12:00:00+01:00", param, ctx)


def build(config: Path | None, output: Output) -> App:
    """The application for one command; closed with it."""
    from portfolio_sync.app import App

    app = App.from_settings(config, warn=output.warn)
    context = click.get_current_context()
    configure(context.find_root().obj or app.settings.log.format, output.level)
    context.call_on_close(app.close)
    return app


# Several accounts: the worst, in the order of the contract.
SEVERITY = (
    ExitCode.DONE,
    ExitCode.NEEDS_PERSON,
    ExitCode.EXCHANGE,
    ExitCode.KEY_REFUSED,
    ExitCode.USAGE,
    ExitCode.UNEXPECTED,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    return max(codes, key=SEVERITY.index, default=ExitCode.DONE)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Plain aligned columns under their names."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(header), *cells]) for i in range(len(header))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in [list(header), *cells]
    ]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return iso(value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def _jsonable(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
