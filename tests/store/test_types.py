"""Nothing is lost between Python and either database: not a digit, not a zero, not a microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from portfolio_sync.core.amount import shortest, shortest_of
from portfolio_sync.core.instant import iso
from portfolio_sync.store.decimal_sum import DecimalSum
from portfolio_sync.store.engine import writing
from portfolio_sync.store.schema import key_state, price_row
from portfolio_sync.store.types import ExactDecimal, JsonText, UtcDateTime
from tests.store.rows import NOON

NUMBERS = [
    "0.1", "0.30000000000000000004", "12345678901234.1234567890", "100.0000", "1E-18", "0E-10", "-0.00",
    "99999999999999999999.999999999999999999", "-0.000000000000000001", "1E+5", "18446744073709551615",
]  # fmt: skip


def exact(number: Decimal) -> tuple[str, int]:
    """A number's text in plain notation and its places, a zero having no sign."""
    return format(number or abs(number), "f"), max(0, -int(number.as_tuple().exponent))


def stored_and_read(database: Engine, number: Decimal) -> Decimal:
    with writing(database) as connection:
        connection.execute(key_state.delete())
        connection.execute(key_state.insert().values(fingerprint="f", last_nonce=number, level=number))
        found: Decimal = connection.execute(select(key_state.c.level)).scalar_one()
    return found


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_come_back_with_every_digit_and_trailing_zero(database: Engine, text: str) -> None:
    assert exact(stored_and_read(database, Decimal(text))) == exact(Decimal(text))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**20), max_value=10**20))
def test_any_number_of_38_digits_comes_back(database: Engine, number: Decimal) -> None:
    assert exact(stored_and_read(database, number)) == exact(number)


@given(st.lists(st.one_of(st.sampled_from(NUMBERS).map(Decimal), st.decimals(allow_nan=False, allow_infinity=False))))
def test_many_numbers_are_written_as_each_is(numbers: list[Decimal]) -> None:
    assert ExactDecimal.encode_all(numbers) == list(map(ExactDecimal.encode, numbers))
    assert shortest_of(numbers) == list(map(shortest, numbers))


@pytest.mark.parametrize("wrong", [1.5, Decimal("NaN")])
def test_what_is_no_money_is_none_among_many_either(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        ExactDecimal.encode_all([Decimal(1), wrong])


ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES))  # noqa: DTZ001 - the zone is drawn
def test_an_instant_reads_as_isoformat_has_it(instant: datetime) -> None:
    said = instant.astimezone(UTC).isoformat()
    assert iso(instant) == said.removesuffix("+00:00") + "Z"
    assert datetime.fromisoformat(UtcDateTime.encode(instant)) == instant


@pytest.mark.parametrize("wrong", [1.5, 1, "1.5"])
def test_only_decimals_are_money(wrong: Any) -> None:
    with pytest.raises(TypeError, match="money is Decimal"):
        ExactDecimal.encode(wrong)


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "sNaN"])
def test_only_finite_numbers_are_money(wrong: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        ExactDecimal.encode(Decimal(wrong))


@pytest.mark.parametrize(
    "instant",
    [
        NOON,
        NOON.replace(microsecond=0),
        NOON.replace(microsecond=1),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
    ids=str,
)
def test_instants_come_back_to_the_microsecond_and_in_utc(database: Engine, instant: datetime) -> None:
    price = {"symbol": "BTC", "currency": "EUR", "source": "test", "fetched_at": NOON, "rate": Decimal(1)}
    with writing(database) as connection:
        connection.execute(price_row.insert().values(**price, time=instant))
        found = connection.execute(select(price_row.c.time)).scalar_one()
    assert found == instant
    assert found.utcoffset() == timedelta(0)


def test_an_offset_is_converted_not_dropped() -> None:
    five_hours_west = datetime(2024, 5, 1, 23, 30, tzinfo=timezone(-timedelta(hours=5)))
    assert UtcDateTime.encode(five_hours_west) == "2024-05-02T04:30:00.000000Z"


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(TypeError, match="offset"):
        UtcDateTime.encode(NOON.replace(tzinfo=None))


@given(st.lists(st.datetimes(timezones=st.just(UTC)), max_size=5))
def test_instants_sort_as_text_as_they_do_in_time(instants: list[datetime]) -> None:
    assert [UtcDateTime.decode(text) for text in sorted(map(UtcDateTime.encode, instants))] == sorted(instants)


def test_json_keeps_the_digits_of_a_number() -> None:
    assert JsonText.encode({"b": Decimal("1.50"), "a": None}) == '{"a":null,"b":"1.50"}'


def test_decimal_sum_is_exact_over_a_million_small_numbers() -> None:
    total = DecimalSum()
    total.step("10000000000000000000")
    for _ in range(1000):
        total.step("0.000000000000000001")
    total.step(None)
    assert total.finalize() == "10000000000000000000.000000000000001000"


def test_decimal_sum_answers_alike_on_both_databases(database: Engine) -> None:
    with writing(database) as connection:
        for name, level in (("a", "0.1"), ("b", "0.20")):
            connection.execute(key_state.insert().values(fingerprint=name, last_nonce=Decimal(1), level=Decimal(level)))
        query = "SELECT decimal_sum(level), decimal_sum(NULL) FROM key_state"
        running = "SELECT decimal_sum(level) OVER (ORDER BY fingerprint) FROM key_state ORDER BY fingerprint"
        assert [str(v) for v in connection.exec_driver_sql(query).one()] == ["0.30", "None"]
        assert [str(v) for v in connection.exec_driver_sql(running).scalars()] == ["0.1", "0.30"]
