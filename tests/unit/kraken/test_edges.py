"""Where a wrong answer, a wrong clock or a wrong setting must not lead to a wrong conclusion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio_sync.errors import Refused, SettingsError
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.credentials import Credentials
from portfolio_sync.kraken.download import in_pieces, saved
from portfolio_sync.kraken.key import KeyInfo, judge
from portfolio_sync.kraken.key_state import MemoryKeyState
from portfolio_sync.kraken.patience import Patience
from portfolio_sync.kraken.response import Answer, Failure, Remedy, read
from portfolio_sync.kraken.throttle import TIERS, CallCounter, Pacing
from tests.fakes import FakeClock

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
SAMPLES = Path(__file__).parents[2] / "data" / "kraken-samples"


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [
        (401, b'{"error":["EAPI:Invalid key"]}', Remedy.STOP_KEY),
        (403, b'{"error":["EGeneral:Permission denied"]}', Remedy.PERMISSION),
        (503, b'{"error":["EGeneral:Temporary lockout"]}', Remedy.PARK),
        (502, b'{"error":["bad gateway"]}', Remedy.RETRY),
        (404, b"no such page", Remedy.FAIL),
    ],
)
def test_an_error_that_is_krakens_counts_beside_any_status(status: int, body: bytes, remedy: Remedy) -> None:
    got = read(status, {}, body, "Ledgers")
    assert isinstance(got, Failure)
    assert got.remedy is remedy


def test_a_limit_with_status_429_waits_as_long_as_the_header_says() -> None:
    got = read(429, {"retry-after": "9"}, b'{"error":["EAPI:Rate limit exceeded"]}', "Ledgers")
    assert got == Failure(Remedy.WAIT, "EAPI:Rate limit exceeded", Decimal(9))


@pytest.mark.parametrize("text", ["EGeneral:TemporaryLockout", "egeneral: temporary  lockout:please wait"])
def test_errors_are_known_with_blanks_left_out_or_put_in(text: str) -> None:
    got = read(200, {}, f'{{"error":["{text}"]}}'.encode(), "Ledgers")
    assert isinstance(got, Failure)
    assert got.remedy is Remedy.PARK


def test_an_error_text_is_one_short_line_whatever_was_sent() -> None:
    got = read(200, {}, b'{"error":["ENew:a\\nb\\u001b[31m' + b"x" * 9999 + b'"]}', "Ledgers")
    assert isinstance(got, Failure)
    assert got.text.isprintable()
    assert len(got.text) <= 300


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode), st.sampled_from([200, 301, 404, 429, 500, 520]))
def test_no_bytes_make_the_reader_fall_over(body: bytes, status: int) -> None:
    assert isinstance(read(status, {}, body, "Ledgers"), Answer | Failure)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_every_number_keeps_all_its_digits(number: Decimal) -> None:
    got = read(200, {}, f'{{"error":[],"result":{{"n":{number}}}}}'.encode(), "Ledgers")
    assert isinstance(got, Answer)
    assert Decimal(got.result["n"]).as_tuple() == number.as_tuple() or Decimal(got.result["n"]) == number == 0


@pytest.mark.parametrize("name", sorted(p.name for p in (SAMPLES / "kraken-net").glob("*.json")))
def test_recorded_answers_are_read_with_their_order_and_without_floats(name: str) -> None:
    got = read(200, {}, (SAMPLES / "kraken-net" / name).read_bytes(), "Ledgers")
    assert isinstance(got, Answer)
    assert not _floats(got.result)


def _floats(value: object) -> list[float]:
    if isinstance(value, dict):
        return [found for inner in value.values() for found in _floats(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in _floats(inner)]
    return [value] if isinstance(value, float) else []


def patience() -> Patience:
    return Patience(timedelta(minutes=2)).failed(NOW)


@pytest.mark.parametrize("stamp", ["99999999999", "1768478400000", "99999999999999999999", "1"])
def test_an_odd_throttling_stamp_is_tried_again_soon(stamp: str) -> None:
    got = read(200, {}, f'{{"error":["EService: Throttled: {stamp}"]}}'.encode(), "Ledgers")
    assert isinstance(got, Failure)
    delay = patience().delay(got, NOW, Random(1))
    assert delay is not None
    assert delay <= 1


def test_a_likely_throttling_stamp_is_waited_for() -> None:
    failure = Failure(Remedy.RETRY, "EService:Throttled", until=Decimal(int(NOW.timestamp()) + 40))
    assert patience().delay(failure, NOW, Random(1)) == 40


def test_who_asks_for_longer_than_the_settings_allow_is_not_asked_again() -> None:
    assert patience().delay(Failure(Remedy.RETRY, "HTTP 429", delay=Decimal(100000)), NOW, Random(1)) is None


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "näme", " blank"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Credentials(key, "AAAA")
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("spelling", ["Withdraw-Funds", "withdraw_funds", "withdrawFunds", "withdraw-funds "])
def test_a_write_in_another_spelling_cannot_be_allowed_either(spelling: str) -> None:
    assert judge(KeyInfo.parse({"permissions": [spelling]}), allowed=[spelling]).refused == (spelling,)


def test_a_window_with_a_fraction_is_a_window() -> None:
    info = KeyInfo.parse({"permissions": [], "queryFrom": "1700000000.5", "query_to": Decimal("1800000000.25")})
    assert info.query_from == datetime(2023, 11, 14, 22, 13, 20, 500000, tzinfo=UTC)
    assert info.query_to == datetime(2027, 1, 15, 8, 0, 0, 250000, tzinfo=UTC)


@pytest.mark.parametrize("value", ["soon", "NaN", "1e99", [1]])
def test_a_window_that_cannot_be_read_is_never_taken_for_none(value: object) -> None:
    with pytest.raises(Refused, match="queryFrom"):
        KeyInfo.parse({"permissions": [], "queryFrom": value})
    assert KeyInfo.parse({"permissions": [], "lastUsed": value}).last_used is None


@pytest.mark.parametrize(
    ("code", "symbol"),
    [("C98.S", "C98"), ("ADA21.S", "ADA"), ("FEE", "KFEE"), ("ETH.INK", "ETH"), ("AAPLx.T", "AAPLx")],
)
def test_a_name_that_ends_in_digits_is_no_term(code: str, symbol: str) -> None:
    assert Assets().symbol(code) == symbol


def test_old_pairs_are_known_without_the_exchange_where_nothing_is_guessed() -> None:
    assert Assets().pair("XXBTZEUR") == ("BTC", "EUR")
    assert Assets().pair("XXDGXXBT") == ("DOGE", "BTC")
    assert Assets().pair("XTZZUSDX") == Assets().pair("DOTUSD") == ("", "")


@pytest.mark.parametrize("tier", sorted(TIERS))
def test_a_call_that_costs_more_than_the_limit_is_still_made(tier: str) -> None:
    assert CallCounter(TIERS[tier]).wait_for(30, NOW) < 120


@pytest.mark.parametrize("tier", sorted(TIERS))
@pytest.mark.parametrize("cost", [2, 4])
def test_a_short_walk_loses_little_to_caution(tier: str, cost: int) -> None:
    counter, now, pages = CallCounter(TIERS[tier]), NOW, 25
    for _ in range(pages):
        now += timedelta(seconds=float(counter.wait_for(cost, now)))
        counter = counter.charged(cost, now)
    floor = (pages * cost - TIERS[tier].most) / TIERS[tier].decay
    assert Decimal(str((now - NOW).total_seconds())) <= floor * Decimal("1.05")


def test_pacing_can_be_switched_off_on_loopback_only() -> None:
    with pytest.raises(SettingsError, match="loopback"):
        Client(None, "https://api.kraken.com", Pacing(TIERS["pro"], pace=False), MemoryKeyState(), FakeClock())


def test_a_download_that_is_not_a_whole_zip_is_a_failure() -> None:
    whole = _zip(b"txid,refid\n" * 5000)
    got = saved(200, {}, [whole[:2], whole[2:]], "RetrieveExport")
    assert isinstance(got, Answer)
    assert b"".join(in_pieces(got.result)) == whole
    for pieces in ([], [b""], [whole[:-9]], [b'{"error":[],"result":{}}']):
        failure = saved(200, {}, pieces, "RetrieveExport")
        assert isinstance(failure, Failure)
        assert failure.remedy is Remedy.RETRY


def test_an_error_instead_of_a_file_is_that_error() -> None:
    got = saved(200, {}, [b'{"error":["EExport:Not ready"]}'], "RetrieveExport")
    assert got == Failure(Remedy.FAIL, "EExport:Not ready")


def _zip(content: bytes) -> bytes:
    import io
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("ledgers.csv", content)
    return file.getvalue()
