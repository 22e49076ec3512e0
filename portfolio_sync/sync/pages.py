"""Take an answer apart into records: the history pages, the status lists, the snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portfolio_sync.errors import Refused
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.sync.streams import NotARow, Record, Stream
from portfolio_sync.sync.walk import Page


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Rows of a status list. ``cursor``: what to send for the next page, if there is one; ``paged``: cursors are understood."""

    rows: list[Record]
    cursor: str | None
    paged: bool


def history_page(stream: Stream, result: Any, assets: Assets) -> Page[Record]:
    """A page of Ledgers or TradesHistory, in the order of the JSON object. Raises Refused for an unreadable row."""
    found = _mapping(stream, result)
    count = _count(found.get("count"))
    if found.get(stream.container) is None and count != 0:  # taken for an empty page it would end the history
        raise Refused(f"{stream.name}: the exchange sent no {stream.container}; nothing of its answer was kept")
    return Page(_records(stream, _mapping(stream, found.get(stream.container) or {}).items(), assets), count)


def status_page(stream: Stream, result: Any, assets: Assets) -> StatusPage:
    """A page of DepositStatus or WithdrawStatus: an object with a cursor, or a bare list on servers without paging."""
    if isinstance(result, Mapping):
        rows, cursor = result.get(stream.container) or [], result.get("next_cursor") or None
    else:
        rows, cursor = result or [], None
    return StatusPage(
        _records(stream, (("", row) for row in rows), assets),
        str(cursor) if cursor else None,
        isinstance(result, Mapping),
    )


def snapshot(stream: Stream, result: Any, assets: Assets) -> list[Record]:
    """BalanceEx (an object per asset), Balance (a number per asset) or Earn/Allocations (a list of strategies)."""
    found = _mapping(stream, result or {})  # what holds nothing may come as nothing
    if stream.container:
        listed = [_mapping(stream, item) for item in found.get(stream.container) or []]
        items = [(str(item.get("strategy_id", "")), item) for item in listed]
    else:
        items = [(k, v if isinstance(v, Mapping) else {"balance": v}) for k, v in found.items()]
    return _records(stream, items, assets)


def _records(stream: Stream, items: Iterable[tuple[str, Any]], assets: Assets) -> list[Record]:
    try:
        return [stream.record(row_id, _mapping(stream, fields), assets) for row_id, fields in items]
    except NotARow as error:
        raise Refused(
            f"{stream.name}: the exchange sent a row that cannot be read: {error}; nothing of its page was kept"
        ) from None


def _mapping(stream: Stream, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(
            f"{stream.name}: the exchange sent {type(value).__name__} where an object was due; nothing of it was kept"
        )
    return value


def _count(value: object) -> int | None:
    """A number or text (``"4"``), absent in some answers; anything else counts as absent."""
    return int(str(value)) if str(value).isascii() and str(value).isdigit() else None
