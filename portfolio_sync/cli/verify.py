"""``verify``: the completeness proof, from what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from portfolio_sync.cli.options import Output, account_option, with_app, worst
from portfolio_sync.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.command()
@account_option
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was proven, how, and over which rows, to this file.",
)
@with_app
def verify(app: App, output: Output, account: tuple[str, ...], certificate: Path | None) -> int:
    """Prove that nothing is missing: running balances, trades and their ledger rows, the balances at the end.

    Exit 4 where the proof is broken or cannot be made.
    """
    from portfolio_sync.report.write import write_file
    from portfolio_sync.store import accounts
    from portfolio_sync.store.engine import reading
    from portfolio_sync.tasks.verify import verify_account

    with reading(app.engine) as connection:
        known = {one.name: one for one in accounts.every(connection)}
    unknown = set(account) - known.keys()
    if unknown:
        raise UsageError(f"no account {', '.join(sorted(unknown))} in the database")
    done = [verify_account(app.engine, known[name], certify=certificate is not None) for name in account or known]
    if certificate is not None:
        pages = ("\n".join(one.certificate.lines()) + "\n" for one in done if one.certificate)
        write_file(certificate, "\n\n".join(pages))
        output.note(f"certificate written to {certificate}")
    output.data([one.document() for one in done], [line for one in done for line in one.lines()])
    return worst(ExitCode.DONE if one.state in ("proven", "windowed") else ExitCode.NEEDS_PERSON for one in done)
