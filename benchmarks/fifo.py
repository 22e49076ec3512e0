"""The lot engine against a bare loop over a deque of Decimals on the same movements."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from benchmarks.clock import cpu
from portfolio_sync.core.cycles import without_cycle_search
from portfolio_sync.core.lot import Act, Movement
from portfolio_sync.tax.methods import METHODS
from portfolio_sync.tax.profiles import GENERIC

EVENTS = 100_000
START = datetime(2015, 1, 1, tzinfo=UTC)


def history(number: int) -> list[Movement]:
    """Buys and sells of one asset at random, never more sold than held."""
    chance, held, made = Random(1), Decimal(0), []
    for place in range(number):
        quantity = Decimal(chance.randrange(1, 10**8)) / 10**8
        buys = chance.random() < 0.5 or quantity > held
        held += quantity if buys else -quantity
        money = (quantity * chance.randrange(1000, 90000)).quantize(Decimal("0.0001"))
        act, kind = (Act.ACQUIRE, "buy") if buys else (Act.DISPOSE, "sell")
        at = START + timedelta(seconds=place)
        made.append(Movement(act, at, "BTC", quantity, money, kind, "main", "main", (f"L{place}",), f"E{place}"))
    return made


def bare(movements: list[Movement]) -> Decimal:
    """First in, first out, nothing else: no ids, no wallets, no unknown costs."""
    lots: deque[list[Decimal]] = deque()
    gain = Decimal(0)
    for movement in movements:
        assert movement.money is not None
        if movement.act is Act.ACQUIRE:
            lots.append([movement.quantity, movement.money])
            continue
        left = movement.quantity
        while left:
            lot = lots[0]
            part = min(left, lot[0])
            cost = lot[1] * part / lot[0]
            gain += movement.money * part / movement.quantity - cost
            lot[0] -= part
            lot[1] -= cost
            left -= part
            if not lot[0]:
                lots.popleft()
    return gain


def engine() -> dict[str, object]:
    movements, as_reports_do = history(EVENTS), without_cycle_search()
    ours = cpu(as_reports_do(lambda: METHODS[GENERIC.method].match(movements, GENERIC, ())))
    plain = cpu(as_reports_do(lambda: bare(movements)))
    return {
        "suite": "FIFO",
        "events": EVENTS,
        "engine_events_per_s": round(EVENTS / ours),
        "bare_deque_events_per_s": round(EVENTS / plain),
        "engine_to_bare": round(ours / plain, 2),
    }
