"""Names of assets: a table, not a rule of letters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portfolio_sync.kraken.assets import LEGACY, Assets, known_assets_of

SAMPLES = Path(__file__).parents[2] / "data" / "kraken-samples"


@pytest.mark.parametrize(
    ("code", "symbol", "wallet"),
    [
        ("XXBT", "BTC", "spot"), ("XBT", "BTC", "spot"), ("BTC", "BTC", "spot"), ("XBT.M", "BTC", "earn"),
        ("XXBT.M", "BTC", "earn"), ("BTC.M", "BTC", "earn"), ("ZEUR", "EUR", "spot"), ("EUR.HOLD", "EUR", "hold"),
        ("EUR.M", "EUR", "earn"), ("XXDG", "DOGE", "spot"), ("XDG", "DOGE", "spot"), ("KFEE", "KFEE", "spot"),
        ("DOT.S", "DOT", "earn"), ("DOT28.S", "DOT", "earn"), ("GRT28.S", "GRT", "earn"), ("SOL03.S", "SOL", "earn"),
        ("ETH2.S", "ETH2", "earn"), ("ETH2", "ETH2", "spot"), ("ETH.F", "ETH", "earn"), ("DOT.P", "DOT", "earn"),
        ("LUNA2", "LUNA2", "spot"), ("USDT0.TEMPO", "USDT0", "spot"), ("1INCH", "1INCH", "spot"),
    ],
)  # fmt: skip
def test_codes_have_a_symbol_and_a_wallet(code: str, symbol: str, wallet: str) -> None:
    assert (Assets().symbol(code), Assets().wallet(code)) == (symbol, wallet)


@pytest.mark.parametrize(
    "code",
    ["XAUT", "XION", "XNAP", "XTER", "ZAMA", "ZBCN", "ZETA", "ZEUS", "ZORA", "XTZ", "ZRX", "CHF", "AED", "NEWCOIN"],
)
def test_names_that_only_look_like_legacy_ones_stay(code: str) -> None:
    assert Assets().symbol(code) == code


@pytest.mark.parametrize("name", ["kraken-net/GetAssets.json", "live-public-2026-09/Assets-3.json"])
def test_the_fallback_table_agrees_with_the_recorded_answers(name: str) -> None:
    for code, fields in json.loads((SAMPLES / name).read_text())["result"].items():
        assert LEGACY.get(code, code) == fields["altname"]


def test_pairs_are_split_by_the_exchange_not_by_their_letters() -> None:
    recorded = json.loads((SAMPLES / "kraken-net" / "legacy-GetSymbolsAsync.json").read_text())["result"]
    pairs = {k: (v["altname"], v["wsname"], v["base"], v["quote"]) for k, v in recorded.items()}
    assets = known_assets_of({}, pairs)
    assert assets.pair("XETHXXBT") == assets.pair("ETHXBT") == assets.pair("ETH/XBT") == ("ETH", "BTC")
    assert assets.pair("BTC/EUR") == ("BTC", "EUR")
    assert assets.pair("GONEUSD") == ("", "")
