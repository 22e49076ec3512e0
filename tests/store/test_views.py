"""The views are a contract with analysts: names, columns, kinds of numbers, and which rows they show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, Row, text

from portfolio_sync.core.period import Period
from portfolio_sync.store import accounts, coverage, runs, schema, write
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.upsert import upsert
from tests.store.rows import DAY, NOON, ledger_row

# Column names as the contract lists them; a star marks a number that is shown twice (x, x_exact).
CONTRACT = {
    "ledger": "account ledger_id refid time type subtype aclass asset symbol wallet amount* fee* balance* source first_seen",
    "trade": "account trade_id order_id position_id time pair base quote side order_type price* cost* fee* volume* margin* misc maker",
    "balance": "account taken_at asset symbol amount*",
    "balance_history": "account taken_at asset symbol amount*",
    "event": "id account time kind asset quantity* counter_asset counter_quantity* fee_asset fee_quantity* value* currency price_source ledger_ids",
    "lot": "id taxpayer account asset acquired_at quantity* remaining* cost* currency event_id",
    "disposal": "id taxpayer account asset kind quantity* acquired_at disposed_at proceeds* cost* gain* currency term rule matched_date denied_loss* tax_year acquired_id disposed_id",
    "disposal_all": "run_id id taxpayer account asset kind quantity* acquired_at disposed_at proceeds* cost* gain* currency term rule matched_date denied_loss* tax_year acquired_id disposed_id",
    "income": "id taxpayer account time asset quantity* value* currency income_type tax_year event_id",
    "holding": "taxpayer account symbol quantity* cost* value* unrealised* currency priced_at",
    "price": "symbol currency time rate* source fetched_at",
    "finding": "id account severity code message source_id time",
    "change_log": "account table_name row_id field old new seen_at",
    "sync_status": "account stream covered_from covered_to rows last_success_at proof error",
    "report_run": "run_id taxpayer profile method year input_seq input_digest created_at",
}


def query(engine: Engine, statement: str) -> list[Row[Any]]:
    with reading(engine) as connection:
        return list(connection.execute(text(statement)))


@pytest.mark.parametrize("name", CONTRACT)
def test_each_view_has_the_columns_of_the_contract(database: Engine, name: str) -> None:
    wanted = [
        c for word in CONTRACT[name].split() for c in ([word[:-1], f"{word[:-1]}_exact"] if "*" in word else [word])
    ]
    with reading(database) as connection:
        assert list(connection.execute(text(f"SELECT * FROM {name}")).keys()) == wanted


def test_a_number_is_shown_rounded_and_exact(database: Engine) -> None:
    with writing(database) as connection:
        main = accounts.get_or_create(connection, "main", "me")
        seq = runs.begin(connection, main.id, "sync", NOON)
        row = ledger_row("L1", amount=Decimal("0.1234567890123456789000"))
        upsert(connection, schema.raw_ledger, [row], seq=seq, seen_at=NOON, account_id=main.id)
    kind = {"sqlite": "typeof", "postgresql": "pg_typeof"}[database.dialect.name]
    (found,) = query(
        database,
        "SELECT amount, amount_exact, CAST(amount_exact AS TEXT), "
        f"CAST({kind}(amount) AS TEXT), CAST({kind}(amount_exact) AS TEXT) FROM ledger",
    )
    rounded, exact, exact_text, rounded_type, exact_type = tuple(found)
    assert float(rounded) == pytest.approx(0.1234567890123456789)
    assert exact_text == "0.1234567890123456789000"
    assert Decimal(exact) == Decimal("0.1234567890123456789000")
    assert (rounded_type, exact_type) == {"sqlite": ("real", "text"), "postgresql": ("numeric", "numeric")}[
        database.dialect.name
    ]
    assert query(database, "SELECT count(*) FROM ledger WHERE amount > 0.1 AND first_seen IS NOT NULL")[0][0] == 1


def report(engine: Engine, year: str, profile: str, gains: dict[str, str]) -> int:
    """A report run with one disposal a tax year: year -> gain."""
    rows = [
        {
            "id": f"{profile}-{tax_year}", "taxpayer": "me", "account": "main", "asset": "BTC", "kind": "sell",
            "quantity": Decimal(1), "disposed_at": NOON, "gain": Decimal(gain), "currency": "USD", "rule": "fifo",
            "tax_year": tax_year,
        }
        for tax_year, gain in gains.items()
    ]  # fmt: skip
    with writing(engine) as connection:
        return write.add_report(
            connection, taxpayer="me", profile=profile, method="fifo", year=year, input_seq=1, input_digest="d",
            created_at=NOON, manifest={}, tables={schema.disposal_row: rows},
        )  # fmt: skip


def shown(engine: Engine) -> set[tuple[str, int]]:
    return {(row.id, int(row.gain)) for row in query(engine, "SELECT id, gain FROM disposal")}


def test_disposal_shows_the_latest_run_of_each_profile_and_year(database: Engine) -> None:
    report(database, "all", "us", {"2023": "1", "2024": "2"})
    report(database, "2024", "us", {"2024": "3"})
    report(database, "2024", "uk", {"2024": "4"})
    assert shown(database) == {("us-2023", 1), ("us-2024", 3), ("uk-2024", 4)}
    assert len(query(database, "SELECT * FROM disposal_all")) == 4


def test_a_later_run_without_disposals_hides_those_of_an_earlier_one(database: Engine) -> None:
    report(database, "2024", "us", {"2024": "3"})
    report(database, "all", "us", {"2023": "1"})
    assert shown(database) == {("us-2023", 1)}


def test_sync_status_tells_the_newest_stretch_and_the_accounts_proof(database: Engine) -> None:
    with writing(database) as connection:
        main = accounts.get_or_create(connection, "main", "me")
        runs.set_stream(connection, main.id, "ledgers", {"rows": 12, "last_success_at": NOON})
        runs.set_stream(connection, main.id, "earn", {"error": "no permission", "error_at": NOON})
        coverage.add(connection, main.id, "ledgers", Period(NOON - 9 * DAY, NOON - 8 * DAY))
        coverage.add(connection, main.id, "ledgers", Period(NOON - 2 * DAY, NOON))
        write.save_proof(connection, main.id, "proven", {"rows": 12}, NOON)
    found = query(database, "SELECT stream, rows, proof, error FROM sync_status ORDER BY stream")
    assert [tuple(row) for row in found] == [("earn", 0, None, "no permission"), ("ledgers", 12, "proven", None)]
    (stretch,) = query(database, "SELECT covered_from, covered_to FROM sync_status WHERE stream = 'ledgers'")
    assert [str(end)[:10] for end in stretch] == ["2024-04-29", "2024-05-01"]
