"""How the cost of every method grows from 10,000 movements to a million: the slope of log CPU time over log movements."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import log
from random import Random

from benchmarks.clock import cpu
from portfolio_sync.core.cycles import without_cycle_search
from portfolio_sync.core.instant import EPOCH
from portfolio_sync.core.lot import Act, Movement
from portfolio_sync.tax.methods import METHODS
from portfolio_sync.tax.profile import Method, PoolScope, Profile
from portfolio_sync.tax.profiles import GENERIC

SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "10000,100000,1000000").split(","))
YEARS = timedelta(days=4000)
"""All sizes fill the same time: ten times the movements are ten times as many a day, as in an account that trades more."""
MOST = 1.1


def profiles() -> dict[str, Profile]:
    plain = {method.value: replace(GENERIC, method=method) for method in METHODS}
    acb, fifo = plain[Method.ACB.value], plain[Method.FIFO.value]
    return plain | {
        "acb, superficial losses": replace(acb, superficial_loss=True),
        "acb, wallets": replace(acb, pool_scope=PoolScope.WALLET),
        "fifo, wallets": replace(fifo, pool_scope=PoolScope.WALLET),
        "uk_s104, London": replace(plain[Method.UK_S104.value], timezone="Europe/London"),
    }


def history(number: int, wallets: Sequence[str] = ("main", "second", "external:main")) -> list[Movement]:
    """Buys, sells and moves of one asset; each wallet sells what it has, a third of the sales name a lot."""
    chance, step, made = Random(1), YEARS / number, list[Movement]()
    held = dict.fromkeys(wallets, Decimal(0))
    bought: list[str] = []
    for place in range(number):
        wallet, quantity = chance.choice(wallets), Decimal(chance.randrange(1, 10**8)) / 10**8
        money, at, dice = (
            (quantity * chance.randrange(1000, 90000)).quantize(Decimal("0.0001")),
            EPOCH + step * place,
            chance.random(),
        )
        common = (wallet.removeprefix("external:"), wallet, (f"L{place}",), f"E{place}")
        if dice < 0.5 or quantity > held[wallet]:
            held[wallet] += quantity
            bought.append(f"L{place}")
            made.append(Movement(Act.ACQUIRE, at, "BTC", quantity, money, "buy", *common, price=money))
        elif dice < 0.55:
            target = chance.choice([each for each in wallets if each != wallet])
            held[wallet], held[target] = held[wallet] - quantity, held[target] + quantity
            made.append(Movement(Act.MOVE, at, "BTC", quantity, None, "transfer", *common, to_wallet=target))
        else:
            held[wallet] -= quantity
            made.append(
                Movement(
                    Act.DISPOSE, at, "BTC", quantity, money, "sell", *common, price=money,
                    portfolio_value=sum(held.values()) * 50_000 + money,
                )
            )  # fmt: skip
    return made


def naming(movements: Sequence[Movement]) -> list[Movement]:
    """Every third sale names one of the last hundred lots."""
    chance, bought, made = Random(2), list[str](), list[Movement]()
    for m in movements:
        if m.act is Act.ACQUIRE:
            bought.append(m.ids[0])
        elif m.act is Act.DISPOSE and chance.random() < 1 / 3:
            m = m._replace(picks=((chance.choice(bought[-100:]), m.quantity / 2),))  # noqa: PLW2901
        made.append(m)
    return made


def methods() -> dict[str, object]:
    """Seconds at each size, and the slope from the first to the last."""
    taken: dict[str, list[float]] = {name: [] for name in profiles()}
    for size in SIZES:
        plain = history(size)
        named = naming(plain)
        for name, profile in profiles().items():
            movements = named if profile.method is Method.SPEC_ID else plain
            runs = 3 if size <= 100_000 else 1
            taken[name].append(cpu(work(movements, profile), runs))
    slopes = {name: round(slope(seconds), 3) for name, seconds in taken.items()}
    return {
        "suite": "growth of the methods",
        "movements": list(SIZES),
        "seconds": {name: [round(one, 3) for one in seconds] for name, seconds in taken.items()},
        "exponents": slopes,
        "above": sorted(name for name, found in slopes.items() if found > MOST),
    }


def work(movements: Sequence[Movement], profile: Profile) -> Callable[[], object]:
    """As a report does it."""
    return without_cycle_search()(lambda: METHODS[profile.method].match(movements, profile, ()))


def slope(seconds: Sequence[float]) -> float:
    return log(seconds[-1] / seconds[0]) / log(SIZES[-1] / SIZES[0])
