"""How the proof of an account stands, and what it wants read again, as stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, exists, select

from portfolio_sync.core.instant import iso, parse_iso
from portfolio_sync.core.period import Period
from portfolio_sync.store import schema
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.derived import PROOF
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.lease import Lease, guard

# From best to worst: several accounts are as good as the worst of them.
STATES = ("proven", "windowed", "unknown", "broken")


def proof_of(engine: Engine, accounts: Iterable[StoredAccount]) -> str:
    """The stored state of the accounts together."""
    p = schema.proof.c
    with reading(engine) as connection:
        rows = connection.execute(select(p.account_id, p.state).where(p.asset == "", p.wallet == ""))
        found = {row.account_id: row.state for row in rows}
    return max((found.get(account.id, "unknown") for account in accounts), key=STATES.index, default="unknown")


def stated_alone(engine: Engine, accounts: Iterable[StoredAccount]) -> list[StoredAccount]:
    """Those of which there is nothing of Kraken's: a person's transactions are all that is known, and no proof speaks of them."""
    sources = (schema.raw_ledger.c, schema.raw_trade.c, schema.raw_balance.c, schema.coverage.c)
    with reading(engine) as connection:
        return [
            account
            for account in accounts
            if not any(connection.scalar(select(exists().where(rows.account_id == account.id))) for rows in sources)
        ]


@dataclass(frozen=True, slots=True)
class Stand:
    """How the proof of an account stands. ``due``: there is none yet, or rows were written since (by a run that was killed, too).

    ``reread``: what a broken proof wants read again, and was not yet.
    """

    state: str
    due: bool
    reread: tuple[Period, ...]


def stand_of(engine: Engine, account: StoredAccount) -> Stand:
    p = schema.proof.c
    with reading(engine) as connection:
        touched = PROOF.is_touched(connection, account.id)
        query = select(p.state, p.detail).where(_whole(account))
        row = connection.execute(query).one_or_none()
    detail = row.detail if row and row.detail else {}
    again = detail.get("rereads") or []
    reread = tuple(Period(parse_iso(each["start"]), parse_iso(each["end"])) for each in again)
    fresh = again != detail.get("rereads_done")
    return Stand(row.state if row else "unknown", touched or not detail, reread if fresh else ())


def note_reread(engine: Engine, account: StoredAccount, held: Lease, periods: Sequence[Period]) -> bool:
    """Note that ``periods`` are read again now; False where they were before, in vain."""
    said = plain(periods)
    with writing(engine) as connection:
        guard(connection, held)
        detail = dict(detail_of(connection, account))
        if detail.get("rereads_done") == said:
            return False
        connection.execute(schema.proof.update().where(_whole(account)).values(detail={**detail, "rereads_done": said}))
    return True


def plain(periods: Sequence[Period]) -> list[dict[str, str]]:
    return [{"start": iso(each.start), "end": iso(each.end)} for each in periods]


def detail_of(connection: Connection, account: StoredAccount) -> Mapping[str, Any]:
    """What the last proof of the account kept beside its state; empty before the first."""
    return connection.scalar(select(schema.proof.c.detail).where(_whole(account))) or {}


def _whole(account: StoredAccount) -> ColumnElement[bool]:
    """Of the account as a whole, not of an asset or wallet."""
    p = schema.proof.c
    return (p.account_id == account.id) & (p.asset == "") & (p.wallet == "")
