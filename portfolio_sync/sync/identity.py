"""Whose key it is: an account here is one account at Kraken, and the other way round."""

from __future__ import annotations

from dataclasses import replace

from portfolio_sync.errors import AnotherAccount
from portfolio_sync.kraken.key import KeyInfo
from portfolio_sync.store import accounts
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import Connection


def identified(account: StoredAccount, info: KeyInfo | None) -> StoredAccount:
    """The account with what a key that may be used says about itself. ``info`` None: the server cannot tell."""
    return replace(
        account,
        kraken_id=(info and info.account_id) or account.kraken_id,
        query_from=info.query_from if info else None,
        query_to=info.query_to if info else None,
        valid_until=info.valid_until if info else None,
        key_state="read-only" if info else "unverified",
    )


def require_own(connection: Connection, account: StoredAccount, info: KeyInfo | None) -> None:
    """Raises AnotherAccount where the key opens another Kraken account than the history is of, or one that is stored
    under another name already: its history would count twice. A server that gives no id leaves it open.
    """
    if info is None or info.account_id is None:
        return
    stored = accounts.get(connection, account.name)
    known = stored.kraken_id if stored else None
    if known and known != info.account_id:
        raise AnotherAccount(
            f"this API key belongs to another Kraken account than the history stored as {account.name!r}; "
            "use another account name for it"
        )
    for other in accounts.of_kraken_account(connection, info.account_id):
        if other.id != account.id and (known is None or other.id < account.id):
            raise AnotherAccount(
                f"this API key opens the Kraken account whose history is stored as {other.name!r} already; "
                f"under {account.name!r} it would count twice: use the name {other.name!r}"
            )
