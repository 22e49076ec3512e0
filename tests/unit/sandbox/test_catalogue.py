"""The prices of the practice exchange: whole numbers, the same each time, near the market of their years."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio_sync.sandbox.catalogue import ASSETS, PAIRS, PRICE_SCALE, rate, usd

Y2025 = 1735689600


def test_names_are_those_of_the_exchange() -> None:
    assert (ASSETS["XXBT"].altname, ASSETS["ZEUR"].altname, ASSETS["XXDG"].altname, ASSETS["KFEE"].altname) == (
        "XBT",
        "EUR",
        "XDG",
        "FEE",
    )
    assert {"XBT.M", "ETH2.S", "DOT28.S", "DOT.B", "EUR.HOLD"} <= ASSETS.keys()
    assert (PAIRS["XXBTZEUR"].altname, PAIRS["XXBTZEUR"].wsname) == ("XBTEUR", "XBT/EUR")


@given(st.sampled_from(sorted(ASSETS)), st.integers(1378771200, 1900000000))
def test_every_asset_has_a_price_at_every_second(code: str, second: int) -> None:
    assert usd(code, second) > 0


@given(st.integers(1500000000, 1900000000))
def test_a_price_moves_little_from_minute_to_minute(second: int) -> None:
    before, after = usd("XXBT", second), usd("XXBT", second + 60)
    assert abs(after - before) * 1000 < before


def test_a_rate_is_in_units_of_the_pairs_last_decimal() -> None:
    assert usd("XXBT", Y2025) == pytest.approx(94_000 * PRICE_SCALE, rel=0.06)
    assert rate(PAIRS["XXBTZUSD"], Y2025) == pytest.approx(94_000 * 10, rel=0.06)
    assert rate(PAIRS["XETHXXBT"], Y2025) == pytest.approx(3300 / 94_000 * 10**5, rel=0.12)
