"""Rows into PostgreSQL, against a bare COPY into a temporary table and one merge, on a server of our own."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection

from benchmarks.pages import NOW
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.history import sent
from portfolio_sync.store import accounts, migrate
from portfolio_sync.store.bulk import copy, layout
from portfolio_sync.store.engine import open_engine, writing
from portfolio_sync.store.schema import raw_ledger
from portfolio_sync.store.upsert import upsert
from portfolio_sync.sync.streams import LEDGERS
from tests.postgres import server

ROWS = 50_000


def merge() -> dict[str, object]:
    """Wall seconds, since most of the work is the server's."""
    rows = [LEDGERS.record(row.id, sent(row), Assets()).columns for row in generate(1, ROWS).ledgers]
    with server() as url:
        migrate.upgrade(url)
        engine = open_engine(url)
        with writing(engine) as connection:
            first, second = (accounts.get_or_create(connection, name, "me").id for name in ("ours", "bare"))
        form = layout(raw_ledger, sqlite=False)
        tuples = form.encode(rows, fixed={"seq": 1, "account_id": second})

        def ours(connection: Connection) -> None:
            upsert(connection, raw_ledger, rows, seq=1, seen_at=NOW, account_id=first)

        def bare(connection: Connection) -> None:
            names = ", ".join(f'"{name}"' for name in form.names)
            connection.exec_driver_sql("CREATE TEMP TABLE t ON COMMIT DROP AS TABLE raw_ledger WITH NO DATA")
            copy(connection, "t", form.names, tuples)
            connection.exec_driver_sql(
                f"INSERT INTO raw_ledger ({names}) SELECT {names} FROM t ON CONFLICT (account_id, id) DO UPDATE SET amount = excluded.amount "
                "WHERE raw_ledger.amount IS DISTINCT FROM excluded.amount"
            )

        def timed(work: Callable[[Connection], None]) -> float:
            start = time.perf_counter()
            with writing(engine) as connection:
                work(connection)
            return time.perf_counter() - start

        took = {"ours": timed(ours), "bare": timed(bare), "again": timed(ours)}
        engine.dispose()
    return {
        "suite": "rows into PostgreSQL",
        "rows": ROWS,
        "rows_per_s": round(ROWS / took["ours"]),
        "to_copy_and_merge": round(took["ours"] / took["bare"], 2),
        "again_to_first": round(took["again"] / took["ours"], 2),
    }
