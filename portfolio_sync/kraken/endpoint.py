"""Every endpoint this program can call. The enum is closed: what is not here cannot be asked for, signed or sent.

Source: API reference of each endpoint; permissions as the endpoint pages give them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Cost(Enum):
    """Which price of the call counter an endpoint has."""

    ONE = "one"
    QUERY = "query"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Spec:
    """``permissions``: any one of them suffices; empty: any valid key may call it."""

    path: str
    private: bool = True
    permissions: tuple[str, ...] = ()
    cost: Cost = Cost.ONE


class Endpoint(Enum):
    """Reads, and the export jobs of our own (ADD_EXPORT, REMOVE_EXPORT), the only members that are not pure reads."""

    GET_API_KEY_INFO = Spec("/0/private/GetApiKeyInfo")
    BALANCE = Spec("/0/private/Balance", permissions=("query-funds",))
    BALANCE_EX = Spec("/0/private/BalanceEx", permissions=("query-funds",))
    TRADE_BALANCE = Spec("/0/private/TradeBalance", permissions=("query-open-trades",))
    LEDGERS = Spec("/0/private/Ledgers", permissions=("query-ledger",), cost=Cost.HISTORY)
    QUERY_LEDGERS = Spec("/0/private/QueryLedgers", permissions=("query-ledger",), cost=Cost.QUERY)
    TRADES_HISTORY = Spec("/0/private/TradesHistory", permissions=("query-closed-trades",), cost=Cost.HISTORY)
    QUERY_TRADES = Spec("/0/private/QueryTrades", permissions=("query-closed-trades",), cost=Cost.QUERY)
    EARN_ALLOCATIONS = Spec("/0/private/Earn/Allocations", permissions=("query-funds",))
    DEPOSIT_STATUS = Spec("/0/private/DepositStatus", permissions=("query-funds",))
    WITHDRAW_STATUS = Spec("/0/private/WithdrawStatus", permissions=("query-ledger",))
    ADD_EXPORT = Spec("/0/private/AddExport", permissions=("export-data",))
    EXPORT_STATUS = Spec("/0/private/ExportStatus", permissions=("export-data",))
    RETRIEVE_EXPORT = Spec("/0/private/RetrieveExport", permissions=("export-data",))
    REMOVE_EXPORT = Spec("/0/private/RemoveExport", permissions=("export-data",))
    TIME = Spec("/0/public/Time", private=False)
    SYSTEM_STATUS = Spec("/0/public/SystemStatus", private=False)
    ASSETS = Spec("/0/public/Assets", private=False)
    ASSET_PAIRS = Spec("/0/public/AssetPairs", private=False)
    TICKER = Spec("/0/public/Ticker", private=False)
    OHLC = Spec("/0/public/OHLC", private=False)
    TRADES = Spec("/0/public/Trades", private=False)

    @property
    def path(self) -> str:
        return self.value.path

    @property
    def name_at_kraken(self) -> str:
        """``Ledgers``, ``Earn/Allocations``: as the API reference and its users say."""
        return self.value.path.split("/", 3)[3]

    @property
    def private(self) -> bool:
        return self.value.private

    @property
    def method(self) -> str:
        """Private calls are POST; POST to public endpoints is no longer served (changelog, 2024-01-01)."""
        return "POST" if self.value.private else "GET"
