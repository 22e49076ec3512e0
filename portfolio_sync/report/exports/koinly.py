"""Koinly's universal CSV. Sources: support.koinly.io 9489976 (columns, UTC), 9490023 (labels).

Events without effect on lots are left out. Fees stand beside the amounts, which are without them.
"""

from __future__ import annotations

from collections.abc import Iterator

from portfolio_sync.core.amount import shortest
from portfolio_sync.core.event import Event, Kind, Leg
from portfolio_sync.pricing.value import Valued
from portfolio_sync.report.exports.material import Material, Swap, csv_line, swaps
from portfolio_sync.report.table import text

COLUMNS = (
    "Date", "Sent Amount", "Sent Currency", "Received Amount", "Received Currency", "Fee Amount", "Fee Currency",
    "Net Worth Amount", "Net Worth Currency", "Label", "Description", "TxHash",
)  # fmt: skip
LABELS = {
    Kind.SPEND: "cost",
    Kind.FEE: "cost",
    Kind.LOST: "lost",
    Kind.GIFT_OUT: "gift",
}
INCOME_LABELS = {
    "staking": "reward", "reward": "reward", "airdrop": "airdrop", "fork": "fork", "mining": "mining", "interest": "loan interest",
}  # fmt: skip
OTHER_INCOME = "other income"


def lines(material: Material) -> Iterator[str]:
    yield csv_line(COLUMNS)
    for valued in material.events:
        if valued.event.kind is not Kind.INTERNAL:
            yield from map(csv_line, rows(valued, material.currency))


def rows(valued: Valued, currency: str) -> Iterator[tuple[str, ...]]:
    event = valued.event
    pairs = list(swaps(valued)) or [Swap(None, None, None, True)]
    fees = list(event.fees)
    if not event.legs and not fees:
        return
    for pair in pairs:
        fee = fees[0] if fees and pair.first else None
        yield row(event, pair, fee, currency)
    for fee in fees[1:]:
        yield row(event, Swap(Leg(-fee.number, fee.asset, fee.ids), None, None, False), None, currency, label="cost")


def row(event: Event, pair: Swap, fee: Leg | None, currency: str, label: str | None = None) -> tuple[str, ...]:
    worth = ("", "") if pair.value is None else (shortest(pair.value), currency)
    return (
        f"{event.time:%Y-%m-%d %H:%M:%S} UTC", *cells(pair.given), *cells(pair.received), *cells(fee), *worth,
        label_of(event) if label is None else label, text(";".join(event.source)), "",
    )  # fmt: skip


def cells(leg: Leg | None) -> tuple[str, str]:
    return ("", "") if leg is None else (shortest(abs(leg.number)), text(leg.asset))


def label_of(event: Event) -> str:
    if event.kind is Kind.INCOME:
        return INCOME_LABELS.get(event.facts.income_type, OTHER_INCOME)
    return LABELS.get(event.kind, "")
