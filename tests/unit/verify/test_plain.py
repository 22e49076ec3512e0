"""Rows looked at by columns are judged as row by row: the same chains, breaks, findings and counts, of any history."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from random import Random
from typing import Any, TypeVar

import pytest

from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.period import Period
from portfolio_sync.core.stored import Raw, Stored
from portfolio_sync.verify import chain
from portfolio_sync.verify.join import JoinState
from portfolio_sync.verify.ordered import ordered
from portfolio_sync.verify.plain import advance
from portfolio_sync.verify.proof import State, prove
from portfolio_sync.verify.state import ChainState
from tests.unit.verify.bank import START, Bank, Earn
from tests.unit.verify.test_proof_properties import Act, live

R = TypeVar("R", LedgerRow, TradeRow)
IN_ORDER = attrgetter("time", "id")
FAR = START + timedelta(days=9999)
Change = Callable[[Any, Any], dict[str, Any]]
"""``(row, one near it)``: what of the row is another."""
AT = {LedgerRow: 2, TradeRow: 3}
CHANGES: list[Change] = [
    lambda row, _: {"amount": row.amount + Decimal("0.01")},
    lambda row, _: {"amount": row.amount.quantize(Decimal("0.00001"))},
    lambda row, _: {"fee": row.fee + Decimal("0.001")},
    lambda row, _: {"balance": row.balance - 1},
    lambda *_: {"balance": Decimal("0.00")},
    lambda _, near: {"refid": near.refid, "type": near.type},
    lambda *_: {"type": "settled"},
    lambda row, _: {"symbol": {"BTC": "EUR"}.get(row.symbol, "BTC")},
    lambda row, _: {"time": row.time + timedelta(minutes=20)},
    lambda row, _: {"time": row.time + timedelta(hours=3)},
    lambda row, _: {"time": row.time - timedelta(days=1)},
]
TRADE_CHANGES: list[Change] = [
    lambda row, _: {"volume": row.volume + Decimal("0.01")},
    lambda row, _: {"cost": row.cost + Decimal("0.01")},
    lambda row, _: {"side": {"buy": "sell"}.get(row.side, "buy")},
    lambda *_: {"base": ""},
    lambda row, _: {"quote": row.base},
    lambda *_: {"ledgers": ()},
    lambda row, _: {"ledgers": (*row.ledgers, "L9999")},
    lambda row, _: {"ledgers": row.ledgers[::-1]},
    lambda row, _: {"time": row.time + timedelta(minutes=20)},
    lambda row, _: {"time": row.time + timedelta(hours=3)},
    lambda row, _: {"time": row.time - timedelta(days=1)},
]
KINDS = ["deposit", "withdrawal", "reversed", "trade", "move", "reward", "fine", "nothing"]


def stored(rows: Sequence[R], kind: type[R], size: int) -> Stored[R]:
    """As a database would have them, ``size`` at a time."""

    def make(raw: Raw) -> R:
        named = dict(zip((field.name for field in fields(kind)), ("main", *raw), strict=True))
        return kind(**named | ({"ledgers": tuple(json.loads(named["ledgers"]))} if "ledgers" in named else {}))

    raws = [_without_account(row) for row in rows]
    chunks = iter([raws[i : i + size] for i in range(0, len(raws), size)])
    return Stored("main", chunks, AT[kind], make, Decimal, lambda at: at, lambda at: at, lambda _: [])


def _without_account(row: LedgerRow | TradeRow) -> Raw:
    told = astuple(row)[1:]
    return told if isinstance(row, LedgerRow) else (*told[:-1], json.dumps(told[-1], separators=(",", ":")))


def altered(rows: list[Any], dice: Random, changes: list[Change]) -> list[Any]:
    place, change = dice.randrange(len(rows)), dice.randrange(-1, len(changes))
    near = rows[(place + dice.randint(-4, 4)) % len(rows)]
    instead = [] if change < 0 else [replace(rows[place], **changes[change](rows[place], near))]
    return sorted([*rows[:place], *instead, *rows[place + 1 :]], key=IN_ORDER)


def said(
    chains: ChainState, joined: JoinState, rows: Sequence[LedgerRow], trades: Sequence[TradeRow], bank: Bank
) -> Any:
    proof = prove(rows, trades, bank.snapshot(), chains=chains, joined=joined)
    chains_json = chains.to_json() | {"counts": Counter(chains.counts)}
    return proof.state, proof.breaks, proof.findings, proof.counts, proof.reread, chains_json, joined.units


def stretched(rows: list[R], times: int) -> list[R]:
    """The seconds of a bank as hours or days."""
    return sorted((replace(row, time=START + (row.time - START) * times) for row in rows), key=IN_ORDER)


def both(
    bank: Bank, rows: list[LedgerRow], trades: list[TradeRow], size: int, first: datetime | None, *, windowed: bool
) -> tuple[Any, Any]:
    """What is said row by row, and by columns."""
    period = Period(first, FAR) if first else None

    def states() -> tuple[ChainState, JoinState]:
        return ChainState(windowed=windowed), JoinState(period, period)

    chains, joined = states()
    advance(chains, joined, stored(rows, LedgerRow, size), stored(trades, TradeRow, size))
    return said(*states(), rows, trades, bank), said(chains, joined, [], [], bank)


@pytest.mark.parametrize("seed", range(80))
def test_by_columns_a_history_says_what_it_says_row_by_row(seed: int) -> None:
    dice = Random(seed)
    bank, rows, trades = _history(dice)
    begin = dice.choice([None, None, rows[len(rows) // 3].time])
    one_by_one, by_columns = both(bank, rows, trades, dice.choice([1, 2, 5, 40]), begin, windowed=dice.random() < 0.3)
    assert by_columns == one_by_one


@pytest.mark.parametrize("seed", range(80, 120))
def test_rows_come_by_columns_in_the_order_in_which_they_come_row_by_row(seed: int) -> None:
    _, rows, _ = _history(Random(seed), together=0.6)
    blocks = list(ordered(stored(rows, LedgerRow, Random(seed).choice([1, 3, 40]))))
    assert [row for block in blocks for row in block] == list(chain.extend(ChainState(), rows))


@pytest.mark.parametrize("seed", range(80, 120))
def test_two_rows_of_one_instant_are_chained_as_any_number_is(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bank, rows, trades = _history(Random(seed), together=0.6)
    quickly = said(ChainState(), JoinState(), rows, trades, bank)
    monkeypatch.setattr(chain, "_two", lambda *_: None)
    assert said(ChainState(), JoinState(), rows, trades, bank) == quickly


def test_two_rows_after_a_break_name_its_neighbour_and_two_that_empty_a_wallet_close_it() -> None:
    bank = Bank()
    for number in (5, 5, 5, -5, -5):
        if number > 0 or bank.has["EUR", "spot"] == 15:
            bank.wait()
        bank.book("EUR", number)
    rows = [*bank.rows[:1], *bank.rows[2:]]
    state = ChainState()
    proof = prove(rows, [], bank.snapshot(), chains=state)
    assert [(broken.row, broken.after) for broken in proof.breaks] == [("L0002", "L0003")]
    emptied = ChainState()
    prove([bank.rows[0], replace(bank.rows[0], id="L8", time=FAR, amount=Decimal(-1), balance=Decimal("-0.95")),
           replace(bank.rows[0], id="L9", time=FAR, amount=Decimal("0.95"), balance=Decimal(0))], [], None, chains=emptied)  # fmt: skip
    assert emptied.symbols["EUR"].ends == []


def _history(dice: Random, together: float = 0.15) -> tuple[Bank, list[LedgerRow], list[TradeRow]]:
    """A random account, often with some rows or trades altered. ``together``: how often two things happen at one instant."""
    bank = Bank(dice.choice(list(Earn)), dice.random() < 0.5)
    bank.book("EUR", 9)
    for _ in range(dice.choice([20, 150])):
        live(bank, [_act(dice, together)])
        if dice.random() < 0.1:
            bank.wait()
            bank.book("EUR", 1, -1, type_="withdrawal")  # a fee given back
        if dice.random() < 0.3 and bank.trades and bank.trades[-1].time == bank.now:
            _fee_leg(bank)
    times = dice.choice([1, 300, 1200, 5000, 90000])
    rows, trades = stretched(bank.rows, times), stretched(bank.trades, times)
    bank.now = FAR
    for _ in range(dice.choice([0, 0, 3, 20])):
        if dice.random() < 0.5 and len(rows) > 1:
            rows = altered(rows, dice, CHANGES)
        elif trades:
            trades = altered(trades, dice, TRADE_CHANGES)
    return bank, rows, trades


def _fee_leg(bank: Bank) -> None:
    """A leg that moves nothing, of the last trade."""
    leg = bank.book("EUR", 0, type_="trade", refid=bank.trades[-1].id)
    bank.trades[-1] = replace(bank.trades[-1], ledgers=(leg.id, *bank.trades[-1].ledgers))


def _act(dice: Random, together: float) -> Act:
    kind = dice.choices(KINDS, [2, 1, 1, 8, 2, 2, 1, 1])[0]
    return kind, dice.choice(["BTC", "EUR"]), dice.randint(1, 6), dice.randint(0, 2), dice.random() < together


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_third_leg_in_another_block_belongs_to_its_fill(size: int, *, earlier: bool) -> None:
    bank = Bank()
    bank.book("EUR", 1000)
    for seconds in (7200, 1200):
        bank.wait(seconds)
        if (seconds == 1200) is earlier:
            bank.trade(5, 10)
        else:
            bank.book("EUR", -3, type_="trade", refid="T0")
    for _ in range(3):
        bank.wait(7200)
        bank.book("EUR", 1)
    one_by_one, by_columns = both(bank, bank.rows, bank.trades, size, None, windowed=False)
    assert [finding.code for finding in by_columns[2]] == ["trade_differs"]
    assert by_columns == one_by_one


def test_a_leg_that_moved_nothing_is_missed_where_its_trade_names_it() -> None:
    bank = Bank()
    bank.book("EUR", 1000)
    bank.wait(7200)
    bank.trade(5, 10)
    _fee_leg(bank)
    for _ in range(2):
        bank.wait(7200)
        bank.book("EUR", 1)
    whole = both(bank, bank.rows, bank.trades, 9, None, windowed=False)
    assert whole[0] == whole[1]
    assert whole[1][0] is State.PROVEN
    gone = both(bank, [row for row in bank.rows if row.amount], bank.trades, 9, None, windowed=False)
    assert gone[0] == gone[1]
    assert [finding.code for finding in gone[1][2]] == ["leg_missing"]


def test_the_plain_ones_are_not_judged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the two ways would be one."""
    bank = Bank()
    bank.book("EUR", 100_000)
    for _ in range(50):
        bank.wait(3600)
        bank.trade(5, 10, 1)
        bank.wait(3600)
        bank.trade(-3, 6)
    made: list[Raw] = []
    ledger, trades = stored(bank.rows, LedgerRow, 60), stored(bank.trades, TradeRow, 60)
    make = ledger.make
    ledger = replace(ledger, make=lambda raw: made.append(raw) or make(raw))  # type: ignore[func-returns-value]
    chains, joined = ChainState(), JoinState()
    advance(chains, joined, ledger, trades)
    bank.wait()
    assert prove([], [], bank.snapshot(), chains=chains, joined=joined).state is State.PROVEN
    assert chains.counts["rows"] == len(bank.rows) == 201
    assert joined.counts["joined"] == 100
    assert len(made) < 40
