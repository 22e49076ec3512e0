"""An export report under way, as the database keeps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from portfolio_sync.core.period import Period
from portfolio_sync.store import accounts, export_job
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.export_job import ExportJob, State

ASKED_AT = datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=UTC)
JOB = ExportJob("ledgers", ASKED_AT, Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC)))


def test_a_job_comes_back_as_it_was_to_the_microsecond_of_its_request(database: Engine) -> None:
    with writing(database) as connection:
        account = accounts.get_or_create(connection, "main", "me").id
        export_job.keep(connection, account, JOB)
    with reading(database) as connection:
        assert export_job.get(connection, account, "ledgers") == JOB
        assert export_job.get(connection, account, "trades") is None
        assert export_job.get(connection, account + 1, "ledgers") is None


def test_there_is_one_job_of_a_report_and_a_later_state_takes_its_place(database: Engine) -> None:
    later = replace(JOB, export_id="TCJA", state=State.DONE)
    with writing(database) as connection:
        account = accounts.get_or_create(connection, "main", "me").id
        for job in (JOB, later, replace(JOB, report="trades")):
            export_job.keep(connection, account, job)
    with writing(database) as connection:
        assert export_job.get(connection, account, "ledgers") == later
        export_job.forget(connection, account, "ledgers")
    with reading(database) as connection:
        assert export_job.get(connection, account, "ledgers") is None
        assert export_job.get(connection, account, "trades") is not None
