"""What the status rows of deposits and withdrawals know of a ledger row: the hash of its transaction on the chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, and_, select

from portfolio_sync.core.amount import plain
from portfolio_sync.store.read import changed_since
from portfolio_sync.store.schema import raw_ledger, raw_transfer


def marks(
    connection: Connection, accounts: Mapping[int, str], *, upto_seq: int
) -> dict[tuple[str, str], tuple[str, ...]]:
    """(account, ledger row id) -> hashes, as they stood after that run. ``accounts``: id -> name."""
    row, status = raw_ledger.c, raw_transfer.c
    same = and_(row.account_id == status.account_id, row.refid == status.refid, row.type == status.direction)
    query = (
        select(status.account_id, row.id, status.direction, status.refid, status.asset, status.amount, status.txid)
        .join(raw_ledger, same)
        .where(status.account_id.in_(accounts), status.seq <= upto_seq, row.seq <= upto_seq)
    )
    later = {account: changed_since(connection, raw_transfer, account, upto_seq) for account in accounts}
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for account, row_id, direction, refid, asset, amount, txid in connection.execute(query):
        name = "/".join((direction, refid, asset, plain(amount)))
        if known := later[account].get(name, {}).get("txid", txid):
            found[accounts[account], row_id].add(known)
    return {key: tuple(sorted(hashes)) for key, hashes in sorted(found.items())}
