"""After the database's clock was ahead and came back, times were written that nobody wants to wait for."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from portfolio_sync.store.schema import lease

NO_LEAVE = timedelta(0)


def no_later(
    connection: Connection, account_id: int, due: datetime, until: datetime, leave: timedelta = NO_LEAVE
) -> bool:
    """The account is due at ``due`` at the latest, and nobody holds it beyond ``until``; whether a time had to be mended.

    ``leave``: so much later than ``due`` a plan may be and stay.
    """
    mended = False
    for column, latest, longest in ((lease.c.next_run_at, due, due + leave), (lease.c.until, until, until)):
        beyond = lease.update().where(lease.c.account_id == account_id, column > longest).values({column: latest})
        mended |= connection.execute(beyond.returning(lease.c.account_id)).first() is not None
    return mended
