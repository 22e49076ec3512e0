"""The export report asked of the exchange for an account and a stream: at most one of each kind at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, select

from portfolio_sync.core.period import Period
from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import export_job


class State(StrEnum):
    """``ASKING``: about to be asked for, its id is not known; ``ASKED``: waited for; ``DONE``: to be removed there."""

    ASKING = "asking"
    ASKED = "asked"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ExportJob:
    """``report``: ledgers or trades; ``period``: the window asked for, in whole seconds."""

    report: str
    requested_at: datetime
    period: Period
    export_id: str | None = None
    state: State = State.ASKING


def get(connection: Connection, account_id: int, report: str) -> ExportJob | None:
    return next((job for job in every(connection, account_id) if job.report == report), None)


def every(connection: Connection, account_id: int) -> list[ExportJob]:
    return [
        ExportJob(
            row.report, row.requested_at, Period(row.covered_from, row.covered_to), row.export_id, State(row.state)
        )
        for row in connection.execute(select(export_job).where(export_job.c.account_id == account_id))
    ]


def keep(connection: Connection, account_id: int, job: ExportJob) -> None:
    """Write the job in the place of whatever was there."""
    values = {
        "export_id": job.export_id,
        "requested_at": job.requested_at,
        "covered_from": job.period.start,
        "covered_to": job.period.end,
        "state": job.state.value,
    }
    new = insert_into(connection, export_job).values(account_id=account_id, report=job.report, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["account_id", "report"], set_=values))


def forget(connection: Connection, account_id: int, report: str) -> None:
    connection.execute(export_job.delete().where(_of(account_id, report)))


def _of(account_id: int, report: str) -> ColumnElement[bool]:
    return and_(export_job.c.account_id == account_id, export_job.c.report == report)
