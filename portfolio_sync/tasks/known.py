"""What of an account's history is stored without gaps: the ground that a proof stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from portfolio_sync.core.instant import EPOCH, MICROSECOND, iso
from portfolio_sync.core.period import Period
from portfolio_sync.store import coverage, read
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.verify.state import VERSION

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """What of an account is stored without gaps. ``trades`` None: none were ever read. ``windowed``: what was before cannot be seen."""

    ledger: Period
    trades: Period | None
    windowed: bool

    @property
    def basis(self) -> dict[str, Any]:
        """A checkpoint goes on only where this is the same."""
        trades = self.trades and iso(self.trades.start)
        return {"rules": VERSION, "windowed": self.windowed, "ledger": iso(self.ledger.start), "trades": trades}


def readings(connection: Connection, account: StoredAccount) -> Iterator[Known]:
    """The readings of what is known, the fullest first. Rows of files alone have no coverage: they are taken as they are."""
    ledger = coverage.periods(connection, account.id, "ledgers")
    trades = coverage.periods(connection, account.id, "trades")
    rows, fills = (read.span(connection, table, account.id) for table in (read.LEDGER, read.TRADE))
    filed = _whole_span(fills, trades)
    if not ledger:
        # where there is no ledger, nothing can be joined to it
        yield Known(_whole_span(rows, []) or Period(EPOCH, FOREVER), filed if rows else None, windowed=False)
        return
    newest = ledger[-1]
    windowed = newest.start > EPOCH  # whatever window the key has now: what a wider one read stays whole
    if windowed and rows and rows[0] < newest.start:
        yield Known(Period(EPOCH, newest.end), filed, windowed=False)
    yield Known(newest, trades[-1] if trades else filed, windowed)


def _whole_span(rows: tuple[datetime, datetime] | None, covered: list[Period]) -> Period | None:
    """From the first row or covered instant to the last."""
    periods = [*covered, *([Period(rows[0], rows[1] + MICROSECOND)] if rows else [])]
    return Period(min(p.start for p in periods), max(p.end for p in periods)) if periods else None
