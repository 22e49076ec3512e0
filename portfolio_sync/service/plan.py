"""Keep the accounts' plans believable while the service runs for years: clocks are set, and come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random

from sqlalchemy import Engine

from portfolio_sync.service.schedule import next_run
from portfolio_sync.settings.model import Account
from portfolio_sync.store import lease as leases
from portfolio_sync.store.clock_jump import no_later
from portfolio_sync.store.engine import writing

REST = timedelta(hours=1)
"""How long a key that the exchange refuses is left alone."""
LONGEST_LEASE = timedelta(hours=1)
"""Another process may have set a longer lease than ours; a living holder's heartbeat prolongs it in any case."""
NO_JITTER = timedelta(0)


def keep_plans(
    engine: Engine, served: Mapping[int, Account], lease: timedelta, chance: Random, say: Callable[[str], None]
) -> None:
    """No account waits longer than its schedule, or the rest of its key, says, whatever the clock said when it was planned."""
    with writing(engine) as connection:
        now = leases.now(connection)
        for account_id, account in sorted(served.items()):
            sync = account.sync
            latest = next_run(sync.schedule, NO_JITTER, now, chance) + sync.jitter
            if no_later(connection, account_id, latest, now + max(lease, LONGEST_LEASE), REST):
                say(f"{account.name}: was planned for a time that is too far ahead (a clock went back): planned anew")
