"""The figures of a year at a glance. Totals of what is known; what is not known is counted beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.event import Kind
from portfolio_sync.core.lot import Lot
from portfolio_sync.tax.profile import GiftOut, Profile
from portfolio_sync.tax.result import Disposal, Income, SummaryLine

ONE = Decimal(1)


def summarize(
    disposals: Sequence[Disposal], income: Sequence[Income], lots: Sequence[Lot], profile: Profile, year: int | None
) -> Iterator[SummaryLine]:
    """Totals (``asset`` "") and the same by asset, in a fixed order of items; what the law allows a year comes last."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    taxed = taxed_figures(disposals) if profile.exempts_long_term else ()
    for item, asset, amount in chain(
        disposal_figures(disposals, profile), taxed, income_figures(income), lot_figures(lots)
    ):
        sums[item][asset] += amount
    for by_asset in sums.values():
        by_asset[""] = sum(by_asset.values(), ZERO)
    for item in (*ITEMS, *(TAXED if profile.exempts_long_term else ())):
        for asset, amount in sorted(sums[item].items()) or [("", ZERO)]:
            yield SummaryLine(item, asset, amount, "" if item in COUNTS else profile.currency)
    for item in sorted(set(sums) - {*ITEMS, *TAXED}):  # what not every profile or year has: income by type, ...
        for asset, amount in sorted(sums[item].items()):
            yield SummaryLine(item, asset, amount, profile.currency)
    yield from (SummaryLine(a.item, "", Decimal(a.amount), a.currency) for a in profile.allowances if a.holds_in(year))


COUNTS = ("disposals", "disposals_unknown", "income_unknown", "open_lots")
ITEMS = (
    "disposals", "disposals_unknown", "proceeds", "cost", "gains", "losses", "net_gain", "net_gain_short", "net_gain_long",
    "income", "income_unknown", "open_lots", "open_cost",
)  # fmt: skip
TAXED = ("tax_free_gain", "taxable_gain")
"""Where what was held long is free; said of a year without any, too."""
AT_COST = frozenset({"gift_out", "lost"})


def disposal_figures(disposals: Iterable[Disposal], profile: Profile) -> Iterator[tuple[str, str, Decimal]]:
    """Of a day that is one disposal, however its units were matched, the gain is one (CRYPTO22255, 22257)."""
    at_cost = AT_COST - {Kind.GIFT_OUT} if profile.gift_out is GiftOut.FMV else AT_COST
    days: dict[tuple[str, date], Decimal] = defaultdict(lambda: ZERO)
    for row in disposals:
        if row.kind in at_cost and row.gain == 0:
            continue  # left without gain or loss: no proceeds
        yield "disposals", row.asset, ONE
        if row.gain is None or row.proceeds is None or row.cost is None:
            yield "disposals_unknown", row.asset, ONE
            continue
        yield "proceeds", row.asset, row.proceeds
        yield "cost", row.asset, row.cost
        if row.by_day:
            days[row.asset, row.disposed_on] += row.gain
        else:
            yield gain_or_loss(row.gain), row.asset, abs(row.gain)
        yield "net_gain", row.asset, row.gain
        if row.term:
            yield f"net_gain_{row.term}", row.asset, row.gain
        if row.kind == Kind.MARGIN:
            yield "net_gain_margin", row.asset, row.gain
        if row.denied_loss:
            yield "denied_loss", row.asset, row.denied_loss
    for (asset, _), gain in days.items():
        yield gain_or_loss(gain), asset, abs(gain)


def gain_or_loss(gain: Decimal) -> str:
    return "gains" if gain > 0 else "losses"


def taxed_figures(disposals: Iterable[Disposal]) -> Iterator[tuple[str, str, Decimal]]:
    """Where what was held long is free: gains and losses that count, and those that do not. Positions on margin are neither."""
    for row in disposals:
        if row.kind == Kind.MARGIN:
            continue  # income from capital (EStG 20), in no limit of private sales
        yield ("tax_free_gain" if row.term == "long" else "taxable_gain"), row.asset, row.gain or ZERO


def income_figures(income: Iterable[Income]) -> Iterator[tuple[str, str, Decimal]]:
    for row in income:
        if row.value is None:
            yield "income_unknown", row.asset, ONE
            continue
        yield "income", row.asset, row.value
        yield f"income_{row.income_type}", row.asset, row.value


def lot_figures(lots: Iterable[Lot]) -> Iterator[tuple[str, str, Decimal]]:
    for lot in lots:
        yield "open_lots", lot.origin.asset, ONE
        yield "open_cost", lot.origin.asset, lot.cost or ZERO
