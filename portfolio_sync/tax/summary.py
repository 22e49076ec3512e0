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
    at_cost = AT_COST - {Kind.GIFT_OUT} if profile.gift_out is GiftOut.FMV else AT_COST
    by_asset: dict[str, list[Disposal]] = defaultdict(list)
    for row in disposals:
        if row.kind not in at_cost or row.gain != 0:  # else left without gain or loss: no proceeds
            by_asset[row.asset].append(row)
    for asset, rows in by_asset.items():
        yield from ((item, asset, amount) for item, amount in figures_of(rows))


def figures_of(rows: Sequence[Disposal]) -> Iterator[tuple[str, Decimal]]:
    """Of one asset. What is not known is counted; no figure of a row counts where one is not known."""
    yield "disposals", Decimal(len(rows))
    known = [row for row in rows if not (row.gain is None or row.proceeds is None or row.cost is None)]
    if len(known) < len(rows):
        yield "disposals_unknown", Decimal(len(rows) - len(known))
    gains = gains_of(known)
    parts: dict[str, list[Decimal | None]] = {
        "proceeds": [row.proceeds for row in known],
        "cost": [row.cost for row in known],
        "gains": [gain for gain in gains if gain > 0],
        "losses": [-gain for gain in gains if gain <= 0],
        "net_gain": [row.gain for row in known],
        **{f"net_gain_{term}": [row.gain for row in known if row.term == term] for term in ("short", "long")},
        "net_gain_margin": [row.gain for row in known if row.kind == Kind.MARGIN],
        "denied_loss": [row.denied_loss for row in known if row.denied_loss],
    }
    for item, amounts in parts.items():
        if amounts:
            yield item, sum(filter(None, amounts), ZERO)


def gains_of(rows: Iterable[Disposal]) -> list[Decimal]:
    """Of each row; of a day that is one disposal, however its units were matched, the gain is one (CRYPTO22255, 22257)."""
    gains, days = list[Decimal](), defaultdict[date, Decimal](Decimal)
    for row in rows:
        if row.by_day:
            days[row.disposed_on] += row.gain or ZERO
        else:
            gains.append(row.gain or ZERO)
    return [*gains, *days.values()]


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
