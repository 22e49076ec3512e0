"""Syncs and imports, each with a sequence number (raw rows carry that of the run that first brought them), and how streams fare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, func, select, union

from portfolio_sync.store.engine import insert_for, is_sqlite
from portfolio_sync.store.schema import closed_year, report_row, stream_state, sync_run

ABANDONED = "abandoned"  # outcome of a run whose process died


def begin(connection: Connection, account_id: int, kind: str, now: datetime) -> int:
    """Number a new run (``kind``: sync or import). Runs of the account that never ended were killed: they end here.

    Call it under the account's lease: a run that is still going would be ended too.
    """
    unfinished = (sync_run.c.account_id == account_id) & sync_run.c.ended_at.is_(None)
    connection.execute(sync_run.update().where(unfinished).values(ended_at=now, outcome=ABANDONED))
    new = sync_run.insert().values(
        account_id=account_id, kind=kind, started_at=now, calls=0, rows_new=0, rows_changed=0
    )
    return int(connection.execute(new.returning(sync_run.c.seq)).scalar_one())


def end(connection: Connection, seq: int, facts: Mapping[str, object]) -> None:
    """``facts``: ended_at, outcome, error, calls, rows_new, rows_changed."""
    connection.execute(sync_run.update().where(sync_run.c.seq == seq).values(**facts))


def newest(connection: Connection, account_id: int) -> int:
    """The number of the account's last run, still going or not; 0 for none."""
    return connection.scalar(select(func.max(sync_run.c.seq)).where(sync_run.c.account_id == account_id)) or 0


def settled(connection: Connection, account_ids: Sequence[int]) -> int:
    """The largest n so that "all rows of these accounts up to n" will never gain a row: no run up to n is still going."""
    mine = sync_run.c.account_id.in_(account_ids)
    going = connection.scalar(select(func.min(sync_run.c.seq)).where(mine, sync_run.c.ended_at.is_(None)))
    before = [sync_run.c.seq < going] if going is not None else []
    return connection.scalar(select(func.max(sync_run.c.seq)).where(mine, *before)) or 0


def prune(connection: Connection, account_id: int, before: datetime) -> int:
    """Forget the account's syncs that ended before then and brought no row; returns how many.

    A run that rows, changes or reports name by its number is kept for ever, the newest and the killed ones too.
    """
    return len(connection.execute(_prune(), {"account": account_id, "before": before}).all())


@cache
def _prune() -> Any:
    r = sync_run.c
    account: BindParameter[int] = bindparam("account")
    named = union(*(select(column) for column in (report_row.c.input_seq, closed_year.c.input_seq)))
    newest = select(func.max(r.seq)).where(r.account_id == account).scalar_subquery()
    old = and_(r.account_id == account, r.ended_at < bindparam("before"), r.seq < newest, r.seq.not_in(named))
    idle = and_(r.kind == "sync", r.outcome.in_(("ok", "error")), r.rows_new == 0, r.rows_changed == 0)
    return sync_run.delete().where(old, idle).returning(r.seq)


def stream(connection: Connection, account_id: int, name: str) -> dict[str, Any] | None:
    """The columns of ``stream_state``, None for a stream never tried. ``rows``: ours; ``counted``: what the exchange says."""
    query = select(stream_state).where(stream_state.c.account_id == account_id, stream_state.c.stream == name)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def count_on(connection: Connection, account_id: int, name: str, new: int) -> None:
    """So many rows came to a stream; call it in their transaction, so that nobody ever counts a whole history."""
    if new:
        state = stream(connection, account_id, name)
        set_stream(connection, account_id, name, {"rows": (state["rows"] if state else 0) + new})


def set_stream(connection: Connection, account_id: int, name: str, facts: Mapping[str, object]) -> None:
    """Write columns of ``stream_state``; the others stay as they were."""
    statement = _set_stream(is_sqlite(connection), tuple(facts))
    connection.execute(statement, {"account_id": account_id, "stream": name, "rows": 0} | dict(facts))


@lru_cache
def _set_stream(lite: bool, facts: tuple[str, ...]) -> Any:
    """Made once: a statement built anew for each of a sync's streams is a tenth of what an idle one costs."""
    new = insert_for(stream_state, lite=lite)
    set_ = {name: new.excluded[name] for name in facts}
    return new.on_conflict_do_update(index_elements=["account_id", "stream"], set_=set_)
