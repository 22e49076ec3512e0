"""The names of assets and pairs, read from the exchange once a day and kept: a sync works without them too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from portfolio_sync.errors import ExchangeError
from portfolio_sync.kraken.assets import Assets, known_assets_of
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.store import reference
from portfolio_sync.store.engine import reading, writing

REFRESH = timedelta(days=1)
_known: WeakKeyDictionary[Engine, tuple[datetime, Assets]] = WeakKeyDictionary()
# The classes are asked for one by one: the exchange's default is "currency" alone.
ASSETS_OF: tuple[dict[str, str], ...] = ({}, {"aclass": "tokenized_asset"})
PAIRS_OF: tuple[dict[str, str], ...] = ({}, {"aclass_base": "tokenized_asset"})


def known_assets(client: Client, engine: Engine, now: datetime) -> Assets:
    """The stored names, refreshed where they are older than a day. A failing refresh leaves the stored ones in use.

    A service does not read a thousand names from the database for each sync: they are kept in memory as long as they are good.
    """
    known = _known.get(engine)
    if known is not None and timedelta(0) <= now - known[0] < REFRESH:
        return known[1]
    if (seen := _seen_at(engine)) is None or now - seen >= REFRESH:
        _refresh(client, engine, now)
        seen = _seen_at(engine)
    assets = stored_assets(engine)
    if seen is not None:
        _known[engine] = seen, assets
    return assets


def _seen_at(engine: Engine) -> datetime | None:
    with reading(engine) as connection:
        return reference.seen_at(connection)


def stored_assets(engine: Engine) -> Assets:
    with reading(engine) as connection:
        assets, pairs = reference.rows(connection)
    return known_assets_of(
        {row["code"]: row["altname"] for row in assets},
        {row["name"]: (row["altname"], row["wsname"], row["base"], row["quote"]) for row in pairs},
    )


def _refresh(client: Client, engine: Engine, now: datetime) -> None:
    try:
        assets = [_asset(code, fields, now) for code, fields in _ask(client, Endpoint.ASSETS, ASSETS_OF)]
        pairs = [_pair(name, fields, now) for name, fields in _ask(client, Endpoint.ASSET_PAIRS, PAIRS_OF)]
    except ExchangeError as error:
        client.warnings.append(f"asset names were not refreshed: {error}")
        return
    with writing(engine) as connection:
        reference.store(connection, assets, pairs)


def _ask(
    client: Client, endpoint: Endpoint, filters: tuple[dict[str, str], ...]
) -> list[tuple[str, Mapping[str, Any]]]:
    """The named things of all classes; a class that the server does not know has none."""
    found: dict[str, Mapping[str, Any]] = {}
    for number, params in enumerate(filters):
        try:
            found |= client.public(endpoint, **params)
        except ExchangeError:
            if number == 0:
                raise
    return sorted(found.items())  # in one order: several processes may store them at once


def _asset(code: str, fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "code": code,
        "aclass": str(fields.get("aclass", "")),
        "altname": str(fields.get("altname", code)),
        "decimals": fields.get("decimals"),
        "extra": dict(fields),
        "seen_at": now,
    }


def _pair(name: str, fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "altname": str(fields.get("altname", name)),
        "wsname": str(fields.get("wsname", "")),
        "base": str(fields.get("base", "")),
        "quote": str(fields.get("quote", "")),
        "pair_decimals": fields.get("pair_decimals"),
        "lot_decimals": fields.get("lot_decimals"),
        "extra": dict(fields),
        "seen_at": now,
    }
