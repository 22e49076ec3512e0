"""How the accounts stand and what a running service would say of them, for who asks without one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from portfolio_sync.app import App
from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.errors import PortfolioSyncError
from portfolio_sync.service.health import Health, judge
from portfolio_sync.settings.model import Account
from portfolio_sync.tasks.status import Standing, standing_and_keys


@dataclass(frozen=True, slots=True)
class Judged:
    """``health`` None: the settings name no key for the account, so nobody is to sync it."""

    standing: Standing
    health: Health | None


def judged(app: App, names: Collection[str] = ()) -> list[Judged]:
    """All accounts of the database, or those named. Raises UsageError for a name that is not there."""
    found, keys = standing_and_keys(app.engine, names)
    served = {account.name: account for account in app.settings.accounts if account.has_key}
    return [Judged(one, _health(app, one, served[one.name], keys) if one.name in served else None) for one in found]


def _health(app: App, one: Standing, account: Account, keys: Mapping[str, KeyRecord]) -> Health:
    key = None
    with suppress(PortfolioSyncError):  # a key that cannot be read says so when it is used
        key = keys.get(app.credentials(account).fingerprint)
    return judge(one.vitals, account, app.settings.service.stale_after, app.clock.now(), key)
