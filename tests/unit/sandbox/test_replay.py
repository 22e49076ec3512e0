"""Recorded answers are found by endpoint and given back byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portfolio_sync.sandbox.replay import replay

SAMPLES = Path(__file__).parents[2] / "data" / "kraken-samples"


def test_a_folder_answers_for_its_endpoints_byte_for_byte() -> None:
    answers = replay(SAMPLES / "kraken-net")
    assert answers["BalanceEx"] == (SAMPLES / "kraken-net" / "GetAvailableBalances.json").read_bytes()
    assert {"Ledgers", "TradesHistory", "GetApiKeyInfo", "Earn/Allocations", "DepositStatus", "WithdrawStatus"} <= set(
        answers
    )
    assert all(json.loads(body)["error"] == [] for body in answers.values())


def test_a_later_path_goes_before_an_earlier_one() -> None:
    legacy = SAMPLES / "kraken-net" / "legacy-GetLedgerInfoAsync.json"
    assert replay(SAMPLES / "kraken-net", legacy)["Ledgers"] == legacy.read_bytes()


def test_a_folder_without_answers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recorded answer"):
        replay(tmp_path)
