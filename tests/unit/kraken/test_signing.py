"""Signature, one-time passwords, nonces and credentials against published vectors."""

from __future__ import annotations

import base64
import copy
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio_sync.errors import SettingsError
from portfolio_sync.kraken.credentials import Credentials
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.nonce import next_nonce
from portfolio_sync.kraken.otp import totp
from portfolio_sync.kraken.signature import _sign_path, sign

# The published vector of the API guide "Spot REST authentication"; its secret guards nothing.
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
NONCE = 1616492376594
RAW = base64.b64decode(SECRET)
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def test_the_published_vector() -> None:
    body = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    expected = "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    assert _sign_path("/0/private/" + "AddOrder", NONCE, body, RAW) == expected


@pytest.mark.parametrize(
    ("endpoint", "body", "expected"),
    [
        (
            Endpoint.LEDGERS,
            b"nonce=1616492376594&ofs=50&start=1600000000",
            "Ea807jwqJa6+T8jOSLSaBS4lDZCia1NcIi87ufv3LYtpVV53RLsKpe+flqwbmQaIePEi9YnziD7CxS4585MC9g==",
        ),
        (
            Endpoint.BALANCE,
            b"nonce=1616492376594",
            "1nH4vwR+8FHiYh1QT649xXkGd3JR3x0DWkgv3u9Ed/Qqv6KPtgQpEU4m+Emb/VgpEji3j1XNwI+HCbfXxmrTOg==",
        ),
        (
            Endpoint.BALANCE,
            b'{"nonce":"1616492376594"}',
            "nIQSuxvFDn8/AZLI9lNhKmRGRFBmNFwMDugKmtSQG6frJ3HT06eRwAGt40G5kwz6PRsywnaL628Nr8TofSiHrw==",
        ),
    ],
)
def test_the_derived_vectors(endpoint: Endpoint, body: bytes, expected: str) -> None:
    assert sign(endpoint, NONCE, body, RAW) == expected


@pytest.mark.parametrize(
    ("unix_time", "expected"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"),
        (1234567890, "89005924"), (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_vectors_of_rfc_6238(unix_time: int, expected: str) -> None:
    assert totp(b"12345678901234567890", unix_time, digits=8) == expected
    assert totp(b"12345678901234567890", unix_time) == expected[-6:]


def test_a_sixteen_character_seed_as_apps_show_it() -> None:
    credentials = Credentials("key", SECRET, totp_secret="jbsw y3dp ehpk 3pxp")
    assert credentials.totp == base64.b32decode("JBSWY3DPEHPK3PXP")
    assert len(totp(credentials.totp, 59)) == 6


@given(last=st.integers(0, 2**63), escalation=st.integers(0, 5))
def test_a_nonce_is_always_above_the_last(last: int, escalation: int) -> None:
    assert next_nonce(last, NOON, escalation) > last


def test_nonces_are_milliseconds_and_escalate_to_finer_units() -> None:
    assert [len(str(next_nonce(0, NOON, n))) for n in (0, 1, 2)] == [13, 16, 19]


@pytest.mark.parametrize("secret", ["not base64!", "abc", "päss"])
def test_a_secret_that_is_not_base64_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(SettingsError, match="not valid base64") as caught:
        Credentials("key", secret)
    assert secret not in str(caught.value)


def test_credentials_show_and_hand_over_nothing() -> None:
    credentials = Credentials("the-public-key", SECRET, "static-otp", "JBSWY3DPEHPK3PXP")
    for text in (repr(credentials), str(credentials), f"{credentials}"):
        assert not any(secret in text for secret in ("the-public-key", SECRET, "static-otp", "JBSW"))
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
    with pytest.raises(TypeError):
        copy.copy(credentials)
