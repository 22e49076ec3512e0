"""``sandbox``: the practice exchange alone."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback [default: a free one].")
@click.option(
    "--account", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An account saved as JSON."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the account that is made up.")
@click.option(
    "--rows",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="Ledger rows of the account that is made up.",
)
@click.option("--tier", type=click.Choice(["starter", "intermediate", "pro"]), default="starter", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="URL, key and secret as one line of JSON.")
def sandbox(port: int, account: Path | None, seed: int, rows: int, tier: str, as_json: bool) -> int:
    """Serve a practice exchange on loopback until stopped; prints its URL, key and secret when ready."""
    from portfolio_sync.sandbox.__main__ import main

    arguments = ["--port", str(port), "--seed", str(seed), "--rows", str(rows), "--tier", tier]
    return main([*arguments, *(["--account", str(account)] if account else []), *(["--json"] if as_json else [])])
