"""The composition root: the only place that builds engine, client and clock, and hands them to the parts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from portfolio_sync.core.clock import Clock, SystemClock
from portfolio_sync.errors import SettingsError, UsageError
from portfolio_sync.settings.model import Account, Exchange, Settings
from portfolio_sync.settings.secrets import secrets_of
from portfolio_sync.settings.sources import Loaded, load

if TYPE_CHECKING:
    from portfolio_sync.kraken.client import Client
    from portfolio_sync.kraken.credentials import Credentials
    from portfolio_sync.kraken.throttle import Pacing
    from portfolio_sync.store.engine import Engine
    from portfolio_sync.store.lease import Lease

Warn = Callable[[str], None]
KEPT = ("engine", "writable_engine", "owner")
SPARE = 4  # connections besides one for each worker: for the tick, for who asks how the service is


@dataclass(frozen=True)
class App:
    """Settings and what is built from them on demand."""

    loaded: Loaded
    clock: Clock
    warn: Warn

    @classmethod
    def from_settings(cls, config: Path | None, *, warn: Warn, clock: Clock | None = None) -> App:
        return cls(load(config, warn=warn), clock or SystemClock(), warn)

    def with_settings(self, loaded: Loaded, warn: Warn | None = None) -> App:
        """The same application, its engines too, with other settings. The database stays the one that is open."""
        made = replace(self, loaded=loaded, warn=warn or self.warn)
        made.__dict__.update({name: self.__dict__[name] for name in KEPT if name in self.__dict__})
        return made

    @property
    def settings(self) -> Settings:
        return self.loaded.settings

    # --- the database ---

    @property
    def database_url(self) -> str:
        return self.settings.database.url or default_database_url()

    @cached_property
    def engine(self) -> Engine:
        """The database at this program's version. Raises DatabaseError where it is missing, older or newer."""
        from portfolio_sync.store.engine import FEW_PAGES, open_engine
        from portfolio_sync.store.migrate import check

        engine = open_engine(self.database_url, pages=FEW_PAGES)
        check(engine)
        return engine

    @cached_property
    def writable_engine(self) -> Engine:
        """The same for commands that write: a database that does not exist yet is created."""
        from portfolio_sync.store.migrate import create_or_check

        return create_or_check(self.database_url, connections=self.settings.service.workers + SPARE)

    def close(self) -> None:
        """Give the database connections back."""
        for name in ("engine", "writable_engine"):
            if name in self.__dict__:  # built, not only asked whether it is
                getattr(self, name).dispose()

    # --- accounts and keys ---

    def accounts(self, names: Collection[str] = ()) -> list[Account]:
        """The accounts of the settings, or those named. Raises UsageError for a name that is not there."""
        known = {account.name: account for account in self.settings.accounts}
        for name in names:
            if name not in known:
                raise UsageError(f"no account {name!r} in the settings; there are: {', '.join(known) or 'none'}")
        return [known[name] for name in names] if names else list(known.values())

    def accounts_with_key(self, names: Collection[str] = ()) -> list[Account]:
        """Accounts that can be synced. Raises SettingsError where there is none."""
        chosen = [account for account in self.accounts(names) if account.has_key or account.name in names]
        if not chosen:
            raise SettingsError(
                "no account with an API key; set KRAKEN_API_KEY and KRAKEN_API_SECRET, or [[accounts]] in the settings file"
            )
        return chosen

    def credentials(self, account: Account) -> Credentials:
        """The account's key as it is now. Raises SettingsError."""
        from portfolio_sync.kraken.credentials import Credentials

        secrets = secrets_of(account, self.loaded.environ, self.loaded.folder, self.warn)
        return Credentials(secrets.key, secrets.secret, secrets.otp, secrets.totp_secret)

    def client(self, account: Account, say: Warn = lambda _: None, held: Lease | None = None) -> Client:
        """A client for one account, its nonce and call counter kept in the database, as long as the lease ``held`` is."""
        from portfolio_sync.kraken.client import Client
        from portfolio_sync.store.key_state import StoredKeyState

        credentials = self.credentials(account)
        state = StoredKeyState(self.writable_engine, credentials.fingerprint, held)
        exchange = account.exchange
        return Client(credentials, exchange.url, pacing_of(exchange), state, self.clock, exchange.give_up_after, say)

    def public_client(self, say: Warn = lambda _: None) -> Client:
        """A client without a key, for market data."""
        from portfolio_sync.kraken.client import Client
        from portfolio_sync.kraken.key_state import MemoryKeyState

        exchange = self.settings.exchange
        return Client(
            None, exchange.url, pacing_of(exchange), MemoryKeyState(), self.clock, exchange.give_up_after, say
        )

    @cached_property
    def owner(self) -> str:
        """How this process names itself on a lease; never two of them."""
        from portfolio_sync.store.owner import own_name

        return own_name()

    @property
    def shown_database(self) -> str:
        """The database as messages name it, without a password."""
        from portfolio_sync.store.engine import parse_url
        from portfolio_sync.store.surroundings import shown

        return shown(parse_url(self.database_url))


def pacing_of(exchange: Exchange) -> Pacing:
    from portfolio_sync.kraken.throttle import TIERS, Pacing

    return Pacing(TIERS[exchange.tier], exchange.history_call_cost, exchange.pace)


def default_database_url() -> str:
    from platformdirs import user_data_path

    return f"sqlite:///{user_data_path('portfolio-sync') / 'portfolio.db'}"
