"""How long a first, paged sync takes by the clock, against the least that the tier's call counter allows.

Time is simulated: the practice exchange counts calls as the real one does, and the clock moves only when the client waits.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from portfolio_sync.app import App
from portfolio_sync.kraken.throttle import TIERS
from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.settings.sources import load
from portfolio_sync.sync.progress import Silent
from portfolio_sync.sync.reading import Request
from portfolio_sync.tasks.sync import sync_one

ROWS, PAGE = 10_000, 50
COSTS = (2, 4)


class Simulated:
    """A clock that only moves when somebody waits."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 15, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: Decimal) -> None:
        self.time += timedelta(seconds=float(seconds))

    def check(self) -> None:
        """Nobody stops it."""

    def stop(self) -> None:
        """Nobody stops it."""

    def unix(self) -> Decimal:
        return Decimal(str(self.time.timestamp()))


def paged() -> dict[str, object]:
    """For each tier and call cost: simulated seconds of the sync over the floor ``(pages * cost - limit) / decay``."""
    account = generate(3, ROWS, end=Simulated().unix() - 7200)
    ratios, refused = {}, 0
    for tier, limits in TIERS.items():
        for cost in COSTS:
            took, refusals = _sync(account, tier, cost)
            floor = (Decimal(-(-ROWS // PAGE) * cost) - limits.most) / limits.decay
            ratios[f"{tier}, cost {cost}"] = round(took / float(floor), 4)
            refused += refusals
    return {"suite": "paged backfill, simulated time", "rows": ROWS, "to_floor": ratios, "refused_calls": refused}


def _sync(account: Account, tier: str, cost: int) -> tuple[float, int]:
    clock = Simulated()
    exchange = Sandbox(account, clock=clock.unix, key_facts={"tier": tier}, history_cost=cost)
    with tempfile.TemporaryDirectory() as name, exchange:
        environ = {
            "KRAKEN_API_KEY": exchange.key,
            "KRAKEN_API_SECRET": exchange.secret,
            "PORTFOLIO_SYNC_KRAKEN_URL": exchange.url,
            "PORTFOLIO_SYNC_DATABASE_URL": f"sqlite:///{name}/bench.db",
            "PORTFOLIO_SYNC_EXCHANGE_TIER": tier,
            "PORTFOLIO_SYNC_EXCHANGE_HISTORY_CALL_COST": str(cost),
            "PORTFOLIO_SYNC_SERVICE_LEASE": "3600s",
        }
        app = App(load(environ=environ, folder=Path(name)), clock, lambda _: None)
        start = clock.time
        outcome = sync_one(app, app.accounts()[0], Request(("ledgers",), via="pages"), Silent())
        app.close()
        if outcome.error:
            raise outcome.error
        return (clock.time - start).total_seconds(), sum(request.outcome != "ok" for request in exchange.requests)
