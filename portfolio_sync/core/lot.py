"""Units acquired together, and which of them a disposal took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, overload

from portfolio_sync.core.amount import EXACT


class Act(StrEnum):
    """What a movement does to a pool. ``GIVE``: units leave without gain or loss (a gift, a loss that no rule allows)."""

    ACQUIRE = "acquire"
    DISPOSE = "dispose"
    GIVE = "give"
    MOVE = "move"


class Movement(NamedTuple):
    """Units of one asset coming, going or changing wallets; a named tuple because a long history holds a million of them.

    ``quantity`` > 0. ``money``: cost of what comes, net proceeds of what goes; None is unknown, never zero.
    ``kind`` is the word of the report (``sell``, ``fee``, ...); ``ids`` the rows it was booked in.
    """

    act: Act
    time: datetime
    asset: str
    quantity: Decimal
    money: Decimal | None
    kind: str
    account: str
    wallet: str
    ids: tuple[str, ...]
    event: str
    price_source: str = ""
    to_wallet: str = ""
    extra_cost: Decimal | None = None
    """Costs of a disposal that are shown as cost instead of being taken off the proceeds."""
    acquired: datetime | None = None
    """Where it differs from ``time``: the date of the one who gave it, or what the taxpayer states."""
    price: Decimal | None = None
    """Money without fees, for orders that look at prices."""
    gift_value: Decimal | None = None
    """Market value when a gift was received, where it is less than the giver's cost."""
    picks: tuple[tuple[str, Decimal], ...] = ()
    """Lots named for this disposal: (id of a row of the acquisition, units)."""
    portfolio_value: Decimal | None = None
    """What all coins of the taxpayer were worth just before this disposal, where a rule asks for it."""

    @property
    def acquired_at(self) -> datetime:
        return self.acquired or self.time


class Match(NamedTuple):
    """``quantity`` units of ``lot`` (the acquiring movement) left in ``disposal``, with their shares of cost and proceeds.

    ``lot`` None: units of a pool, which have no acquisition of their own. ``cost`` None: unknown. ``matched_date`` is for rules
    that match days. ``denied_loss`` is added to the gain: what may not be deducted (+), or is now deducted after all (-).
    """

    disposal: Movement
    lot: Movement | None
    quantity: Decimal
    cost: Decimal | None
    proceeds: Decimal | None
    rule: str
    matched_date: str = ""
    denied_loss: Decimal | None = None
    spoiled_by: Movement | None = None
    """Why a pool's cost is not known: the movement whose money was not."""


POOL = "pool"
"""The ``kind`` of a pool's movement: not one acquisition but the average of many, without a date or ids."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left in one wallet of an acquisition, or of a pool (then ``origin`` says only what and where)."""

    origin: Movement
    wallet: str
    quantity: Decimal
    cost: Decimal | None

    @property
    def acquired_at(self) -> datetime | None:
        return None if self.origin.kind == POOL else self.origin.acquired_at


class NotThere(NamedTuple):
    """Units of ``lot`` (id of a row of the acquisition) that a move named, and fewer that it found."""

    move: Movement
    lot: str
    named: Decimal
    there: Decimal


@dataclass(frozen=True, slots=True)
class Matching:
    """The whole history of one asset (or portfolio), matched. ``refused``: the first movement that asks for more than is known."""

    matches: Sequence[Match]
    left: Sequence[Lot]
    refused: Movement | None = None
    missing: Decimal | None = None
    """How many units more than known ``refused`` asks for."""
    by_day: bool = False
    """All of a local day counts as one transaction: ``disposal`` and ``lot`` are whole days."""
    held: Sequence[Lot] | None = None
    """What lies where, if ``left`` does not say so by asset."""
    not_there: Sequence[NotThere] = ()


# Shares are cut here: a figure that does not terminate keeps 20 decimals, and the last part takes the exact remainder.
SHARE = Decimal("1E-20")
_multiply, _divide, _quantize = EXACT.multiply, EXACT.divide, EXACT.quantize


@overload
def share(total: Decimal, part: Decimal, whole: Decimal) -> Decimal: ...
@overload
def share(total: Decimal | None, part: Decimal, whole: Decimal) -> Decimal | None: ...
def share(total: Decimal | None, part: Decimal, whole: Decimal) -> Decimal | None:
    """The part of ``total`` that falls on ``part`` of ``whole`` units, cut to 20 decimals; unknown stays unknown."""
    if total is None:
        return None
    return _quantize(_divide(_multiply(total, part), whole), SHARE)
