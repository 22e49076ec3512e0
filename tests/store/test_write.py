"""Derived rows are replaced as a whole by whoever made them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Engine, text

from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.store import schema, write
from portfolio_sync.store.engine import reading, writing
from tests.store.rows import NOON

MISSING = Finding(Severity.ERROR, "missing_price", "no price of BTC", ("L1", "L2"), NOON, "main")


def findings(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        return [(row.id, row.source_id) for row in connection.execute(text("SELECT * FROM finding ORDER BY id"))]


def test_each_writer_replaces_its_own_findings_alone(database: Engine) -> None:
    with writing(database) as connection:
        write.replace_findings(connection, "verify main", {"f1": MISSING})
        write.replace_findings(connection, "report 1", {"f1": MISSING, "f2": MISSING})
    assert findings(database) == [("f1", "L1;L2"), ("f2", "L1;L2")]  # one row, whoever found it too
    with writing(database) as connection:
        write.replace_findings(connection, "report 1", {})
    assert findings(database) == [("f1", "L1;L2")]


def test_an_accounts_events_are_replaced_and_the_others_stay(database: Engine) -> None:
    def event(id_: str) -> dict[str, object]:
        return {
            "id": id_,
            "time": NOON,
            "kind": "trade",
            "asset": "BTC",
            "quantity": Decimal("1.10"),
            "ledger_ids": "L1;L2",
        }

    with writing(database) as connection:
        write.replace_events(connection, "main", [event("a"), event("b")])
        write.replace_events(connection, "other", [event("a")])
        assert write.replace_events(connection, "main", iter([event("c")])) == 1
    with reading(database) as connection:
        found = connection.execute(text("SELECT account, id, CAST(quantity_exact AS TEXT) FROM event ORDER BY account"))
        assert [tuple(row) for row in found] == [("main", "c", "1.10"), ("other", "a", "1.10")]


def test_a_proof_is_overwritten_by_the_next(database: Engine) -> None:
    from portfolio_sync.store import accounts

    with writing(database) as connection:
        main = accounts.get_or_create(connection, "main", "me").id
        write.save_proof(connection, main, "broken", {"row": "L7"}, None)
        write.save_proof(connection, main, "proven", {}, NOON)
        rows = connection.execute(schema.proof.select()).all()
    assert [(row.state, row.detail, row.proven_to) for row in rows] == [("proven", {}, NOON)]


def test_an_account_keeps_its_number_and_takes_the_settings_taxpayer(database: Engine) -> None:
    from portfolio_sync.store import accounts

    with writing(database) as connection:
        first = accounts.get_or_create(connection, "main", "me")
        accounts.note_key(connection, replace(first, kraken_id="AA88", query_from=NOON, key_state="ok"))
        again = accounts.get_or_create(connection, "main", "the firm")
        accounts.get_or_create(connection, "Zoe", "zoe")
        assert (again.id, again.taxpayer, again.kraken_id, again.query_from) == (first.id, "the firm", "AA88", NOON)
        assert [each.name for each in accounts.every(connection)] == ["Zoe", "main"]
        assert accounts.get(connection, "nobody") is None
