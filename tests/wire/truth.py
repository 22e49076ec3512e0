"""The exchange's rows beside the database's, digit by digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import create_engine, text

from portfolio_sync.core.amount import plain
from portfolio_sync.core.instant import from_unix
from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.store.engine import parse_url

LEDGER = ("refid", "type", "subtype", "aclass", "asset")
NUMBERS = ("amount", "fee", "balance")


def rows_of(database_url: str, query: str) -> list[Any]:
    engine = create_engine(parse_url(database_url))
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)))
    finally:
        engine.dispose()


def ledger_there(account: Account) -> list[tuple[Any, ...]]:
    return sorted(
        (row.id, from_unix(row.at), *(row.fields[n] for n in LEDGER), *(row.fields[n] for n in NUMBERS))
        for row in account.ledgers
    )


def ledger_here(database_url: str, where: str = "") -> list[tuple[Any, ...]]:
    columns = f"ledger_id, time, {', '.join(LEDGER)}, {', '.join(f'{n}_exact' for n in NUMBERS)}"
    found = rows_of(database_url, f"SELECT {columns} FROM ledger {where}")
    return sorted((row[0], _instant(row[1]), *row[2:7], *map(digits, row[7:])) for row in found)


def trades_there(account: Account) -> list[tuple[Any, ...]]:
    return sorted((row.id, from_unix(row.at), row.fields["pair"], *_trade(row)) for row in account.trades)


def _trade(row: Entry) -> tuple[str, ...]:
    return tuple(row.fields[n] for n in ("price", "cost", "fee", "vol"))


def trades_here(database_url: str, where: str = "") -> list[tuple[Any, ...]]:
    columns = "trade_id, time, pair, price_exact, cost_exact, fee_exact, volume_exact"
    found = rows_of(database_url, f"SELECT {columns} FROM trade {where}")
    return sorted((row[0], _instant(row[1]), row[2], *map(digits, row[3:])) for row in found)


def digits(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def _instant(value: Any) -> Any:
    from portfolio_sync.core.instant import parse_iso

    return parse_iso(value) if isinstance(value, str) else value


def assert_same(database_url: str, account: Account, name: str | None = None) -> None:
    """Every row is here (of the account of that name, where there are several), none twice, no digit differs."""
    where = f"WHERE account = '{name}'" if name else ""
    assert ledger_here(database_url, where) == ledger_there(account)
    assert trades_here(database_url, where) == trades_there(account)
