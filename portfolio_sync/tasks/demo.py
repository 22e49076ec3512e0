"""The whole road once, offline: a practice exchange, an empty folder, and at the end a report."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from portfolio_sync.app import App
from portfolio_sync.core.clock import Clock
from portfolio_sync.core.instant import to_unix
from portfolio_sync.errors import UsageError
from portfolio_sync.settings.sources import load
from portfolio_sync.tasks.report import Asked, Done, make

if TYPE_CHECKING:
    from portfolio_sync.sandbox.server import Sandbox

SEED, ROWS = 7, 1_000
SETTINGS = """\
# The demo's settings: its database lies beside this file. The practice exchange ended with the demo.
[database]
url = "sqlite:///portfolio.db"

[tax]
profile = "us"

[[accounts]]
name = "demo"
key = {{ env = "DEMO_API_KEY" }}
secret = {{ env = "DEMO_API_SECRET" }}
url = "{url}"
pace = false
"""
MARK = ".portfolio-sync-demo"  # only a folder that a demo made is emptied by the next one


@dataclass(frozen=True, slots=True)
class Scene:
    """A running practice exchange and an application that is set up for it."""

    app: App
    exchange: Sandbox
    folder: Path


@contextmanager
def scene(folder: Path, clock: Clock, warn: Callable[[str], None]) -> Iterator[Scene]:
    """Everything in one folder that is made anew. Raises UsageError where the folder holds something else."""
    from portfolio_sync.sandbox.generate import generate
    from portfolio_sync.sandbox.server import Sandbox

    _fresh(folder)
    account = generate(SEED, ROWS, end=to_unix(clock.now()) - Decimal(3600))
    with Sandbox(account, limited=False) as exchange:
        config = folder / "portfolio-sync.toml"
        config.write_text(SETTINGS.format(url=exchange.url), encoding="utf-8")
        config.chmod(0o600)
        environ = {
            "DEMO_API_KEY": exchange.key,
            "DEMO_API_SECRET": exchange.secret,
            "PORTFOLIO_SYNC_KRAKEN_URL": exchange.url,
            "PORTFOLIO_SYNC_EXCHANGE_PACE": "false",
        }
        yield Scene(App(load(config, environ=environ, folder=folder), clock, warn), exchange, folder)


def report(scene: Scene, year: int) -> Done:
    return make(scene.app, Asked(profile="us", year=year), scene.folder / "report")


def _fresh(folder: Path) -> None:
    if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty and not of an earlier demo; choose another with --dir")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    (folder / MARK).touch(mode=0o600)
