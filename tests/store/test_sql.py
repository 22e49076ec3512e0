"""``portfolio-sync sql`` can look and never touch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from portfolio_sync.errors import UsageError
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import key_state
from portfolio_sync.store.sql import run_query

WRITES = [
    "DELETE FROM key_state",
    "INSERT INTO account (name, taxpayer) VALUES ('x', 'y')",
    "DROP VIEW ledger",
    "ATTACH 'other.db' AS other",
    "PRAGMA writable_schema = ON",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COMMIT; DELETE FROM key_state",
    "SELECT 1; DELETE FROM key_state",
    "WITH gone AS (DELETE FROM key_state RETURNING 1) SELECT * FROM gone",
    "/* a query? */ -- no\n DELETE FROM key_state",
    "EXPLAIN ANALYZE DELETE FROM key_state",
    "SELECT load_extension('x')",
    "",
]


@pytest.fixture
def filled(database: Engine) -> Engine:
    with writing(database) as connection:
        for name in ("a", "b"):
            connection.execute(
                key_state.insert().values(fingerprint=name, last_nonce=Decimal(1), level=Decimal("0.10"))
            )
    return database


def test_a_query_gives_its_header_and_rows(filled: Engine) -> None:
    with run_query(filled, "-- names\nSELECT fingerprint AS key FROM key_state ORDER BY key;") as (header, rows):
        assert (header, [tuple(row) for row in rows]) == (["key"], [("a",), ("b",)])
    with run_query(filled, "SELECT decimal_sum(level) AS total FROM key_state") as (header, rows):
        assert (header, [str(row[0]) for row in rows]) == (["total"], ["0.20"])


def test_a_query_without_rows_still_has_its_header(filled: Engine) -> None:
    with run_query(filled, "SELECT * FROM sync_status WHERE 1 = 0") as (header, rows):
        assert header[:2] == ["account", "stream"]
        assert list(rows) == []


def run(engine: Engine, statement: str) -> list[Any]:
    with run_query(engine, statement) as (_, rows):
        return list(rows)


@pytest.mark.parametrize("statement", WRITES)
def test_what_would_write_is_refused_and_nothing_changes(filled: Engine, statement: str) -> None:
    with pytest.raises(UsageError):
        run(filled, statement)
    with reading(filled) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM key_state").scalar_one() == 2


def test_a_misspelt_query_is_one_line(filled: Engine) -> None:
    with pytest.raises(UsageError) as refused, run_query(filled, "SELECT title FROM nowhere"):
        pass
    assert "nowhere" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_connection_can_write_again_afterwards(filled: Engine) -> None:
    with run_query(filled, "SELECT 1") as (_, rows):
        list(rows)
    with writing(filled) as connection:
        connection.execute(key_state.delete())
