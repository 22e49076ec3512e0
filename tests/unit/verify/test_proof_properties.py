"""Any account of a small bank is proven as it is, in any order of rows of one instant; with any one row lost or changed it never is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.verify.proof import Proof, State, prove
from portfolio_sync.verify.state import ChainState
from tests.unit.verify.bank import UNIT, Bank, Earn

Act = tuple[str, str, int, int, bool]
ACTS = st.tuples(
    st.sampled_from(["deposit", "withdrawal", "reversed", "trade", "move", "reward", "fine", "nothing"]),
    st.sampled_from(["BTC", "EUR"]),
    st.integers(1, 6),
    st.integers(0, 2),
    st.booleans(),
)
LIVES = st.lists(ACTS, min_size=1, max_size=25)
BANKS = st.tuples(st.sampled_from(Earn), st.booleans())


def lived(ways: tuple[Earn, bool], life: Sequence[Act]) -> Bank:
    bank = Bank(*ways)
    live(bank, life)
    return bank


def live(bank: Bank, life: Sequence[Act]) -> None:
    for act, symbol, number, fee, now in life:
        if not now:
            bank.wait()
        _act(bank, act, symbol, number, fee)


def _act(bank: Bank, act: str, symbol: str, number: int, fee: int) -> None:
    spot, earn = bank.has[symbol, "spot"], bank.has[symbol, "earn"]
    if act == "deposit":
        bank.book(symbol, number + 2, fee)
    elif act == "withdrawal" and spot >= number + fee:
        bank.book(symbol, -number, fee, type_="withdrawal")
    elif act == "reversed" and spot >= number + fee:
        refid = bank.book(symbol, -number, fee, type_="withdrawal").refid
        bank.book(symbol, number, -fee, type_="withdrawal", refid=refid)
    elif act == "trade":
        _trade(bank, symbol, number, fee)
    elif act == "move" and (spot >= number or earn >= number):
        bank.move(symbol, number if spot >= number else -number)
    elif act == "reward" and earn:
        bank.book(symbol, number, min(fee, number - 1), type_="earn", subtype="reward", place="earn")
    elif act == "fine":
        bank.book(symbol, number + 2, fee + 1, thousandths=number - 3 if abs(number - 3) < 3 else 0)
    elif act == "nothing":
        bank.book(symbol, 0, type_="transfer")


def _trade(bank: Bank, symbol: str, number: int, fee: int) -> None:
    if symbol == "BTC" and bank.has["EUR", "spot"] >= 2 * number + fee:
        bank.trade(number, 2 * number, fee)
    elif symbol == "EUR" and bank.has["BTC", "spot"] >= number:
        bank.trade(-number, 2 * number, fee)


def proof(bank: Bank, rows: Sequence[LedgerRow]) -> Proof:
    return prove(sorted(rows, key=lambda row: row.time), bank.trades, bank.snapshot())


@settings(max_examples=150, deadline=None)
@given(BANKS, LIVES, st.randoms(use_true_random=False))
def test_an_account_as_it_is_is_proven_in_any_order_of_ids(
    ways: tuple[Earn, bool], life: list[Act], random: object
) -> None:
    bank = lived(ways, life)
    names = [row.id for row in bank.rows]
    random.shuffle(names)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    new = dict(zip((row.id for row in bank.rows), names, strict=True))
    bank.trades = [replace(trade, ledgers=tuple(new[id_] for id_ in trade.ledgers)) for trade in bank.trades]
    rows = sorted((replace(row, id=new[row.id]) for row in bank.rows), key=lambda row: (row.time, row.id))
    found = proof(bank, rows)
    assert found.state is State.PROVEN, found.findings


@settings(max_examples=150, deadline=None)
@given(BANKS, LIVES, st.data())
def test_a_lost_row_is_never_hidden(ways: tuple[Earn, bool], life: list[Act], data: st.DataObject) -> None:
    bank = lived(ways, life)
    effective = [row for row in bank.rows if moves(row)]
    assume(effective)
    lost = data.draw(st.sampled_from(effective))
    assert never(bank, [row for row in bank.rows if row is not lost])


@settings(max_examples=150, deadline=None)
@given(BANKS, LIVES, st.data())
def test_a_row_too_many_is_never_hidden(ways: tuple[Earn, bool], life: list[Act], data: st.DataObject) -> None:
    bank = lived(ways, life)
    effective = [row for row in bank.rows if moves(row)]
    assume(effective)
    twice = data.draw(st.sampled_from(effective))
    assert never(bank, [*bank.rows, replace(twice, id="L9999")])


def test_a_second_balance_that_one_instant_opens_is_a_break() -> None:
    """0.08 falls to 0.04 and the reversal, changed to begin at zero, would open 0.04 beside it: the sum still agrees."""
    bank = lived(
        (Earn.SUFFIX, False),
        [("fine", "BTC", 1, 0, False), ("fine", "BTC", 5, 0, False), ("reversed", "BTC", 2, 2, False)],
    )
    *others, last = bank.rows
    found = proof(bank, [*others, replace(last, balance=last.balance - 4 * UNIT)])
    assert found.state is State.BROKEN
    (gap,) = found.chains.breaks
    assert (gap.row, gap.before) == (last.id, others[-1].id)


@settings(max_examples=150, deadline=None)
@given(BANKS, LIVES, st.sampled_from(["amount", "fee", "balance"]), st.integers(-9, 9), st.data())
def test_a_changed_figure_is_never_hidden(
    ways: tuple[Earn, bool], life: list[Act], field: str, by: int, data: st.DataObject
) -> None:
    bank = lived(ways, life)
    assume(by and bank.rows)
    row = data.draw(st.sampled_from(bank.rows))
    assume(field != "balance" or row.amount != row.fee)  # what moves nothing may stand at any balance of its instant
    changed = replace(row, **{field: getattr(row, field) + by * UNIT})
    assert never(bank, [changed if each is row else each for each in bank.rows])


def moves(row: LedgerRow) -> bool:
    """Its rounding leaves something of it: else no balance shows that it is there."""
    return (row.amount - row.fee).quantize(UNIT) != 0


def never(bank: Bank, rows: Sequence[LedgerRow]) -> bool:
    """Not proven; or proven only by reading the balances another way than the whole account does, which is said."""
    whole, found = proof(bank, bank.rows), proof(bank, rows)
    return found.state is not State.PROVEN or found.earn is not whole.earn


@settings(max_examples=150, deadline=None)
@given(BANKS, LIVES, st.integers(0, 40))
def test_a_chain_that_was_kept_goes_on_as_if_never_interrupted(
    ways: tuple[Earn, bool], life: list[Act], cut: int
) -> None:
    bank = lived(ways, life)
    whole = proof(bank, bank.rows).chains
    times = sorted({row.time for row in bank.rows})
    upto = times[cut % len(times)] if times else bank.now
    first = prove([row for row in bank.rows if row.time <= upto], None, None).chains
    kept = ChainState.from_json(first.to_json())
    assert kept == first
    assert prove([row for row in bank.rows if row.time > upto], None, None, chains=kept).chains == whole
