"""The key: both spellings, the verdict by name, the words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from portfolio_sync.kraken.key import READS, WRITES, KeyInfo, describe, judge

SAMPLES = Path(__file__).parents[2] / "data" / "kraken-samples"
PLAIN = {"permissions": ["query-funds", "query-ledger", "query-closed-trades"], "nonce": "1", "queryFrom": "0"}


def recorded(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())["result"]


def test_the_documented_spelling() -> None:
    info = KeyInfo.parse(recorded("kraken-docs/GetApiKeyInfo-camelcase.json"))
    assert (info.name, info.nonce, info.nonce_window, info.account_id) == (
        "my-api-key",
        1772627060997,
        0,
        "AA88 N84G WOAK NMOI",
    )
    assert (info.query_from, info.valid_until, info.ip_allowlist) == (None, None, ())
    assert judge(info).refused == ("modify-trades", "withdraw-funds")


def test_the_recorded_spelling() -> None:
    info = KeyInfo.parse(recorded("kraken-net/GetApiKeyInfo.json"))
    assert (info.nonce, info.nonce_window, info.ip_allowlist) == (123, 15, ())
    assert info.created == datetime(2018, 3, 27, 6, 37, 22, tzinfo=UTC)
    assert judge(info).refused == ("add-funds", "close-trades", "create-ws-token", "modify-trades", "withdraw-funds")


@pytest.mark.parametrize("permission", sorted(WRITES))
def test_a_known_write_cannot_be_allowed(permission: str) -> None:
    info = KeyInfo.parse(PLAIN | {"permissions": ["query-funds", permission]})
    assert judge(info, allowed=[permission]).refused == (permission,)


def test_an_unknown_permission_is_refused_until_it_is_allowed_by_its_name() -> None:
    info = KeyInfo.parse(PLAIN | {"permissions": ["query-funds", "query-weather"]})
    assert judge(info).refused == ("query-weather",)
    assert judge(info, allowed=["query-weather"]).refused == ()
    assert judge(info, allowed=["Query-Weather", "query"]).refused == ("query-weather",)


def test_all_known_reads_together_are_fine() -> None:
    verdict = judge(KeyInfo.parse({"permissions": list(READS)}))
    assert (verdict.refused, dict(verdict.missing)) == ((), {})


def test_missing_permissions_name_the_stream_they_cost() -> None:
    verdict = judge(KeyInfo.parse({"permissions": ["query-funds"]}))
    assert verdict.missing == {
        "ledgers": "query-ledger",
        "trades": "query-closed-trades",
        "withdrawals": "query-ledger",
    }


def test_the_words_say_everything_that_limits_the_key() -> None:
    info = KeyInfo.parse(
        PLAIN
        | {"query_from": "1700000000", "validUntil": 1800000000, "ipAllowlist": ["10.0.0.0/8"], "nonceWindow": "15"}
    )
    words = "\n".join(describe(info, judge(info)))
    for part in ("2027-01-15T08:00:00Z", "10.0.0.0/8", "nonce window 15", "may see ledger entries"):
        assert part in words


def test_the_key_itself_is_never_kept() -> None:
    info = KeyInfo.parse(recorded("kraken-docs/GetApiKeyInfo-camelcase.json"))
    assert "4/SDrDBc" not in repr(info)
