"""What comes back from a place without a ledger of its own (futures, Hybrid Earn, custody): coins that went there, or more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from portfolio_sync.core.amount import ZERO, shortest
from portfolio_sync.core.event import Event, Kind, Leg, content_id
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.transaction import Transaction
from portfolio_sync.normalize.outcome import EXTERNAL
from portfolio_sync.normalize.overrides import stated_part

Parts = Mapping[tuple[str, str], Transaction]
"""By account and row id."""
NOTHING_SAID: Parts = {}
BY_HAND = frozenset({"imported", "stated"})
"""Rules of what a person says: taken as said."""


def came_back(events: Sequence[Event], parts: Parts = NOTHING_SAID) -> tuple[list[Event], list[Finding]]:
    """``events`` in order of time. As many units as went to a place come back with their lots, less ``parts``: what a person
    says that some of the units of a row were.

    The rest (a profit, an airdrop, what went before the ledger begins) arrives at unknown cost, with a warning. Runs in the
    caller's decimal context.
    """
    there: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    settled: list[Event] = []
    notes: list[Finding] = []
    for each in events:
        if each.kind is not Kind.TRANSFER or not each.legs:
            settled.append(each)
            continue
        asset, units = each.legs[0].asset, abs(each.legs[0].number)
        there[each.to_wallet, asset] += units
        known = there[each.wallet, asset]
        if one := parts.get((each.account, each.source[0])):
            settled.append(stated_part(each, one))
            units -= one.amount or ZERO
            each = replace(each, legs=(Leg(-units, asset, each.legs[0].ids),))  # noqa: PLW2901  # without that part
        if not each.wallet.startswith(EXTERNAL) or each.rule in BY_HAND or known >= units:
            there[each.wallet, asset] = max(known - units, ZERO)
            settled.append(each)
            continue
        there[each.wallet, asset] = ZERO
        settled += split(each, known)
        notes.append(beyond(each, units - known))
    return settled, notes


def split(event: Event, known: Decimal) -> Iterable[Event]:
    """The part whose lots are known, if any, and the part whose cost is not."""
    (leg,) = event.legs
    if known:
        yield replace(event, legs=(Leg(-known, leg.asset, leg.ids),))
    yield replace(
        event, id=content_id("E", event.account, *event.source, "beyond"), kind=Kind.DEPOSIT, wallet="",
        legs=(Leg(-leg.number - known, leg.asset, leg.ids),),
    )  # fmt: skip


def beyond(event: Event, units: Decimal) -> Finding:
    asset, place = event.legs[0].asset, event.wallet.rpartition(":")[2]
    return Finding(
        Severity.WARNING, "more_than_went",
        f"{shortest(units)} {asset} more came back from {place} than went there: counted as coins of unknown cost; state an income or their cost under this id",
        event.source, event.time, event.account,
    )  # fmt: skip
