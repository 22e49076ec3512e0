"""A key's nonce, counter and parking time outlive the process."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Engine

from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.store.key_state import StoredKeyState
from tests.store.rows import DAY, NOON


def test_a_key_never_seen_starts_at_zero(database: Engine) -> None:
    assert StoredKeyState(database, "abc").load() == KeyRecord(0, Decimal(0), None, None)


def test_all_that_was_saved_comes_back_also_the_widest_nonce(database: Engine) -> None:
    record = KeyRecord(2**64 - 1, Decimal("12.345"), NOON, NOON + DAY)
    StoredKeyState(database, "abc").change(lambda _: record)
    assert StoredKeyState(database, "abc").load() == record
    assert StoredKeyState(database, "other").load() == KeyRecord()


def test_a_nonce_never_goes_down(database: Engine) -> None:
    state = StoredKeyState(database, "abc")
    state.change(lambda _: KeyRecord(last_nonce=10))
    state.change(lambda _: KeyRecord(last_nonce=7, level=Decimal(3)))
    assert state.load() == KeyRecord(last_nonce=10, level=Decimal(3))
