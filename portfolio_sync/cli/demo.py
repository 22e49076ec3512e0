"""``demo``: the whole road once, offline."""

from __future__ import annotations

from pathlib import Path

import click

from portfolio_sync.cli.options import Output, with_output
from portfolio_sync.cli.progress import shown_progress
from portfolio_sync.errors import ExitCode


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("portfolio-sync-demo"),
    show_default=True, help="Made anew each time.",
)  # fmt: skip
@with_output
def demo(output: Output, folder: Path) -> int:
    """Everything once, offline: practice exchange, key check, sync, proof, prices, report."""
    from portfolio_sync.core.clock import SystemClock
    from portfolio_sync.sync.reading import Request
    from portfolio_sync.tasks import demo as task
    from portfolio_sync.tasks.prices import fetch_missing
    from portfolio_sync.tasks.report import Asked
    from portfolio_sync.tasks.sync import look_at_key, sync_one

    clock = SystemClock()
    folder = folder.resolve()
    with task.scene(folder, clock, output.warn) as scene:
        output.note(f"practice exchange at {scene.exchange.url}, everything else in {folder}")
        (account,) = scene.app.accounts()
        key = look_at_key(scene.app, account, output.note)
        for line in key.words:
            output.note(f"  {line}")
        with shown_progress(output) as progress:
            synced = sync_one(scene.app, account, Request(), progress)
        if synced.error:
            raise synced.error
        fetched = fetch_missing(scene.app, Asked(profile="us", year="all"), "kraken", output.note)
        done = task.report(scene, clock.now().year - 1)
    config = folder / "portfolio-sync.toml"
    document = {
        "folder": folder, "database": folder / "portfolio.db", "config": config,
        "key": key.document(), "rows_new": synced.rows_new, "calls": synced.calls, "proof": synced.proof,
        "prices": fetched.stored, "report": done.document(),
    }  # fmt: skip
    output.data(
        document,
        [
            f"synced    {synced.rows_new:,} rows in {synced.calls} calls; history: {synced.proof}",
            f"prices    {fetched.stored:,} stored, {len(fetched.without):,} not to be had",
            *done.lines(),
            f"database  {folder / 'portfolio.db'}",
            "",
            "look at it:",
            f"  portfolio-sync status --config {config}",
            f"  portfolio-sync portfolio --config {config}",
            f'  portfolio-sync sql "SELECT symbol, decimal_sum(amount_exact) FROM ledger GROUP BY symbol" --config {config}',  # noqa: S608 - shown to the user, not run
            f"  portfolio-sync report --profile us --year all --out {folder / 'report-all'} --config {config}",
            "with your own account:",
            "  portfolio-sync init",
        ],
    )
    return ExitCode.DONE
