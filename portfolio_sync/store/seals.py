"""The seals of an account's months as the last proof from the beginning left them: written then, and not at each sync."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from portfolio_sync.store import bulk
from portfolio_sync.store.schema import month_seal

Sealed = tuple[int, str, str]
"""Rows, digest, marks."""


def load(connection: Connection, account_id: int, before: str | None = None) -> dict[str, Sealed]:
    """By kind of row and month: ``ledger 2024-05``. ``before``: those of months before that one (``2024-05``)."""
    s = month_seal.c
    query = select(s.kind, s.month, s.rows, s.digest, s.marks).where(s.account_id == account_id)
    query = query if before is None else query.where(s.month < before)
    return {f"{kind} {month}": (rows, digest, marks) for kind, month, rows, digest, marks in connection.execute(query)}


def replace(connection: Connection, account_id: int, seals: Mapping[str, Sealed]) -> None:
    connection.execute(month_seal.delete().where(month_seal.c.account_id == account_id))
    rows = (
        dict(zip(("kind", "month"), name.split(" "), strict=True), rows=number, digest=digest, marks=marks)
        for name, (number, digest, marks) in seals.items()
    )
    bulk.insert(connection, month_seal, rows, account_id=account_id)


def break_from(connection: Connection, account_id: int, month: str) -> None:
    """Rows were written to ``month`` (``2024-05``) or later: the seals from then on say nothing any more."""
    s = month_seal.c
    connection.execute(month_seal.delete().where(s.account_id == account_id, s.month >= month))
