"""What a key's window hides of Earn is no missing coin; what it shows of Earn must still be there to the last row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.verify.balance import Snapshot, Stated
from portfolio_sync.verify.proof import State, prove
from portfolio_sync.verify.state import ChainState
from tests.unit.verify.bank import UNIT, Bank, Earn


def in_window(rows: list[LedgerRow], snapshot: Snapshot) -> State:
    return prove(rows, None, snapshot, chains=ChainState(windowed=True)).state


def earning() -> tuple[Bank, list[LedgerRow]]:
    """A bank with 3 BTC in Earn from before the window, and the rows since: a deposit and a reward there."""
    bank = Bank(Earn.WALLETS, named=True)
    bank.book("BTC", 500)
    bank.move("BTC", 300)
    bank.wait()
    before = len(bank.rows)
    bank.book("BTC", 20)
    bank.wait()
    bank.book("BTC", 7, type_="earn", subtype="reward", place="earn")
    return bank, bank.rows[before:]


def test_a_file_that_names_the_wallet_agrees_with_balances_that_have_a_code_for_it() -> None:
    bank, seen = earning()
    spot, earn = bank.has["BTC", "spot"] * UNIT, bank.has["BTC", "earn"] * UNIT
    coded = replace(bank.snapshot(), balances=(Stated("XXBT", "BTC", spot), Stated("XBT.F", "BTC", earn)))
    assert in_window(seen, coded) is State.WINDOWED
    assert (
        in_window([*seen[:-1], replace(seen[-1], amount=seen[-1].amount - UNIT, balance=earn - UNIT)], coded)
        is State.BROKEN
    )


@pytest.mark.parametrize("missing", [False, True])
def test_a_strategy_without_a_row_in_the_window_explains_its_own_amount_and_no_other(missing: bool) -> None:
    bank = Bank(Earn.WALLETS)
    bank.book("BTC", 900)
    bank.has["BTC", "spot"] -= 400  # moved into a bonded strategy before the window
    bank.wait()
    before = len(bank.rows)
    bank.book("BTC", 0, 1)
    bank.move("BTC", 300)
    bank.wait()
    bank.book("BTC", 5)
    total = sum(bank.has["BTC", place] for place in ("spot", "earn")) + 400
    snapshot = replace(
        bank.snapshot(),
        balances=(Stated("XXBT", "BTC", total * UNIT),),
        allocations={"BTC": 700 * UNIT},
        parts={"BTC": [300 * UNIT, 400 * UNIT]},
    )
    seen = bank.rows[before : -1 if missing else None]
    assert in_window(seen, snapshot) is (State.BROKEN if missing else State.WINDOWED)
