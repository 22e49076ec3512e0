"""New rows in, changed rows over with the old version on record, unchanged rows not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, text

from portfolio_sync.store import accounts, bulk, merge, schema
from portfolio_sync.store.engine import writing
from portfolio_sync.store.upsert import Upserted, upsert
from tests.store.rows import DAY, NOON, file_row, ledger_row

ACCOUNT = 1  # raw rows need no account to point to


def put(connection: Connection, *rows: dict[str, Any], seq: int = 1) -> Upserted:
    return upsert(connection, schema.raw_ledger, rows, seq=seq, seen_at=NOON, account_id=ACCOUNT)


def stored(connection: Connection) -> dict[str, dict[str, Any]]:
    query = select(schema.raw_ledger).where(schema.raw_ledger.c.account_id == ACCOUNT)
    return {row["id"]: dict(row) for row in connection.execute(query).mappings()}


def log(connection: Connection) -> list[tuple[Any, ...]]:
    found = connection.execute(text("SELECT row_id, field, old, new, seq FROM change_row ORDER BY id"))
    return [tuple(row) for row in found]


@pytest.fixture
def connection(database: Engine) -> Any:
    with writing(database) as connection:
        accounts.get_or_create(connection, "main", "me")
        yield connection


def test_a_new_row_comes_back_as_it_went_in(connection: Connection) -> None:
    row = ledger_row("L1", extra={"new_field": [1, {"deep": "Ünï"}]})
    assert put(connection, row) == Upserted(new=1)
    assert stored(connection)["L1"] == row | {"account_id": ACCOUNT, "seq": 1}


def test_an_unchanged_row_writes_nothing(connection: Connection) -> None:
    put(connection, ledger_row("L1"))
    assert put(connection, ledger_row("L1"), seq=2) == Upserted(unchanged=1)
    assert stored(connection)["L1"]["seq"] == 1
    assert log(connection) == []


def test_the_same_number_with_fewer_zeros_is_unchanged(connection: Connection) -> None:
    put(connection, ledger_row("L1"))
    assert put(connection, ledger_row("L1", amount=Decimal("1.5"))) == Upserted(unchanged=1)


def test_a_changed_row_is_written_and_its_old_version_kept_field_by_field(connection: Connection) -> None:
    put(connection, ledger_row("L1"))
    changed = ledger_row("L1", fee=Decimal("0.10"), time=NOON + DAY)
    assert put(connection, changed, seq=2) == Upserted(changed=1)
    assert stored(connection)["L1"] == changed | {"account_id": ACCOUNT, "seq": 1}
    assert sorted(log(connection)) == [
        ("L1", "fee", "0.0000000000", "0.10", 2),
        ("L1", "time", "2024-05-01T12:00:00.123456Z", "2024-05-02T12:00:00.123456Z", 2),
    ]


def test_one_batch_may_hold_a_row_twice_and_the_last_wins(connection: Connection) -> None:
    rows = [ledger_row("L1", fee=Decimal(n)) for n in (1, 2, 2, 3)]
    assert put(connection, *rows) == Upserted(new=1, changed=2, unchanged=1)
    assert stored(connection)["L1"]["fee"] == 3


def test_accounts_do_not_meet(connection: Connection) -> None:
    put(connection, ledger_row("L1"))
    other = upsert(connection, schema.raw_ledger, [ledger_row("L1", fee=Decimal(9))], seq=1, seen_at=NOON, account_id=2)
    assert other == Upserted(new=1)


def test_a_column_that_the_table_has_not_is_named(connection: Connection) -> None:
    with pytest.raises(KeyError, match="raw_ledger has no column 'surprise'"):
        put(connection, ledger_row("L1", surprise=1))


def test_rows_stream_through_in_batches(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk.batches, "__defaults__", (100,))
    monkeypatch.setattr(merge, "SMALL", 10)  # so that PostgreSQL takes the way of big batches
    rows = [ledger_row(f"L{n:04}") for n in range(950)]
    assert upsert(connection, schema.raw_ledger, iter(rows), seq=1, seen_at=NOON, account_id=ACCOUNT).new == 950
    rows[500] |= {"fee": Decimal(7)}
    again = upsert(
        connection, schema.raw_ledger, iter([*rows, ledger_row("L9999")]), seq=2, seen_at=NOON, account_id=ACCOUNT
    )
    assert again == Upserted(new=1, changed=1, unchanged=949)
    assert log(connection) == [("L0500", "fee", "0.0000000000", "7", 2)]


def test_rows_with_a_key_of_several_columns_are_named_by_all_of_them(connection: Connection) -> None:
    row = {
        "direction": "deposit",
        "refid": "FT1",
        "asset": "XXBT",
        "amount": Decimal("0.5000"),
        "time": NOON,
        "status": "Pending",
    }
    transfers = schema.raw_transfer
    upsert(connection, transfers, [row], seq=1, seen_at=NOON, account_id=ACCOUNT)
    done = upsert(connection, transfers, [row | {"status": "Success"}], seq=2, seen_at=NOON, account_id=ACCOUNT)
    assert done == Upserted(changed=1)
    assert log(connection) == [("deposit/FT1/XXBT/0.5000", "status", "Pending", "Success", 2)]


def test_a_bool_and_a_list_come_back(connection: Connection) -> None:
    trade = {
        "id": "T1", "time": NOON, "price": Decimal(1), "cost": Decimal(1), "fee": Decimal(0), "volume": Decimal(1),
        "margin": Decimal(0), "maker": True, "ledgers": ["L1", "L2"], "source": "api",
    }  # fmt: skip
    upsert(connection, schema.raw_trade, [trade], seq=1, seen_at=NOON, account_id=ACCOUNT)
    found = connection.execute(select(schema.raw_trade)).mappings().one()
    assert (found["maker"], found["ledgers"], found["pair"]) == (True, ["L1", "L2"], "")


IDS = st.sampled_from([f"L{n}" for n in range(5)])
ROWS = st.builds(
    ledger_row, IDS, fee=st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)]), refid=st.sampled_from("ab")
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(ROWS, max_size=8), max_size=5), small=st.sampled_from([0, 500]))
def test_the_table_is_a_dict_by_id(database: Engine, batches: list[list[dict[str, Any]]], small: int) -> None:
    model: dict[str, dict[str, Any]] = {}
    changes: list[tuple[str, str]] = []
    with pytest.MonkeyPatch.context() as patch, writing(database) as connection:
        patch.setattr(merge, "SMALL", small)
        connection.execute(schema.raw_ledger.delete())
        connection.execute(schema.change_row.delete())
        main = accounts.get_or_create(connection, "main", "me")
        for seq, batch in enumerate(batches, start=1):
            expected = {"new": 0, "changed": 0, "unchanged": 0}
            for row in batch:
                old = model.get(row["id"])
                fields = [name for name in row if old and old[name] != row[name]]
                changes += [(row["id"], name) for name in fields]
                expected["new" if old is None else "changed" if fields else "unchanged"] += 1
                model[row["id"]] = row | {"account_id": None, "seq": old["seq"] if old else seq}
            done = upsert(connection, schema.raw_ledger, batch, seq=seq, seen_at=NOON, account_id=main.id)
            assert (done.new, done.changed, done.unchanged) == tuple(expected.values())
        found = {
            row["id"]: dict(row) | {"account_id": None}
            for row in connection.execute(select(schema.raw_ledger)).mappings()
        }
        assert found == model
        assert sorted((row[0], row[1]) for row in log(connection)) == sorted(changes)


# --- files and the API -------------------------------------------------------------------------------------------------


def test_the_api_confirms_a_files_row_without_a_change_on_record(connection: Connection) -> None:
    put(connection, file_row("L1"))
    assert put(connection, ledger_row("L1"), seq=2) == Upserted(confirmed=1)
    assert stored(connection)["L1"] == ledger_row("L1", extra={"amountusd": "90000"}) | {
        "account_id": ACCOUNT,
        "seq": 1,
    }
    assert log(connection) == []
    assert put(connection, ledger_row("L1"), seq=3) == Upserted(unchanged=1)
    assert put(connection, ledger_row("L1", extra={"margin": "1"}), seq=4) == Upserted(changed=1)
    assert stored(connection)["L1"]["extra"] == {"amountusd": "90000", "margin": "1"}
    assert [entry[1] for entry in log(connection)] == ["extra"]


def test_what_the_api_says_otherwise_than_the_file_is_on_record(connection: Connection) -> None:
    put(connection, file_row("L1", fee=Decimal("0.25")))
    assert put(connection, ledger_row("L1"), seq=2) == Upserted(changed=1)
    assert log(connection) == [("L1", "fee", "0.25", "0.0000000000", 2)]
    assert stored(connection)["L1"]["source"] == "api"


def test_a_file_never_overwrites_the_api(connection: Connection) -> None:
    put(connection, ledger_row("L1"))
    assert put(connection, file_row("L1"), seq=2) == Upserted(unchanged=1)
    assert stored(connection)["L1"] == ledger_row("L1") | {"account_id": ACCOUNT, "seq": 1}


def test_a_file_that_says_another_amount_than_the_api_is_reported(connection: Connection) -> None:
    put(connection, ledger_row("L1"))
    done = put(connection, file_row("L1", amount=Decimal("1.6")), seq=2)
    assert [(c.row_id, c.field, c.stored, c.incoming) for c in done.conflicts] == [
        ("L1", "amount", "1.5000000000", "1.6")
    ]
    assert done.unchanged == 1
    assert stored(connection)["L1"]["amount"] == Decimal("1.5")
    assert log(connection) == []


def test_a_second_file_adds_what_the_first_one_left_blank(connection: Connection) -> None:
    put(connection, file_row("L1", wallet="", aclass=""))
    assert put(connection, file_row("L1"), seq=2) == Upserted(confirmed=1)
    assert put(connection, file_row("L1", wallet="", aclass=""), seq=3) == Upserted(unchanged=1)
    assert stored(connection)["L1"]["wallet"] == "spot / main"


def test_a_time_that_differs_by_a_second_or_more_is_no_cut_off_fraction(connection: Connection) -> None:
    put(connection, file_row("L1", time=NOON - DAY))
    assert put(connection, ledger_row("L1"), seq=2).changed == 1
    assert [row[1] for row in log(connection)] == ["time"]
