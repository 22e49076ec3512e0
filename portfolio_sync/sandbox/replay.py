"""Recorded answers, byte for byte: what a folder of them says for which endpoint."""

from __future__ import annotations

from pathlib import Path

ENDPOINT_OF = {
    "GetApiKeyInfo": "GetApiKeyInfo",
    "GetApiKeyInfo-camelcase": "GetApiKeyInfo",
    "GetBalances": "Balance",
    "GetAvailableBalances": "BalanceEx",
    "GetTradeBalance": "TradeBalance",
    "GetTradeVolume": "TradeVolume",
    "GetLedgerInfo": "Ledgers",
    "GetLedgersEntry": "QueryLedgers",
    "GetUserTrades": "TradesHistory",
    "GetUserTradeDetails": "QueryTrades",
    "GetOpenOrders": "OpenOrders",
    "GetClosedOrders": "ClosedOrders",
    "GetOpenPositions": "OpenPositions",
    "GetOrders": "QueryOrders",
    "GetDepositStatus": "DepositStatus",
    "GetWithdrawalStatus": "WithdrawStatus",
    "GetAllocations": "Earn/Allocations",
    "GetStrategies": "Earn/Strategies",
    "GetAssets": "Assets",
    "GetSymbols": "AssetPairs",
    "GetSystemStatus": "SystemStatus",
    "GetTicker": "Ticker",
    "GetKlines": "OHLC",
    "GetTradeHistory": "Trades",
    "AddExport": "AddExport",
    "ExportStatus": "ExportStatus",
    "RemoveExport": "RemoveExport",
    "private_post_ledgers_return": "Ledgers",
    "private_post_tradeshistory_return": "TradesHistory",
    "Assets-3": "Assets",
    "AssetPairs-2": "AssetPairs",
    "OHLC-XBTUSD-1m": "OHLC",
    "Ticker-XBTUSD": "Ticker",
    "Time": "Time",
}
"""By the file's name without its ending; ``legacy-GetBalancesAsync`` counts as ``GetBalances``."""


def endpoint_of(path: Path) -> str | None:
    """The endpoint whose answer the file holds; None for what is no answer (vectors, price files)."""
    return ENDPOINT_OF.get(path.stem.removeprefix("legacy-").removesuffix("Async"))


def replay(*paths: Path) -> dict[str, bytes]:
    """Recorded bodies by endpoint, from files and folders; of two for one endpoint the later path's counts.

    Raises ValueError for a folder without any.
    """
    found: dict[str, bytes] = {}
    for path in paths:
        answers = [file for file in (sorted(path.glob("*.json")) if path.is_dir() else [path]) if endpoint_of(file)]
        if not answers:
            raise ValueError(f"{path} holds no recorded answer")
        # A folder's legacy answers are of another account: they count only where they are named.
        answers = [file for file in answers if not path.is_dir() or not file.stem.startswith("legacy-")]
        found |= {str(endpoint_of(file)): file.read_bytes() for file in answers}
    return found
