"""Pages of ledger rows: JSON parsed, taken apart and upserted, against a bare ``executemany`` of the same rows."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.clock import cpu
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.kraken.response import Answer, read
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.history import sent
from portfolio_sync.sandbox.message import encode
from portfolio_sync.store import accounts, migrate
from portfolio_sync.store.engine import open_engine, writing
from portfolio_sync.store.schema import raw_ledger
from portfolio_sync.store.upsert import upsert
from portfolio_sync.sync.pages import history_page
from portfolio_sync.sync.streams import LEDGERS

ROWS, PAGE = 20_000, 50
NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = [column.name for column in raw_ledger.columns]


def bodies() -> list[bytes]:
    rows = generate(1, ROWS).ledgers
    parts = (rows[place : place + PAGE] for place in range(0, ROWS, PAGE))
    return [
        encode({"error": [], "result": {"ledger": {r.id: sent(r) for r in part}, "count": ROWS}}).encode()
        for part in parts
    ]


def parsed(body: bytes) -> list[Any]:
    answer = read(200, {}, body, "Ledgers")
    assert isinstance(answer, Answer)
    return list(history_page(LEDGERS, answer.result, Assets()).rows)


def sqlite() -> dict[str, object]:
    """Parse only, parse and upsert (a transaction a page), the same again, and the bare insert (a transaction a page)."""
    pages = bodies()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parse = cpu(lambda: [parsed(body) for body in pages])
        first = cpu(lambda: _upsert(folder / "first.db", pages), runs=1)
        again = cpu(lambda: _upsert(folder / "first.db", pages), runs=1)
        tuples = [[_tuple(row.columns) for row in parsed(body)] for body in pages]
        bare = cpu(lambda: _bare(folder / "bare.db", tuples), runs=1)
    return {
        "suite": "pages into SQLite",
        "rows": ROWS,
        "parse_rows_per_s": round(ROWS / parse),
        "parse_and_upsert_rows_per_s": round(ROWS / first),
        "again_rows_per_s": round(ROWS / again),
        "bare_executemany_rows_per_s": round(ROWS / bare),
        "upsert_to_bare": round((first - parse) / bare, 2),
        "with_parse_to_bare": round(first / bare, 2),
    }


def _upsert(path: Path, pages: list[bytes]) -> None:
    if not path.exists():
        migrate.upgrade(f"sqlite:///{path}")
    engine = open_engine(f"sqlite:///{path}")
    with writing(engine) as connection:
        account = accounts.get_or_create(connection, "main", "me").id
    for body in pages:
        with writing(engine) as connection:
            upsert(
                connection, raw_ledger, [row.columns for row in parsed(body)], seq=1, seen_at=NOW, account_id=account
            )
    engine.dispose()


def _tuple(columns: Any) -> tuple[object, ...]:
    values = {"account_id": 1, "seq": 1, **columns}
    return tuple(_plain(values[name]) for name in COLUMNS)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return json.dumps(value)
    return (
        format(value, "f")
        if isinstance(value, Decimal)
        else (value.isoformat() if isinstance(value, datetime) else value)
    )


def _bare(path: Path, pages: list[list[tuple[object, ...]]]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"CREATE TABLE t ({', '.join(COLUMNS)}, PRIMARY KEY (account_id, id))")
    connection.execute("CREATE INDEX i ON t (account_id, time, id)")
    connection.execute("CREATE INDEX j ON t (refid)")
    marks = ", ".join("?" * len(COLUMNS))
    for page in pages:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO t VALUES ({marks})", page)
        connection.execute("COMMIT")
    connection.close()
