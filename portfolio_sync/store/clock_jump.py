"""After the database's clock was ahead and came back, times were written that nobody wants to wait for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from portfolio_sync.store.schema import lease


def no_later(connection: Connection, account_id: int, due: datetime, until: datetime) -> bool:
    """The account is due at ``due`` at the latest, and nobody holds it beyond ``until``; whether a time had to be mended."""
    mended = False
    for column, latest in ((lease.c.next_run_at, due), (lease.c.until, until)):
        beyond = lease.update().where(lease.c.account_id == account_id, column > latest).values({column: latest})
        mended |= connection.execute(beyond.returning(lease.c.account_id)).first() is not None
    return mended
