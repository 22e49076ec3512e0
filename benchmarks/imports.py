"""Kraken's files into SQLite: the first time and again, against SQLAlchemy's own ``executemany`` of the same rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from benchmarks.clock import cpu
from portfolio_sync.app import App
from portfolio_sync.files import kraken
from portfolio_sync.files.sheet import open_sheets
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.sandbox.export_file import Sheet, archive, header
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.store import migrate
from portfolio_sync.store.engine import open_engine, writing
from portfolio_sync.store.schema import raw_ledger, raw_trade
from portfolio_sync.store.upsert import upsert
from portfolio_sync.tasks.imports import import_kraken

ROWS = 100_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = {"ledgers": raw_ledger, "trades": raw_trade}
Row = dict[str, Any]


def sqlite() -> dict[str, object]:
    """Read only; read and written; the same again; the whole command (with events and proof); the bare insert."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = list(_files(folder))
        parsed = {kind: list(_rows(path)) for kind, path in zip(TABLES, paths, strict=True)}
        read = cpu(lambda: [sum(1 for _ in _rows(path)) for path in paths])
        for database in ("bare.db", "rows.db", "command.db"):
            migrate.upgrade(f"sqlite:///{folder / database}")
        bare = cpu(lambda: _bare(folder / "bare.db", parsed), runs=1)
        first = cpu(lambda: _written(folder / "rows.db", paths), runs=1)
        again = cpu(lambda: _written(folder / "rows.db", paths), runs=1)
        command = cpu(lambda: _command(folder, paths), runs=1)
        command_again = cpu(lambda: _command(folder, paths), runs=1)
    count = sum(len(rows) for rows in parsed.values())
    return {
        "suite": "files into SQLite",
        "rows": count,
        "read_rows_per_s": round(count / read),
        "first_rows_per_s": round(count / first),
        "again_rows_per_s": round(count / again),
        "bare_rows_per_s": round(count / bare),
        "first_to_bare": round(first / bare, 2),
        "again_to_first": round(again / first, 2),
        "command_to_bare": round(command / bare, 2),
        "command_again_to_first": round(command_again / command, 2),
    }


def _files(folder: Path) -> Iterator[Path]:
    life = generate(1, ROWS)
    for kind in TABLES:
        path = folder / f"{kind}.zip"
        path.write_bytes(archive(life, Sheet(kind, "CSV", header(kind, 6), Decimal(0), Decimal(10**10))))
        yield path


def _rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for sheet in open_sheets(file, path.name):
            for row in kraken.rows(sheet, Assets(), "file"):
                if isinstance(row, dict):
                    yield row


def _written(path: Path, paths: Sequence[Path]) -> None:
    engine = open_engine(f"sqlite:///{path}")
    with writing(engine) as connection:
        for table, file in zip(TABLES.values(), paths, strict=True):
            upsert(connection, table, _rows(file), seq=1, seen_at=NOW, account_id=1)
    engine.dispose()


def _command(folder: Path, paths: Sequence[Path]) -> None:
    settings = folder / "portfolio-sync.toml"
    settings.write_text(f'[database]\nurl = "sqlite:///{folder / "command.db"}"\n')
    app = App.from_settings(settings, warn=print)
    import_kraken(app, "main", None, paths)
    app.close()


def _bare(path: Path, parsed: dict[str, list[Row]]) -> None:
    engine = open_engine(f"sqlite:///{path}")
    with writing(engine) as connection:
        for kind, rows in parsed.items():
            table: Table = TABLES[kind]
            connection.execute(table.insert(), [row | {"account_id": 1, "seq": 1} for row in rows])
    engine.dispose()
