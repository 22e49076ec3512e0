"""Stored rows by columns: what is asked of all of them is asked without making a typed row of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import repeat
from sys import intern
from typing import Any

from portfolio_sync.core.asset import SAME_HOLDING
from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.stored import Raw, Stored

FIELDS = 16
"""Of a stored trade."""


@dataclass(frozen=True, slots=True)
class LedgerColumns:
    """Some whole instants of the ledger, sorted by (time, id). ``time``: as the database has it."""

    id: Sequence[str]
    refid: Sequence[str]
    time: Sequence[Any]
    type: Sequence[str]
    subtype: Sequence[str]
    aclass: Sequence[str]
    asset: Sequence[str]
    symbol: Sequence[str]
    wallet: Sequence[str]
    amount: Sequence[Decimal]
    fee: Sequence[Decimal]
    balance: Sequence[Decimal]
    source: Sequence[str]
    holding: Sequence[str]
    raw: Sequence[Raw]
    stored: Stored[LedgerRow]

    @classmethod
    def of(cls, raw: list[Raw], stored: Stored[LedgerRow]) -> LedgerColumns:
        id_, refid, time, type_, subtype, aclass, asset, symbol, wallet, *figures, source = zip(*raw, strict=True)
        amount, fee, balance = (list(map(stored.number, column)) for column in figures)
        held = [SAME_HOLDING.get(each, each) for each in symbol]
        return cls(
            id_, refid, time, type_, subtype, aclass, asset, symbol, wallet, amount, fee, balance, source, held, raw, stored,
        )  # fmt: skip

    def row(self, i: int) -> LedgerRow:
        return self.stored.make(self.raw[i])

    def rows(self) -> list[LedgerRow]:
        """All of them typed; what many of them say is one object in all."""
        instants = {time: self.stored.instant(time) for time in dict.fromkeys(self.time)}
        refids = dict(zip(self.refid, self.refid, strict=True))
        return list(map(
            LedgerRow, repeat(self.stored.account), self.id, map(refids.__getitem__, self.refid),
            map(instants.__getitem__, self.time), map(intern, self.type), map(intern, self.subtype), map(intern, self.aclass),
            map(intern, self.asset), map(intern, self.symbol), map(intern, self.wallet),
            self.amount, self.fee, self.balance, map(intern, self.source),
        ))  # fmt: skip

    def instant(self, i: int) -> datetime:
        return self.stored.instant(self.time[i])


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Some trades, sorted by (time, id). ``ledgers``: a JSON list."""

    id: Sequence[str]
    time: Sequence[Any]
    base: Sequence[str]
    quote: Sequence[str]
    side: Sequence[str]
    cost: Sequence[Decimal]
    volume: Sequence[Decimal]
    ledgers: Sequence[str]
    raw: Sequence[Raw]
    stored: Stored[TradeRow]

    @classmethod
    def of(cls, raw: list[Raw], stored: Stored[TradeRow]) -> TradeColumns:
        columns = zip(*raw, strict=True) if raw else repeat((), FIELDS)
        id_, _, _, time, _, base, quote, side, _, _, cost, _, volume, _, _, ledgers = columns
        costs, volumes = (list(map(stored.number, column)) for column in (cost, volume))
        return cls(id_, time, base, quote, side, costs, volumes, ledgers, raw, stored)

    def row(self, i: int) -> TradeRow:
        return self.stored.make(self.raw[i])

    def instant(self, i: int) -> datetime:
        return self.stored.instant(self.time[i])
