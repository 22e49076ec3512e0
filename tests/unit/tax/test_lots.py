from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

from hypothesis import example, given, settings
from hypothesis import strategies as st

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.lot import Act, Match, Matching, Movement, share
from portfolio_sync.tax.lots import LotRules, match_lots
from portfolio_sync.tax.methods import StandingOrder, in_order, orders
from portfolio_sync.tax.profile import Method, with_settings
from portfolio_sync.tax.profiles import GENERIC
from tests.shown import shown

START = datetime(2024, 1, 1, tzinfo=UTC)


ALWAYS = {method: LotRules(order) for method, order in orders(GENERIC).items()}


def movement(
    act: Act, place: int, quantity: str, money: str | None, wallet: str = "w", to_wallet: str = ""
) -> Movement:
    return Movement(
        act, START + timedelta(days=place), "BTC", Decimal(quantity), None if money is None else Decimal(money), "sell", "main", wallet,
        (f"t{place}",), f"e{place}", to_wallet=to_wallet,
    )  # fmt: skip


def buy(place: int, quantity: str, money: str | None, wallet: str = "w") -> Movement:
    return movement(Act.ACQUIRE, place, quantity, money, wallet)


def sell(place: int, quantity: str, money: str | None = "0", wallet: str = "w") -> Movement:
    return movement(Act.DISPOSE, place, quantity, money, wallet)


def acquired(match: Match) -> str:
    return match.lot.ids[0] if match.lot else ""


def taken(matching: Matching) -> list[tuple[str, str]]:
    return [(acquired(match), str(match.quantity)) for match in matching.matches]


HISTORY = (buy(1, "1", "10"), buy(2, "1", "30"), buy(3, "1", None), buy(4, "1", "20"))


def test_each_order_takes_its_own_lots_and_unknown_costs_come_last_by_cost() -> None:
    def order_of(method: Method) -> str:
        return "".join(lot[1] for lot, _ in taken(match_lots([*HISTORY, sell(5, "4")], ALWAYS[method])))

    assert {method: order_of(method) for method in ALWAYS} == {
        Method.FIFO: "1234", Method.LIFO: "4321", Method.HIFO: "2413", Method.LOFO: "1423", Method.SPEC_ID: "1234",
        Method.DE_FIFO: "1234", Method.IE_FIFO: "1234",
    }  # fmt: skip


def test_equal_unit_costs_go_oldest_first() -> None:
    history = [buy(1, "1", "10"), buy(2, "2", "20"), sell(3, "1")]
    assert taken(match_lots(history, ALWAYS[Method.HIFO])) == [("t1", "1")]
    assert taken(match_lots(history, ALWAYS[Method.LOFO])) == [("t1", "1")]


def test_a_reward_larger_than_the_lot_on_top_drops_no_lot() -> None:
    """rp2 loses the lot at 110 here (tax rules, section 11)."""
    history = [buy(1, "1", "100"), buy(2, "1", "110"), buy(3, "1", "90"), sell(4, "2")]
    assert taken(match_lots(history, ALWAYS[Method.HIFO])) == [("t2", "1"), ("t1", "1")]


def test_a_purchase_recorded_after_a_sale_of_the_same_second_is_not_used_by_it() -> None:
    late = buy(2, "1", "5")._replace(time=START)
    matching = match_lots(
        [buy(1, "1", "10")._replace(time=START), sell(3, "1")._replace(time=START), late], ALWAYS[Method.LIFO]
    )
    assert taken(matching) == [("t1", "1")]


def test_named_lots_go_first_and_the_rest_by_order() -> None:
    sale = sell(5, "2")._replace(picks=(("t4", Decimal("0.5")), ("t2", Decimal(1))))
    matching = match_lots([*HISTORY, sale], ALWAYS[Method.FIFO])
    assert taken(matching) == [("t4", "0.5"), ("t2", "1"), ("t1", "0.5")]


def test_a_lot_that_lies_in_two_wallets_or_came_twice_to_one_is_one_part_of_a_sale() -> None:
    bought = [buy(1, "3", "31"), movement(Act.MOVE, 2, "1", None, "w", "v"), movement(Act.MOVE, 3, "1", None, "w", "v")]
    once = match_lots([*bought, sell(4, "2.5", "7", "v")], ALWAYS[Method.FIFO]).matches
    assert [(m.quantity, m.cost, m.proceeds) for m in once] == [
        (Decimal("2.5"), share(Decimal(31), Decimal("2.5"), Decimal(3)), Decimal(7))
    ]
    apart = replace(ALWAYS[Method.FIFO], wallets_from=START)
    assert taken(match_lots([*bought, sell(4, "2", "7", "v")], apart)) == [("t1", "2")]
    unknown = [buy(1, "3", None), *bought[1:], sell(4, "3", "7", "v")]
    assert [(m.quantity, m.cost) for m in match_lots(unknown, ALWAYS[Method.FIFO]).matches] == [(Decimal(3), None)]


def test_a_standing_order_counts_from_its_start() -> None:
    standing = (StandingOrder(Method.HIFO, START + timedelta(days=6)),)
    matching = in_order([*HISTORY, sell(5, "1"), sell(6, "1")], GENERIC, standing)
    assert [(match.rule, acquired(match)) for match in matching.matches] == [("fifo", "t1"), ("hifo", "t2")]


def test_a_standing_order_of_one_account_leaves_the_others() -> None:
    standing = (StandingOrder(Method.LIFO, START, "w"),)
    profile = with_settings(GENERIC, {"pool_scope": "wallet"})
    history = [
        buy(1, "1", "1"),
        buy(2, "1", "1"),
        buy(3, "1", "1", "v"),
        buy(4, "1", "1", "v"),
        sell(5, "1"),
        sell(6, "1", wallet="v"),
    ]
    assert taken(in_order(history, profile, standing)) == [("t2", "1"), ("t3", "1")]


def test_hifo_by_price_ignores_fees() -> None:
    history = [
        buy(1, "1", "19")._replace(price=Decimal(10)),
        buy(2, "1", "12")._replace(price=Decimal(12)),
        sell(3, "1"),
    ]
    assert taken(in_order(history, with_settings(GENERIC, {"method": "hifo"}), ())) == [("t1", "1")]
    assert taken(in_order(history, with_settings(GENERIC, {"method": "hifo", "hifo_key": "price"}), ())) == [
        ("t2", "1")
    ]


def test_matching_stops_at_the_first_sale_of_more_than_is_known() -> None:
    matching = match_lots([buy(1, "1", "10"), sell(2, "0.4", "8"), sell(3, "1"), buy(4, "9", "9")], ALWAYS[Method.FIFO])
    assert taken(matching) == [("t1", "0.4")]
    assert matching.refused
    assert (matching.refused.ids, matching.missing) == (("t3",), Decimal("0.4"))


def test_zero_cost_is_invented_only_when_asked_for() -> None:
    profile = with_settings(GENERIC, {"oversell": "zero_cost"})
    matching = in_order([buy(1, "1", "10"), sell(2, "3", "30")], profile, ())
    assert [shown(m.quantity, m.cost, m.proceeds) for m in matching.matches] == ["1 10 10", "2 0 20"]


def test_a_figure_that_does_not_terminate_is_cut_to_20_decimals_and_the_last_part_takes_the_rest() -> None:
    matching = match_lots(
        [buy(1, "3", "1"), sell(2, "1", "1"), sell(3, "1", "1"), sell(4, "1", "1")], ALWAYS[Method.FIFO]
    )
    costs = [match.cost for match in matching.matches]
    assert costs == [
        Decimal("0.33333333333333333333"),
        Decimal("0.33333333333333333334"),
        Decimal("0.33333333333333333333"),
    ]
    assert share(Decimal(2), Decimal(1), Decimal(3)) == Decimal("0.66666666666666666667")


QUANTITIES = st.decimals(Decimal("0.00000001"), 1000, places=8)
MONEY = st.one_of(st.none(), st.decimals(0, 100_000, places=4))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("acquire", "dispose", "give", "move")),
        QUANTITIES,
        MONEY,
        st.sampled_from("abc"),
        st.sampled_from("abc"),
    ),
    max_size=40,
)


def history_of(steps: list[tuple[str, Decimal, Decimal | None, str, str]]) -> list[Movement]:
    return [
        movement(
            Act(act),
            place,
            str(quantity),
            None if money is None else str(money),
            wallet,
            to_wallet if act == "move" else "",
        )
        for place, (act, quantity, money, wallet, to_wallet) in enumerate(steps)
    ]


@settings(deadline=None)
@given(STEPS, st.sampled_from(sorted(ALWAYS)), st.sampled_from((None, START, START + timedelta(days=15))))
def test_units_cost_and_proceeds_are_conserved_to_the_last_digit(
    steps: list[tuple[str, Decimal, Decimal | None, str, str]], method: Method, wallets_from: datetime | None
) -> None:
    history = history_of(steps)
    matching = match_lots(history, LotRules(orders(GENERIC)[method], (), wallets_from))
    done = history if matching.refused is None else history[: history.index(matching.refused)]
    with localcontext(EXACT):
        for lot in (m for m in done if m.act is Act.ACQUIRE):
            parts = [m for m in matching.matches if m.lot is lot]
            left = [part for part in matching.left if part.origin is lot]
            assert sum((m.quantity for m in parts), ZERO) + sum((part.quantity for part in left), ZERO) == lot.quantity
            costs = [m.cost for m in parts] + [part.cost for part in left]
            if lot.money is None:
                assert set(costs) <= {None}
            else:
                assert sum((cost or ZERO for cost in costs), ZERO) == lot.money
        for disposal in (m for m in done if m.act in (Act.DISPOSE, Act.GIVE)):
            parts = [m for m in matching.matches if m.disposal is disposal]
            assert sum((m.quantity for m in parts), ZERO) == disposal.quantity
            if disposal.money is not None:
                assert sum((m.proceeds or ZERO for m in parts), ZERO) == disposal.money
            assert all(m.quantity > 0 for m in parts)


@settings(deadline=None)
@given(STEPS)
def test_lots_left_lie_where_the_units_lie(steps: list[tuple[str, Decimal, Decimal | None, str, str]]) -> None:
    """Where no wallet ever gives more than it has, each wallet's lots add up to its units, in one pool and in several."""
    held = dict.fromkeys("abc", ZERO)
    possible = []
    for step in steps:
        act, quantity, _, wallet, to_wallet = step
        if act != "acquire" and held[wallet] < quantity:
            continue
        held[wallet] += quantity if act == "acquire" else -quantity
        if act == "move":
            held[to_wallet] += quantity
        possible.append(step)
    fifo = orders(GENERIC)[Method.FIFO]
    for wallets_from in (None, START, START + timedelta(days=10)):
        matching = match_lots(history_of(possible), LotRules(fifo, (), wallets_from))
        assert matching.refused is None
        for wallet, quantity in held.items():
            assert sum((lot.quantity for lot in matching.left if lot.wallet == wallet), ZERO) == quantity


ONE_UNIT = Decimal("1E-8")
IN_TWO_WALLETS = [
    ("acquire", ONE_UNIT, None, "b", "a"),
    ("acquire", Decimal("0.00123787"), None, "a", "a"),
    ("acquire", ONE_UNIT, None, "a", "a"),
    ("acquire", ONE_UNIT, None, "a", "a"),
    ("dispose", ONE_UNIT, None, "a", "a"),
    ("dispose", Decimal("0.00123787"), None, "a", "a"),
]


@settings(deadline=None)
@example(IN_TWO_WALLETS)
@given(STEPS)
def test_fifo_agrees_with_a_plain_queue(steps: list[tuple[str, Decimal, Decimal | None, str, str]]) -> None:
    history = [m for m in history_of(steps) if m.act in (Act.ACQUIRE, Act.DISPOSE)]
    queue: list[list[object]] = []
    wanted: list[tuple[str, str, Decimal]] = []
    for m in history:
        if m.act is Act.ACQUIRE:
            queue.append([m.ids[0], m.quantity])
            continue
        rest = m.quantity
        if sum((Decimal(str(lot[1])) for lot in queue), ZERO) < rest:
            break
        while rest:
            have = Decimal(str(queue[0][1]))
            part = min(rest, have)
            wanted.append((m.ids[0], str(queue[0][0]), part))
            rest -= part
            queue[0][1] = have - part
            if part == have:
                queue.pop(0)
    matching = match_lots(history, ALWAYS[Method.FIFO])
    found = [(match.disposal.ids[0], acquired(match), match.quantity) for match in matching.matches]
    assert found == wanted
