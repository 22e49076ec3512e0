"""The proof of a whole stored history and of what came since, against reading the same rows from the database."""

from __future__ import annotations

import tempfile
from collections import deque
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from benchmarks.clock import cpu
from benchmarks.pages import NOW
from portfolio_sync.core.instant import EPOCH
from portfolio_sync.core.period import Period
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.sandbox.account import Entry
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.history import sent
from portfolio_sync.store import accounts, coverage, migrate, read
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.bulk import driver
from portfolio_sync.store.engine import open_engine, reading, writing
from portfolio_sync.store.schema import raw_ledger, raw_trade
from portfolio_sync.store.upsert import upsert
from portfolio_sync.sync.streams import LEDGERS, TRADES
from portfolio_sync.tasks.verify import verify_account

ROWS, NEW = 50_000, 50


def chains() -> dict[str, object]:
    """``to_fetch``: over fetching the raw rows alone; ``new_to_whole``: what proving 50 new rows costs."""
    account = generate(1, ROWS + NEW)
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'bench.db'}"
        migrate.upgrade(url)
        engine = open_engine(url)
        stored = _store(engine, account.ledgers[:ROWS], account.trades)
        fetch = cpu(lambda: _fetched(engine), runs=1)
        whole = cpu(lambda: verify_account(engine, stored), runs=1)
        _store(engine, account.ledgers[ROWS:], [])
        new = cpu(lambda: verify_account(engine, stored, whole=False), runs=1)
        engine.dispose()
    return {
        "suite": "proof",
        "rows": ROWS,
        "rows_per_s": round(ROWS / whole),
        "to_fetch": round(whole / fetch, 2),
        "new_to_whole": round(new / whole, 4),
    }


def _store(engine: Engine, ledger: list[Entry], trades: list[Entry]) -> StoredAccount:
    until = NOW + timedelta(days=3650)
    with writing(engine) as connection:
        account = accounts.get_or_create(connection, "main", "me")
        for table, stream, rows in ((raw_ledger, LEDGERS, ledger), (raw_trade, TRADES, trades)):
            columns = (stream.record(row.id, sent(row), Assets()).columns for row in rows)
            upsert(connection, table, columns, seq=1, seen_at=NOW, account_id=account.id)
            coverage.add(connection, account.id, stream.name, Period(EPOCH, until))
    return account


def _fetched(engine: Engine) -> None:
    with reading(engine) as connection:
        for table, source in ((raw_ledger, read.LEDGER), (raw_trade, read.TRADE)):
            columns = ", ".join(f'"{name}"' for name in source.columns)
            deque(driver(connection).execute(f"SELECT {columns} FROM {table.name} ORDER BY account_id, time, id"), 0)
