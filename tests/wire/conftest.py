"""A practice exchange and an application that points at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from portfolio_sync.app import App
from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.settings.sources import load
from portfolio_sync.sync.progress import Silent
from portfolio_sync.sync.reading import Request
from portfolio_sync.sync.run import Outcome
from portfolio_sync.tasks.sync import sync_one
from tests.fakes import FakeClock


class Stage:
    """One exchange, one database, one account named ``main``; the clock of both moves only when somebody waits."""

    def __init__(
        self, exchange: Sandbox, database_url: str, folder: Path, clock: FakeClock, settings: dict[str, str]
    ) -> None:
        self.exchange, self.database_url, self.folder, self.clock, self.settings = (
            exchange,
            database_url,
            folder,
            clock,
            settings,
        )
        self.warnings: list[str] = []

    @property
    def environ(self) -> dict[str, str]:
        return {
            "KRAKEN_API_KEY": self.exchange.key,
            "KRAKEN_API_SECRET": self.exchange.secret,
            "PORTFOLIO_SYNC_KRAKEN_URL": self.exchange.url,
            "PORTFOLIO_SYNC_DATABASE_URL": self.database_url,
            **self.settings,
        }

    def app(self) -> App:
        """As a new process would build it."""
        return App(load(environ=self.environ, folder=self.folder), self.clock, self.warnings.append)

    def sync(self, request: Request | None = None) -> Outcome:
        app = self.app()
        try:
            return sync_one(app, app.accounts()[0], request or Request(), Silent())
        finally:
            app.writable_engine.dispose()


Set = Callable[..., Stage]


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Set]:
    """``stage(account, settings={...}, **ways)`` on a fresh database, SQLite and PostgreSQL in turn."""
    with ExitStack() as open_exchanges:

        def build(account: Account, settings: dict[str, str] | None = None, **ways: Any) -> Stage:
            clock = FakeClock()
            exchange = open_exchanges.enter_context(Sandbox(account, clock=clock.unix, **ways))
            return Stage(exchange, database_url, tmp_path, clock, settings or {})

        yield build
