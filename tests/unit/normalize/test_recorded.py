"""Recorded ledger rows (tests/data/kraken-samples; origins in its README) come out as what they were."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from portfolio_sync.core.event import Kind
from portfolio_sync.core.instant import from_unix
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.normalize.events import normalize

SAMPLES = Path(__file__).parents[2] / "data" / "kraken-samples"
SYMBOLS = {"XLTC": "LTC", "ZGBP": "GBP", "ZUSD": "USD"}


def recorded(name: str) -> list[LedgerRow]:
    said = json.loads((SAMPLES / name).read_text(encoding="utf-8"), parse_float=str)
    return [
        LedgerRow(
            "main", row_id, row["refid"], from_unix(row["time"]), row["type"], row["subtype"], row["aclass"], row["asset"],
            SYMBOLS[row["asset"]], "spot", Decimal(row["amount"]), Decimal(row["fee"]), Decimal(row["balance"]),
        )
        for row_id, row in said["result"]["ledger"].items()
    ]  # fmt: skip


def test_rows_of_2014_with_seven_decimals_and_a_withdrawal_of_the_wrong_sign() -> None:
    """The file shows one leg of each fill: coins that came are of unknown cost, coins that went are named."""
    result = normalize(recorded("dali-rp2/private_post_ledgers_return.json"))
    assert [(event.kind, event.source) for event in result.events] == [
        (Kind.DEPOSIT, ("buy_trade",)), (Kind.DEPOSIT, ("deposit",)),
    ]  # fmt: skip
    assert [(finding.code, finding.source) for finding in result.findings] == [
        ("one_sided_fill", ("buy_trade",)),
        ("incomplete_trade", ("sell_trade",)),
        ("reversal_without_original", ("withdrawal",)),
    ]
    assert (result.counts.ledger_rows, result.counts.event, result.counts.finding) == (4, 2, 2)


@pytest.mark.parametrize("name", ["kraken-net/GetLedgerInfo.json", "kraken-net/legacy-GetLedgerInfoAsync.json"])
def test_one_currency_of_a_ledger_has_fills_with_one_side(name: str) -> None:
    """Asked for by asset, a ledger shows half of each fill: no gain may come of that."""
    rows = recorded(name)
    result = normalize(rows)
    trades = [row.id for row in rows if row.type == "trade"]
    incomplete = [row for found in result.findings if found.code == "incomplete_trade" for row in found.source]
    assert sorted(incomplete) == sorted(trades)
    assert result.counts.ledger_rows == len(rows)
