"""Pages of Ledgers and TradesHistory: newest first, ``start`` exclusive, ``end`` inclusive, by time or by id."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from portfolio_sync.sandbox.account import Entry, Json
from portfolio_sync.sandbox.refusal import ExchangeRefusal

LEDGER_TYPES = (
    "all", "trade", "deposit", "withdrawal", "transfer", "margin", "adjustment", "rollover", "credit", "settled",
    "staking", "dividend", "sale", "nft_rebate",
)  # fmt: skip
TRADE_TYPES = ("all", "any position", "closed position", "closing position", "no position")
SALE = ("spend", "receive")  # what the filter "sale" brings
ARGUMENTS = "EGeneral:Invalid arguments"


class History:
    """One asset class of a history, as arrays that a page is cut from in logarithmic time."""

    def __init__(self, rows: Sequence[Entry]) -> None:
        self.rows = rows
        self.times = [row.at for row in rows]
        self.by_id = {row.id: row.at for row in rows}

    def bounds(self, params: Mapping[str, str], limit: tuple[int, int], *, fractions: bool) -> tuple[int, int]:
        """Places in the rows: the first inside, and the first beyond."""
        start, end = (
            self._cursor(params.get("start"), fractions=fractions),
            self._cursor(params.get("end"), fractions=fractions),
        )
        low = 0 if start is None else bisect_right(self.times, start)
        high = len(self.rows) if end is None else bisect_right(self.times, end)
        if limit[0]:
            low = max(low, bisect_left(self.times, Decimal(limit[0])))
        if limit[1]:
            high = min(high, bisect_right(self.times, Decimal(limit[1])))
        return low, max(low, high)

    def _cursor(self, text: str | None, *, fractions: bool) -> Decimal | None:
        """A time, or the id of a row, which stands for the row's time."""
        if text is None or text == "":
            return None
        if text in self.by_id:
            return self.by_id[text]
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ExchangeRefusal(ARGUMENTS) from None
        return number if fractions else number // 1


def offset(params: Mapping[str, str]) -> int:
    text = params.get("ofs") or "0"
    if not text.isdigit():
        raise ExchangeRefusal(ARGUMENTS)
    return int(text)


def page(rows: Sequence[Entry], low: int, high: int, ofs: int, size: int) -> list[Entry]:
    """``size`` rows below the newest ``ofs`` of ``rows[low:high]``, newest first."""
    last = max(low, high - ofs)
    return list(rows[max(low, last - size) : last])[::-1]


def filtered(history: History, low: int, high: int, keep: Callable[[Entry], bool]) -> History:
    return History([row for row in history.rows[low:high] if keep(row)])


def ledger_filter(params: Mapping[str, str]) -> Callable[[Entry], bool] | None:
    """A test for rows by type and asset; None: all. An unknown type is refused."""
    kind, assets = params.get("type") or "all", params.get("asset") or "all"
    if kind not in LEDGER_TYPES:
        raise ExchangeRefusal(ARGUMENTS)
    if (kind, assets) == ("all", "all"):
        return None
    types, wanted = SALE if kind == "sale" else (kind,), set(assets.split(","))
    return lambda row: (
        (kind == "all" or row.fields["type"] in types) and ("all" in wanted or row.fields["asset"] in wanted)
    )


def sent(row: Entry, *, ledgers: bool = True) -> Json:
    """The row as the API sends it: its time a number, no wallet; a trade's ledger ids only where asked for."""
    hidden = {"wallet", "pending"} | (set() if ledgers else {"ledgers"})
    fields: dict[str, Any] = {name: value for name, value in row.fields.items() if name not in hidden}
    place = "ordertxid" if "ordertxid" in fields else "refid"
    return {place: fields.pop(place, ""), "time": row.at, **fields}
