"""The cost-basis methods: each a function from the whole history of one pool to its matching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from portfolio_sync.core.lot import Matching, Movement
from portfolio_sync.errors import SettingsError
from portfolio_sync.tax.average import moving_average, total_average
from portfolio_sync.tax.four_weeks import FOUR_WEEKS, ring_fenced
from portfolio_sync.tax.lots import DatedOrder, LotRules, are_lots_named, match_lots
from portfolio_sync.tax.orders import Order, by_unit, fresh, newest, oldest
from portfolio_sync.tax.portfolio import fr_pamc
from portfolio_sync.tax.profile import LOT_ORDERS, HifoKey, Method, Oversell, PoolScope, Profile
from portfolio_sync.tax.share_matching import uk_s104


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """From an instant on (None: always), lots of ``account`` (None: all) are taken by ``method``."""

    method: Method
    start: datetime | None = None
    account: str | None = None


BY_LOTS = (*LOT_ORDERS, Method.DE_FIFO)


class Scope(StrEnum):
    """What one pool's history is: the movements of one asset, or of all assets of the taxpayer."""

    ASSET = "asset"
    PORTFOLIO = "portfolio"


@dataclass(frozen=True, slots=True)
class CostBasis:
    """A method. ``match`` takes the whole history of one pool in order of time, the profile, and the dated orders."""

    match: Callable[[Sequence[Movement], Profile, Sequence[StandingOrder]], Matching]
    scope: Scope = Scope.ASSET


def orders(profile: Profile) -> dict[Method, Order]:
    """The orders of lots; what "highest" means is the profile's ``hifo_key``."""
    money = (lambda m: m.money) if profile.hifo_key is HifoKey.UNIT_COST else (lambda m: m.price)
    return {
        Method.FIFO: Order("fifo", oldest),
        Method.LIFO: Order("lifo", newest),
        Method.HIFO: Order("hifo", by_unit(-1, money)),
        Method.LOFO: Order("lofo", by_unit(1, money)),
        Method.SPEC_ID: Order("spec_id", oldest),
        Method.DE_FIFO: Order("de_fifo", oldest),
        Method.IE_FIFO: Order("ie_fifo", fresh, four_weeks_before(profile)),
    }


def four_weeks_before(profile: Profile) -> Callable[[datetime], datetime]:
    return lambda sale: profile.start_of(profile.local_day(sale) - FOUR_WEEKS)


def in_order(history: Sequence[Movement], profile: Profile, standing: Sequence[StandingOrder]) -> Matching:
    """Lots one by one, in the order that stood at each disposal. Raises SettingsError for an order that is none of lots."""
    known = orders(profile)
    for one in standing:
        if one.method not in BY_LOTS:
            raise SettingsError(
                f"{one.method} is no order of lots: it cannot stand for {profile.method} from a date on"
            )
    starting = sorted((s for s in standing if s.start), key=lambda s: (s.start, s.account is not None))
    dated = tuple(DatedOrder(s.start, s.account, known[s.method]) for s in starting if s.start)
    zero_cost = profile.oversell is Oversell.ZERO_COST
    return match_lots(history, LotRules(known[profile.method], dated, wallets_from(profile), zero_cost))


def ie_fifo(history: Sequence[Movement], profile: Profile, _standing: Sequence[StandingOrder] = ()) -> Matching:
    history = [m._replace(picks=()) if are_lots_named(m) else m for m in history]  # s. 580 leaves no choice
    matched = in_order(history, profile, ())
    return replace(matched, matches=ring_fenced(history, matched.matches, profile))


def wallets_from(profile: Profile) -> datetime | None:
    """The instant from which pools are per wallet; None: never. Germany's are so by law (BMF letter of 2025-03-06, Rz. 61)."""
    if profile.pool_scope is PoolScope.WALLET or profile.method is Method.DE_FIFO:
        return datetime.min.replace(tzinfo=UTC)
    return profile.start_of(profile.wallet_pools_from) if profile.wallet_pools_from else None


METHODS: dict[Method, CostBasis] = {
    **dict.fromkeys(BY_LOTS, CostBasis(in_order)),
    Method.IE_FIFO: CostBasis(ie_fifo),
    Method.ACB: CostBasis(moving_average),
    Method.TOTAL_AVERAGE: CostBasis(total_average),
    Method.UK_S104: CostBasis(uk_s104),
    Method.FR_PAMC: CostBasis(fr_pamc, Scope.PORTFOLIO),
}
