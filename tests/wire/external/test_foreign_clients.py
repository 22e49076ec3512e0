"""Clients that others wrote, unmodified, sign, read and page the practice exchange as they would the real one.

Each is pointed at loopback through a public option of its own. That they agree is a second reading of the protocol.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox

pytestmark = pytest.mark.external
ROWS = 400


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(11, ROWS)


@pytest.fixture
def exchange(account: Account) -> Iterator[Sandbox]:
    with Sandbox(account, limited=False) as exchange:
        yield exchange


def walk(page: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """All rows by id: ``page`` takes an offset; an empty page is the end."""
    found: dict[str, Any] = {}
    while rows := page(len(found)):
        assert found.keys().isdisjoint(rows), "a row came twice"
        found |= rows
    return found


def currency_ids(account: Account) -> list[str]:
    return [row.id for row in reversed(account.ledgers) if row.fields["aclass"] == "currency"]


def test_krakenex(exchange: Sandbox, account: Account) -> None:
    import krakenex

    api = krakenex.API(exchange.key, exchange.secret)
    api.uri = exchange.url
    with closing(api):

        def ask(method: str, **data: object) -> Any:
            answer = api.query_private(method, data)
            assert answer["error"] == []
            return answer["result"]

        assert ask("Balance") == account.balances
        rows = walk(lambda ofs: dict(ask("Ledgers", ofs=ofs)["ledger"]))
        assert set(rows) == set(currency_ids(account))
        newest = account.ledgers[-1]
        assert rows[newest.id]["balance"] == newest.fields["balance"]
        trades = walk(lambda ofs: dict(ask("TradesHistory", ofs=ofs)["trades"]))
        assert set(trades) == {trade.id for trade in account.trades}
        assert api.query_public("Time")["result"]["unixtime"] > 0


def test_krakenex_is_refused_with_a_wrong_secret(exchange: Sandbox) -> None:
    import krakenex

    api = krakenex.API(exchange.key, "d3Jvbmcgc2VjcmV0")
    api.uri = exchange.url
    with closing(api):
        assert api.query_private("Balance")["error"] == ["EAPI:Invalid signature"]


def test_python_kraken_sdk(exchange: Sandbox, account: Account) -> None:
    from kraken.exceptions import KrakenPermissionDeniedError
    from kraken.spot import Earn, Market, Trade, User

    with User(key=exchange.key, secret=exchange.secret, url=exchange.url) as user:
        assert user.get_account_balance() == account.balances
        rows = walk(lambda ofs: dict(user.get_ledgers_info(ofs=ofs)["ledger"]))
        assert set(rows) == set(currency_ids(account))
        trades = walk(lambda ofs: dict(user.get_trades_history(ofs=ofs)["trades"]))
        assert set(trades) == {trade.id for trade in account.trades}
    with Earn(key=exchange.key, secret=exchange.secret, url=exchange.url) as earn:
        shown = earn.list_earn_allocations(hide_zero_allocations="true")["items"]
        assert {item["native_asset"] for item in shown} <= {item["native_asset"] for item in account.allocations}
    with Market(url=exchange.url) as market:
        assert market.get_assets(assets="XBT")["XXBT"]["altname"] == "XBT"
    with (
        Trade(key=exchange.key, secret=exchange.secret, url=exchange.url) as trade,
        pytest.raises(KrakenPermissionDeniedError),
    ):
        trade.cancel_all_orders()


@pytest.fixture
def without_front_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """ccxt's modules without its ``__init__``, which loads the clients of a hundred other exchanges: minutes of compiling."""
    found = importlib.util.find_spec("ccxt")
    assert found
    package = ModuleType("ccxt")
    package.__path__ = list(found.submodule_search_locations or ())
    monkeypatch.setitem(sys.modules, "ccxt", package)


def test_ccxt(without_front_door: None, exchange: Sandbox, account: Account) -> None:
    from ccxt.base.errors import PermissionDenied
    from ccxt.kraken import kraken

    api = kraken({"apiKey": exchange.key, "secret": exchange.secret, "enableRateLimit": False})
    api.urls["api"] |= {"public": exchange.url, "private": exchange.url}
    with closing(api.session):
        api.load_markets()
        assert api.market("BTC/EUR")["id"] == "XXBTZEUR"
        bitcoin = api.fetch_balance()["BTC"]["total"]
        assert Decimal(str(bitcoin)) == pytest.approx(Decimal(account.balances["XXBT"]))
        rows = walk(lambda ofs: {row["id"]: row for row in api.fetch_ledger(params={"ofs": ofs})})
        assert set(rows) == set(currency_ids(account))
        fills = walk(lambda ofs: {fill["id"]: fill for fill in api.fetch_my_trades(params={"ofs": ofs})})
        assert set(fills) == {trade.id for trade in account.trades}
        candles = api.fetch_ohlcv("BTC/EUR", "1d")
        assert 0 < len(candles) <= 720
        with pytest.raises(PermissionDenied):
            api.create_order("BTC/EUR", "market", "buy", 1)
