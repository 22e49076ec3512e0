"""What holds for every method: nothing is lost or made, the order of rows does not matter, a fill in parts is one fill."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.event import Kind
from portfolio_sync.core.lot import Act, Matching, Movement
from portfolio_sync.errors import SettingsError
from portfolio_sync.normalize.transactions import Transaction, to_event
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.methods import METHODS, Scope, StandingOrder
from portfolio_sync.tax.profile import Method, Profile, with_settings
from portfolio_sync.tax.profiles import GENERIC
from tests.unit.tax.histories import START, Step, possible, steps

OF_AN_ASSET = [method for method, basis in METHODS.items() if basis.scope is Scope.ASSET]
TINY = Decimal("1E-12")  # shares are cut at 20 decimals


def profile_of(method: Method, **more: str) -> Profile:
    return with_settings(GENERIC, {"method": method, **more})


def match(history: list[Movement], profile: Profile) -> Matching:
    return METHODS[profile.method].match(history, profile, ())


PROFILES = [
    *map(profile_of, OF_AN_ASSET),
    profile_of(Method.ACB, superficial_loss="true"),
    profile_of(Method.ACB, pool_scope="wallet"),
]


def test_every_method_is_in_the_table() -> None:
    assert METHODS.keys() == set(Method)


@settings(deadline=None)
@given(steps(), st.sampled_from(PROFILES))
def test_units_cost_and_proceeds_are_conserved(found: list[Step], profile: Profile) -> None:
    history = possible(found)
    matching = match(history, profile)
    assert matching.refused is None
    with localcontext(EXACT):
        bought = [m for m in history if m.act is Act.ACQUIRE]
        gone = [m for m in history if m.act in (Act.DISPOSE, Act.GIVE)]
        assert sum((m.quantity for m in matching.matches), ZERO) == sum((m.quantity for m in gone), ZERO)
        left = sum((lot.quantity for lot in matching.left), ZERO)
        assert left == sum((m.quantity for m in bought), ZERO) - sum((m.quantity for m in gone), ZERO)
        # a denied loss is kept as cost (acb), or beside it until a gain comes (ie_fifo)
        denied = sum((m.denied_loss or ZERO for m in matching.matches), ZERO) if profile.method is Method.ACB else ZERO
        spent = sum((m.cost or ZERO for m in matching.matches), ZERO) + sum(
            (lot.cost or ZERO for lot in matching.left), ZERO
        )
        assert spent == sum((m.money or ZERO for m in bought), ZERO) + denied
        sold = sum((m.proceeds or ZERO for m in matching.matches if m.disposal.act is Act.DISPOSE), ZERO)
        assert sold == sum((m.money or ZERO for m in gone if m.act is Act.DISPOSE), ZERO)


@settings(deadline=None)
@given(steps(), st.sampled_from(PROFILES))
def test_what_is_left_lies_where_the_units_lie(found: list[Step], profile: Profile) -> None:
    history = possible(found)
    lots = match(history, profile).left
    for wallet in "wv":
        there = sum(
            (m.quantity if m.act is Act.ACQUIRE else -m.quantity for m in history if m.wallet == wallet), ZERO
        ) + sum((m.quantity for m in history if m.to_wallet == wallet), ZERO)
        assert sum((lot.quantity for lot in lots if lot.wallet == wallet), ZERO) == there


@settings(deadline=None)
@given(steps(unknown=True), st.sampled_from(PROFILES))
def test_no_cost_is_made_up_for_units_of_unknown_cost(found: list[Step], profile: Profile) -> None:
    """With every purchase of unknown cost, no disposal has a cost and no lot either."""
    history = [m._replace(money=None) if m.act is Act.ACQUIRE else m for m in possible(found)]
    matching = match(history, profile)
    assert all(m.cost is None for m in matching.matches)
    assert all(lot.cost is None for lot in matching.left)


def totals(matching: Matching) -> dict[object, Decimal]:
    """Gain by instant of the disposal."""
    sums: dict[object, Decimal] = {}
    for m in matching.matches:
        gain = ZERO if m.disposal.act is Act.GIVE else (m.proceeds or ZERO) - (m.cost or ZERO) + (m.denied_loss or ZERO)
        sums[m.disposal.time] = sums.get(m.disposal.time, ZERO) + gain
    return sums


SPLIT = [p for p in PROFILES if p.method in (Method.FIFO, Method.ACB, Method.TOTAL_AVERAGE, Method.UK_S104)]


@settings(deadline=None)
@given(steps(), st.sampled_from(SPLIT), st.integers(1, 3))
def test_an_order_filled_in_parts_is_one_order(found: list[Step], profile: Profile, quarters: int) -> None:
    history = possible(found)
    first, second = Decimal(quarters) / 4, Decimal(4 - quarters) / 4
    split = [part_of(m, part) for m in history for part in (first, second)]
    whole, parts = totals(match(history, profile)), totals(match(split, profile))
    assert whole.keys() == parts.keys()
    for time, gain in whole.items():
        assert abs(gain - parts[time]) < TINY


def part_of(m: Movement, part: Decimal) -> Movement:
    return m._replace(
        quantity=m.quantity * part, money=None if m.money is None else m.money * part, ids=(f"{m.ids[0]}/{part}",)
    )


@pytest.mark.parametrize("method", Method)
def test_the_order_in_which_rows_come_does_not_matter(method: Method) -> None:
    chance, profile, lookup = (
        random.Random(7),
        profile_of(method, timezone="Europe/London"),
        Lookup(PriceTable(), "USD"),
    )
    rows, held = [], 0
    for place in range(150):
        amount = chance.randrange(1, 9)
        kind = Kind.SELL if chance.random() < 0.5 and amount <= held else Kind.BUY
        held += amount if kind is Kind.BUY else -amount
        at = START + timedelta(hours=chance.randrange(1, 30) + 30 * place)
        value = Decimal(amount * chance.randrange(50, 150))
        rows.append(Transaction(f"t{place}", at, kind, "BTC", Decimal(amount), value, portfolio_value=Decimal(10000)))
    events = list(value_all([to_event(t, "main") for t in rows], lookup).events)
    wanted = compute(events, profile, Options(), lookup)
    chance.shuffle(events)
    assert compute(events, profile, Options(), lookup) == wanted
    assert wanted.disposals
    assert not wanted.findings


@pytest.mark.parametrize("method", OF_AN_ASSET)
def test_more_sold_than_known_is_refused_or_invented_at_no_cost(method: Method) -> None:
    history = possible([Step(Act.ACQUIRE, 1, 2, 100)])
    sale = history[0]._replace(
        act=Act.DISPOSE, time=START + timedelta(days=9), quantity=Decimal(3), money=Decimal(30), kind="sell"
    )
    after = sale._replace(time=START + timedelta(days=60), quantity=Decimal(1))
    refused = match([*history, sale, after], profile_of(method))
    assert refused.refused is not None
    assert (refused.refused.time, refused.missing, refused.matches) == (sale.time, Decimal(1), [])
    invented = match([*history, sale], profile_of(method, oversell="zero_cost"))
    assert invented.refused is None
    assert sum(m.cost or ZERO for m in invented.matches) == 100
    assert sum(m.quantity for m in invented.matches) == 3


def test_an_order_of_lots_alone_can_stand_from_a_date_on() -> None:
    with pytest.raises(SettingsError, match="acb is no order of lots"):
        METHODS[Method.FIFO].match([], GENERIC, (StandingOrder(Method.ACB, START),))


@pytest.mark.parametrize("method", Method)
def test_an_empty_history_has_nothing(method: Method) -> None:
    matching = METHODS[method].match([], profile_of(method), ())
    assert (list(matching.matches), list(matching.left)) == ([], [])
