"""How an account and its streams stand, read at once when a run begins. Its lease makes the run the one who changes it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from portfolio_sync.core.period import Period
from portfolio_sync.store import export_job
from portfolio_sync.store.coverage import POSITION
from portfolio_sync.store.export_job import ExportJob
from portfolio_sync.store.schema import coverage, stream_state, walk


@dataclass(slots=True)
class Standing:
    """By stream: the columns of its state, what is covered (in order), where an unfinished walk stands, its export report."""

    states: dict[str, dict[str, Any]]
    covered: dict[str, list[Period]]
    positions: dict[str, dict[str, Any]]
    jobs: dict[str, ExportJob]


def standing(connection: Connection, account_id: int) -> Standing:
    states = connection.execute(select(stream_state).where(stream_state.c.account_id == account_id)).mappings()
    walks = connection.execute(select(walk).where(walk.c.account_id == account_id)).mappings()
    covered: dict[str, list[Period]] = defaultdict(list)
    query = select(coverage.c.stream, coverage.c.covered_from, coverage.c.covered_to)
    for stream, *period in connection.execute(
        query.where(coverage.c.account_id == account_id).order_by(coverage.c.covered_from)
    ):
        covered[stream].append(Period(*period))
    return Standing(
        {row["stream"]: dict(row) for row in states},
        covered,
        {row["stream"]: {name: row[name] for name in POSITION} for row in walks},
        {job.report: job for job in export_job.every(connection, account_id)},
    )
