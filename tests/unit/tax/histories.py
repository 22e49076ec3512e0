"""Histories of one asset for property tests: in small units, at days close together, so that every rule finds something to match."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from hypothesis import strategies as st

from portfolio_sync.core.lot import Act, Movement

START = datetime(2024, 1, 1, tzinfo=UTC)


def movement(
    act: Act,
    hours: int,
    quantity: object,
    money: object = 0,
    wallet: str = "w",
    to_wallet: str = "",
    kind: str = "",
    **more: object,
) -> Movement:
    return Movement(
        act, START + timedelta(hours=hours), "BTC", Decimal(str(quantity)), None if money is None else Decimal(str(money)),
        kind or ("buy" if act is Act.ACQUIRE else "sell"), "main", wallet, (f"t{hours}",), f"e{hours}", to_wallet=to_wallet, **more,  # type: ignore[arg-type]  # the names of Movement
    )  # fmt: skip


def buy(day: int, quantity: object, money: object, **more: object) -> Movement:
    return movement(Act.ACQUIRE, 24 * day, quantity, money, **more)  # type: ignore[arg-type]  # as above


def sell(day: int, quantity: object, money: object, **more: object) -> Movement:
    return movement(Act.DISPOSE, 24 * day, quantity, money, **more)  # type: ignore[arg-type]  # as above


class Step(NamedTuple):
    act: Act
    hours_later: int
    quantity: int
    money: int | None


def steps(*, unknown: bool = False) -> st.SearchStrategy[list[Step]]:
    money = st.integers(0, 1000)
    return st.lists(
        st.builds(
            Step,
            st.sampled_from((Act.ACQUIRE, Act.ACQUIRE, Act.DISPOSE, Act.DISPOSE, Act.GIVE, Act.MOVE)),
            st.sampled_from((1, 5, 20, 24, 24 * 9, 24 * 15, 24 * 40, 24 * 200)),
            st.integers(1, 9),
            st.one_of(st.none(), money) if unknown else money,
        ),
        max_size=30,
    )


def possible(found: list[Step]) -> list[Movement]:
    """The steps as a history in which nobody gives more than he has; moves go to and fro between two wallets."""
    held = {"w": 0, "v": 0}
    history, hours = list[Movement](), 0
    for place, step in enumerate(found):
        hours += step.hours_later
        wallet = "wv"[place % 2]
        other = "vw"[place % 2]
        if step.act is not Act.ACQUIRE and held[wallet] < step.quantity:
            continue
        held[wallet] += step.quantity if step.act is Act.ACQUIRE else -step.quantity
        held[other] += step.quantity if step.act is Act.MOVE else 0
        money = step.money if step.act in (Act.ACQUIRE, Act.DISPOSE) else None
        history.append(movement(step.act, hours, step.quantity, money, wallet, other if step.act is Act.MOVE else ""))
    return history
