"""Derived rows: events, lots, disposals, income, holdings, findings. Whoever makes them replaces his own whole set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from portfolio_sync.core.finding import Finding
from portfolio_sync.store import bulk
from portfolio_sync.store.engine import insert_into
from portfolio_sync.store.schema import event_row, finding_row, proof, report_row

Rows = Iterable[Mapping[str, Any]]


def replace(connection: Connection, table: Table, rows: Rows, *part: ColumnElement[bool], **scope: object) -> int:
    """Put ``rows`` in the place of all rows of ``scope`` (column = value, added to each row), or of a ``part`` of it; returns how many."""
    old = (table.c[name] == value for name, value in scope.items())
    connection.execute(table.delete().where(and_(*old, *part)))
    return bulk.insert(connection, table, rows, **scope)


def replace_events(
    connection: Connection, account: str, rows: Rows, since: datetime | None = None, before: datetime | None = None
) -> int:
    """The events of one account, in the columns of ``event_row``: all, or those from ``since`` on and older than ``before``."""
    time = event_row.c.time
    part = [*([time >= since] if since else ()), *([time < before] if before else ())]
    return replace(connection, event_row, rows, *part, account=account)


def events_shown(connection: Connection, account: str) -> int:
    """How many events of the account are shown."""
    return connection.scalar(select(func.count()).where(event_row.c.account == account)) or 0


def replace_findings(connection: Connection, scope: str, findings: Mapping[str, Finding]) -> int:
    """The findings of one writer (``scope``: ``verify main``, ``report 7``), by their content-derived id."""
    rows = (
        {
            "id": id_,
            "account": finding.account,
            "severity": finding.severity.value,
            "code": finding.code,
            "message": finding.message,
            "source_id": ";".join(finding.source),
            "time": finding.time,
        }
        for id_, finding in findings.items()
    )
    return replace(connection, finding_row, rows, scope=scope)


def save_proof(
    connection: Connection, account_id: int, state: str, detail: Mapping[str, Any], proven_to: datetime | None
) -> None:
    """The proof of a whole account (``sync_status.proof``): proven, windowed, broken or unknown."""
    save_proofs(
        connection, account_id, [{"asset": "", "wallet": "", "state": state, "detail": detail, "proven_to": proven_to}]
    )


def save_proofs(connection: Connection, account_id: int, rows: Rows) -> None:
    """Proofs by asset and wallet (state, detail, proven_to); both empty: the account as a whole."""
    for row in rows:
        new = insert_into(connection, proof).values(account_id=account_id, **row)
        said = {name: row[name] for name in ("state", "detail", "proven_to")}
        connection.execute(new.on_conflict_do_update(index_elements=["account_id", "asset", "wallet"], set_=said))


def add_report(
    connection: Connection,
    *,
    taxpayer: str,
    profile: str,
    method: str,
    year: str,
    input_seq: int,
    input_digest: str,
    created_at: datetime,
    manifest: Mapping[str, Any],
    tables: Mapping[Table, Rows],
) -> int:
    """Record a report run and its rows (lot, disposal, income, holding tables); returns its number.

    ``year`` is ``all`` or one tax year, written as in the rows' ``tax_year``.
    """
    new = report_row.insert().values(
        taxpayer=taxpayer,
        profile=profile,
        method=method,
        year=year,
        input_seq=input_seq,
        input_digest=input_digest,
        created_at=created_at,
        manifest=dict(manifest),
    )
    run_id = int(connection.execute(new.returning(report_row.c.run_id)).scalar_one())
    for table, rows in tables.items():
        bulk.insert(connection, table, rows, run_id=run_id, taxpayer=taxpayer)
    return run_id
