from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from portfolio_sync.errors import SettingsError
from portfolio_sync.tax.profile import HifoKey, PoolScope, Profile, with_settings
from portfolio_sync.tax.profiles import GENERIC, PROFILES, US, profile_named


def test_any_convention_can_be_set_by_name() -> None:
    profile = with_settings(
        GENERIC, {"hifo_key": "price", "withheld_fee_own_lot": "true", "timezone": "Europe/London", "currency": "gbp"}
    )
    assert (profile.hifo_key, profile.withheld_fee_own_lot, profile.timezone, profile.currency) == (
        HifoKey.PRICE,
        True,
        "Europe/London",
        "GBP",
    )


def test_setting_the_scope_means_all_of_the_history() -> None:
    profile = with_settings(US, {"pool_scope": "universal"})
    assert (profile.pool_scope, profile.wallet_pools_from) == (PoolScope.UNIVERSAL, None)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("colour", "red", "unknown setting 'colour'"),
        ("name", "x", "unknown setting 'name'"),
        ("hifo_key", "cost", "one of unit_cost, price"),
        ("withheld_fee_own_lot", "yes", "'yes' is no value"),
        ("timezone", "Mars/Base", "'Mars/Base' is no value"),
        ("year_start_month", "x", "'x' is no value"),
    ],
)
def test_an_unknown_key_or_value_is_named(key: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        with_settings(GENERIC, {key: value})


def test_a_tax_year_that_crosses_the_calendar_is_named_by_both() -> None:
    uk = Profile("uk", "", timezone="Europe/London", year_start_month=4, year_start_day=6)
    last, first = (
        datetime(2025, 4, 5, 22, 59, tzinfo=UTC),
        datetime(2025, 4, 5, 23, 30, tzinfo=UTC),
    )  # 23:30 UTC is 00:30 on 6 April in London
    assert [uk.label(uk.year_of(instant)) for instant in (last, first)] == ["2024-25", "2025-26"]
    assert uk.end_of(2024) == datetime(2025, 4, 5, 23, tzinfo=UTC)


def test_a_local_year_of_a_calendar_country() -> None:
    new_york = with_settings(US, {"timezone": "America/New_York"})
    assert new_york.year_of(datetime(2025, 1, 1, 4, 59, tzinfo=UTC)) == 2024
    assert new_york.start_of(date(2025, 1, 1)) == datetime(2025, 1, 1, 5, tzinfo=UTC)


def test_profiles_are_found_by_name() -> None:
    assert profile_named("us") is US
    assert all(profile.citations for profile in PROFILES.values())
    with pytest.raises(SettingsError, match="known: ca, de, fr, generic, ie, uk, us"):
        profile_named("atlantis")
