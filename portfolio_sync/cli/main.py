"""The command ``portfolio-sync``. Commands are imported when they are called, so that ``--help`` starts at once."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from keyword import iskeyword
from typing import NoReturn

import click

from portfolio_sync import __version__
from portfolio_sync.core.clock import Stopped
from portfolio_sync.core.log import FORMATTERS, Format, configure, log, speaks_json
from portfolio_sync.core.memory import keep_private
from portfolio_sync.core.redact import redact
from portfolio_sync.errors import ExitCode, PortfolioSyncError, SurroundingsError

# name: (module, one line for the list of commands). The attribute has the name of the command, with underscores.
COMMANDS = {
    "demo": ("demo", "Everything once, offline: practice exchange, sync, proof, report."),
    "init": ("init", "Write a commented portfolio-sync.toml and create the database."),
    "config": ("config", "The settings in force and where each comes from."),
    "key": ("key", "What the API key can do, and whether it is safe to use."),
    "sync": ("sync", "Read what is new at Kraken into the database."),
    "import": ("import_", "Import files: Kraken's exports, or transactions of your own."),
    "verify": ("verify", "Prove from running balances that nothing is missing."),
    "status": ("status", "Per account and stream: coverage, rows, last success, proof, next run."),
    "portfolio": ("portfolio", "Holdings, value, cost and unrealised gain."),
    "report": ("report", "Write the cost-basis report files."),
    "compare": ("compare", "Every permitted method side by side on one frozen input."),
    "explain": ("explain", "One figure, or one row, down to its raw rows."),
    "method": ("method", "Standing orders: which lots go first, dated."),
    "lots": ("lots", "Lots named for one sale, dated."),
    "year": ("year", "Freeze a filed year; what would differ now."),
    "export": ("export", "Files for other tools."),
    "serve": ("serve", "The scheduled background service."),
    "notify": ("notify", "Try the channels that are told of trouble."),
    "prices": ("prices", "Fetch, import and list prices."),
    "profile": ("profile", "Tax profiles as data, with citations."),
    "rules": ("rules", "How ledger rows are classified."),
    "db": ("db", "Create, upgrade and look at the database."),
    "sql": ("sql", "Run a read-only query."),
    "sandbox": ("sandbox", "The practice exchange alone."),
}


class LazyGroup(click.Group):
    """Knows its commands by name and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"portfolio_sync.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="portfolio-sync")
@click.option(
    "--log-format", type=click.Choice(list(FORMATTERS)), help="How stderr speaks [default: [log] format, text]."
)
def cli(log_format: Format | None) -> None:
    """Read-only portfolio and tax sync for Kraken: proven history in SQL, reports that explain themselves.

    It cannot trade: no endpoint that places an order or moves a coin exists in it.
    """
    click.get_current_context().obj = log_format
    configure(log_format or "text")


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code. Errors become one line on stderr, tracebacks only with --verbose."""
    arguments = sys.argv[1:] if argv is None else argv
    configure("text")
    try:
        result = cli.main(args=arguments, prog_name="portfolio-sync", standalone_mode=False)
        return int(result or 0)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt, Stopped):
        click.echo("stopped; what was read is kept", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - the edge of the program: every error ends as a line and a code
        return _report(error, arguments)


def _report(error: Exception, arguments: list[str]) -> int:
    verbose = "--verbose" in arguments or "-v" in arguments
    known = _known(error)
    hint = "" if verbose else " (--verbose shows where)"
    message = str(known) if known else f"unexpected {type(error).__name__}: {error}{hint}"
    if speaks_json():
        log.error(message, exc_info=error if verbose else None)
    else:
        if verbose:
            import traceback

            click.echo(redact("".join(traceback.format_exception(error))), err=True, nl=False)
        click.echo(redact(f"portfolio-sync: {message}"), err=True)
    return known.exit_code if known else ExitCode.UNEXPECTED


def _known(error: Exception) -> PortfolioSyncError | None:
    if isinstance(error, PortfolioSyncError):
        return error
    if isinstance(error, OSError) and error.errno in SURROUNDINGS:
        return SurroundingsError(f"{error.filename or 'the disk'}: {SURROUNDINGS[error.errno]}")
    return None


SURROUNDINGS = {
    errno.ENOSPC: "the disk is full; make room and run the command again",
    errno.EDQUOT: "the disk quota is used up; make room and run the command again",
    errno.EACCES: "permission denied; choose another folder or change its owner",
    errno.EPERM: "not permitted; choose another folder or change its owner",
    errno.EROFS: "is on a read-only file system; choose another folder",
    errno.ENOTDIR: "is not in a folder; choose another place",
    errno.EISDIR: "is a folder; name a file",
    errno.EADDRINUSE: "the address is in use; choose another port",
}


def run() -> NoReturn:
    """Entry point of the installed command."""
    keep_private()
    sys.exit(main())
