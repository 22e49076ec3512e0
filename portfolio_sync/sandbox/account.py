"""What the practice exchange knows of one account: its rows as the exchange would send them."""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a history. ``at`` is its time, exact; ``fields`` are what the exchange sends, numbers as text.

    A ledger row's ``fields`` have refid, type, subtype, aclass, asset, amount, fee, balance, and ``wallet`` (sent in
    exports only). A trade's have those of TradesHistory, ``ledgers`` included. ``time`` is not among them.
    """

    id: str
    at: Decimal
    fields: Json


@dataclass(slots=True)
class Account:
    """All of an account. ``ledgers`` and ``trades`` are kept oldest first, ties by id."""

    ledgers: list[Entry] = field(default_factory=list)
    trades: list[Entry] = field(default_factory=list)
    balances: dict[str, str] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    deposits: list[Json] = field(default_factory=list)
    withdrawals: list[Json] = field(default_factory=list)
    allocations: list[Json] = field(default_factory=list)
    iban: str = "AA00 N84G SAND BOX0"

    def __post_init__(self) -> None:
        for rows in (self.ledgers, self.trades):
            rows.sort(key=_place)

    def book(self, row: Entry) -> None:
        """Add a ledger row, at its place in time, and move the balance of its asset."""
        insort(self.ledgers, row, key=_place)
        self.balances[row.fields["asset"]] = row.fields["balance"]

    def fill(self, trade: Entry) -> None:
        insort(self.trades, trade, key=_place)

    def replace(self, row: Entry) -> None:
        """Change a ledger row that was served before."""
        place = bisect_left(self.ledgers, _place(row), key=_place)
        assert self.ledgers[place].id == row.id
        self.ledgers[place] = row

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), default=str), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Account:
        """Read a saved account. Raises ValueError naming the file where it is none."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            histories = {
                name: [Entry(r["id"], Decimal(r["at"]), r["fields"]) for r in data.pop(name)]
                for name in ("ledgers", "trades")
            }
            return cls(histories["ledgers"], histories["trades"], **data)
        except (KeyError, TypeError, json.JSONDecodeError, ArithmeticError) as error:
            raise ValueError(f"{path} is not a saved account: {error}") from None


def _place(row: Entry) -> tuple[Decimal, str]:
    return row.at, row.id
