"""What a computation yields: the rows of the reports, not yet text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from portfolio_sync.core.event import content_id
from portfolio_sync.core.finding import Finding
from portfolio_sync.core.lot import Lot
from portfolio_sync.pricing.value import Valued


@dataclass(slots=True, unsafe_hash=True)  # not frozen: as core.event
class Disposal:
    """One lot's or pool's part of one disposal, ``by_day`` of all disposals of a local day.

    Money is in the report currency; None: not known. gain = proceeds - cost + denied_loss. ``.._on`` are local days;
    ``acquired_..`` None: units of a pool. ``term`` "" where the rule knows none.
    """

    id: str
    tax_year: str
    kind: str
    asset: str
    quantity: Decimal
    acquired_at: datetime | None
    disposed_at: datetime
    proceeds: Decimal | None
    cost: Decimal | None
    gain: Decimal | None
    term: str
    rule: str
    matched_date: str
    denied_loss: Decimal | None
    account: str
    wallet: str
    acquired_ids: tuple[str, ...]
    disposed_ids: tuple[str, ...]
    price_source: str
    acquired_on: date | None
    disposed_on: date
    bought_in_place: bool
    """The units were bought or traded for in the very wallet that they left."""
    by_day: bool = False


@dataclass(slots=True, unsafe_hash=True)  # not frozen: as core.event
class Income:
    """Units (or money) received as income; ``value`` None where no price is known."""

    id: str
    tax_year: str
    time: datetime
    income_type: str
    asset: str
    quantity: Decimal
    value: Decimal | None
    account: str
    ids: tuple[str, ...]
    event: str
    price_source: str


@dataclass(frozen=True, slots=True)
class Holding:
    """All units of an asset in one wallet; ``price`` of one unit at ``priced_at``."""

    asset: str
    wallet: str
    quantity: Decimal
    cost: Decimal | None
    price: Decimal | None
    value: Decimal | None
    unrealised: Decimal | None
    priced_at: datetime | None
    price_source: str


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """``asset`` "" for all assets; ``currency`` "" for a count."""

    item: str
    asset: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Task:
    """A row for a person: the event with what is missing left blank, and why."""

    valued: Valued
    note: str


@dataclass(frozen=True, slots=True)
class Computation:
    """A taxpayer's figures under one profile, for one tax year or all of them."""

    disposals: tuple[Disposal, ...]
    income: tuple[Income, ...]
    lots: tuple[Lot, ...]
    holdings: tuple[Holding, ...]
    findings: tuple[Finding, ...]
    summary: tuple[SummaryLine, ...]
    worklist: tuple[Task, ...]


def lot_id(lot: Lot) -> str:
    return content_id("L", lot.origin.event, lot.origin.asset, ";".join(lot.origin.ids), lot.wallet)
