"""The cost-basis methods: each a function from the whole history of one asset to its matching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from portfolio_sync.core.lot import Matching, Movement
from portfolio_sync.tax.lots import LotRules, Order, by_unit, match_lots, newest, oldest
from portfolio_sync.tax.profile import HifoKey, Method, Oversell, PoolScope, Profile


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """From an instant on (None: always), lots of ``account`` (None: all) are taken by ``method``."""

    method: Method
    start: datetime | None = None
    account: str | None = None


MatchingMethod = Callable[[Sequence[Movement], Profile, Sequence[StandingOrder]], Matching]


def orders(profile: Profile) -> dict[Method, Order]:
    """The orders of lots; what "highest" means is the profile's ``hifo_key``."""
    money = (lambda m: m.money) if profile.hifo_key is HifoKey.UNIT_COST else (lambda m: m.price)
    return {
        Method.FIFO: Order("fifo", oldest),
        Method.LIFO: Order("lifo", newest),
        Method.HIFO: Order("hifo", by_unit(-1, money)),
        Method.LOFO: Order("lofo", by_unit(1, money)),
        Method.SPEC_ID: Order("spec_id", oldest),
    }


def in_order(movements: Sequence[Movement], profile: Profile, standing: Sequence[StandingOrder]) -> Matching:
    """Lots one by one, in the order that stood at each disposal."""
    known = orders(profile)
    default = known[profile.method]
    dated = sorted((s for s in standing if s.start), key=lambda s: (s.start, s.account is not None))

    def order_at(time: datetime, wallet: str) -> Order:
        found = default
        for one in dated:
            if one.start and one.start <= time and one.account in (None, wallet):
                found = known[one.method]
        return found

    return match_lots(movements, LotRules(order_at, wallets_from(profile), profile.oversell is Oversell.ZERO_COST))


def wallets_from(profile: Profile) -> datetime | None:
    """The instant from which pools are per wallet; None: never."""
    if profile.pool_scope is PoolScope.WALLET:
        return datetime.min.replace(tzinfo=UTC)
    return profile.start_of(profile.wallet_pools_from) if profile.wallet_pools_from else None


METHODS: dict[Method, MatchingMethod] = dict.fromkeys(Method, in_order)
