"""Every fault at every stage of a sync, over real HTTP, and mixtures of them: some 500 runs.

After each the database equals the truth digit by digit, the proof holds, no nonce came twice, nothing but reads was asked for,
and the calls stay within a budget. SQLite alone: what is at stake is the wire.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from portfolio_sync.core.amount import plain
from portfolio_sync.errors import InvalidKey, LockedOut, PortfolioSyncError, RateLimited, Unreachable
from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.faults import Fault, Trouble
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.store import migrate
from portfolio_sync.store.engine import open_engine
from portfolio_sync.sync import reference
from tests.fakes import FakeClock
from tests.wire.conftest import Stage
from tests.wire.truth import assert_same

NOW = FakeClock().unix()
FAST = {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}
READS = {
    "GetApiKeyInfo", "Ledgers", "TradesHistory", "BalanceEx", "Balance", "Earn/Allocations", "DepositStatus",
    "WithdrawStatus", "Time", "Assets", "AssetPairs",
}  # fmt: skip
PLACES = (
    ("Time", 1), ("GetApiKeyInfo", 1), ("Assets", 1), ("AssetPairs", 1), ("TradesHistory", 1), ("TradesHistory", 2),
    ("Ledgers", 1), ("Ledgers", 2), ("Ledgers", 3), ("Ledgers", 4), ("BalanceEx", 1), ("Earn/Allocations", 1),
    ("DepositStatus", 1), ("WithdrawStatus", 1),
)  # fmt: skip
"""Method and number of the call: the first, one in the middle, the last page, the other asset class."""
PASSING = [t for t in Trouble if t not in (Trouble.LOCKOUT, Trouble.UNKNOWN_METHOD, Trouble.NO_RESULT)]
LASTING: dict[Trouble, type[PortfolioSyncError]] = {
    Trouble.HTML_520: Unreachable,
    Trouble.RESET: Unreachable,
    Trouble.TRUNCATED: Unreachable,
    Trouble.INTERNAL: Unreachable,
    Trouble.UNAVAILABLE: Unreachable,
    Trouble.RATE_LIMIT: RateLimited,
    Trouble.INVALID_NONCE: InvalidKey,
}
RETRIES = 6
"""So many calls one passing fault may cost."""
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"camel": False},
    {"miscount": lambda n: n + 3},
    {"miscount": lambda n: n // 2},
    {"miscount": lambda _: None},
    {"paged_status": False},
    {"balance_numbers": True},
    {"fractions": True},
    {"page_size": 20},
    {"aclass_hides": False},
)


@cache
def generated() -> Account:
    return generate(9, 180, end=NOW - 7200)


Begin = Callable[..., Any]


@pytest.fixture(scope="module")
def begin(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begin]:
    """``with begin(**ways) as stage``: a new exchange and a new database each time."""
    folder = tmp_path_factory.mktemp("faults")
    patch = pytest.MonkeyPatch()
    opened = cache(open_engine)

    def as_anew(*args: Any) -> Engine:
        """An engine that knows nothing of earlier runs but how to compile their statements: a third of each."""
        reference._known.clear()
        return opened(*args)

    patch.setattr(migrate, "open_engine", as_anew)

    @contextmanager
    def made(**ways: Any) -> Iterator[Stage]:
        whole = generated()
        account = replace(whole, ledgers=list(whole.ledgers), trades=list(whole.trades), balances=dict(whole.balances))
        database = folder / "portfolio.db"
        for old in folder.glob("portfolio.db*"):
            old.unlink()
        shutil.copy(sqlite_template, database)
        clock = FakeClock()
        with Sandbox(account, clock=clock.unix, limited=False, **ways) as exchange:
            yield Stage(exchange, f"sqlite:///{database}", folder, clock, FAST)

    yield made
    patch.undo()


def assert_sound(on: Stage) -> None:
    assert_same(on.database_url, on.exchange.account)
    nonces = [request.nonce for request in on.exchange.requests if request.nonce]
    assert nonces == sorted(set(nonces))
    assert {request.method for request in on.exchange.requests} <= READS


@cache
def calls_of_a_clean_run(begin: Begin) -> int:
    with begin() as on:
        assert on.sync().error is None
        return len(on.exchange.requests)


def test_the_places_are_those_that_a_sync_comes_by(begin: Begin) -> None:
    with begin() as on:
        assert on.sync().proof == "proven"
        made = [request.method for request in on.exchange.requests]
    assert all(made.count(method) >= nth for method, nth in PLACES), made
    assert len(PASSING) * len(PLACES) + len(LASTING) * len(METHODS) + SEEDS * EACH >= 500


@pytest.mark.parametrize("trouble", PASSING)
def test_a_passing_fault_at_every_stage(begin: Begin, trouble: Trouble) -> None:
    clean = calls_of_a_clean_run(begin)
    for method, nth in PLACES:
        with begin() as on:
            on.exchange.faults.append(Fault(trouble, method, nth=nth))
            outcome = on.sync()
            assert (outcome.error, outcome.proof) == (None, "proven"), (method, nth)
            assert len(on.exchange.requests) <= clean + RETRIES, (method, nth)
            assert_sound(on)


METHODS = sorted({method for method, _ in PLACES})


@pytest.mark.parametrize("trouble", LASTING)
def test_a_lasting_fault_is_named_keeps_what_was_read_and_the_next_run_completes_it(
    begin: Begin, trouble: Trouble
) -> None:
    for method in METHODS:
        with begin() as on:
            on.exchange.faults.append(Fault(trouble, method, times=10_000))
            outcome = on.sync()
            # names of assets only: without them the rows are whole
            if method in ("Assets", "AssetPairs") and trouble is not Trouble.INVALID_NONCE:
                assert (outcome.error, outcome.proof) == (None, "proven")
                assert any("asset names" in note for note in outcome.notes)
            elif method == "Time" or trouble is not Trouble.INVALID_NONCE:
                assert isinstance(outcome.error, (LASTING[trouble], Unreachable)), (method, outcome.error)
            else:
                assert isinstance(outcome.error, InvalidKey), (method, outcome.error)
            on.exchange.faults.clear()
            on.clock.time += timedelta(hours=1)
            assert on.sync().proof == "proven", method
            assert_sound(on)


def test_a_locked_out_key_is_not_used_for_a_quarter_of_an_hour_by_any_run(begin: Begin) -> None:
    for method, nth in PLACES:
        if method in ("Time", "Assets", "AssetPairs"):
            continue
        with begin() as on:
            on.exchange.faults.append(Fault(Trouble.LOCKOUT, method, nth=nth))
            assert isinstance(on.sync().error, LockedOut), method
            before = on.exchange.calls()
            for _ in range(3):
                on.clock.time += timedelta(minutes=4)
                assert isinstance(on.sync().error, LockedOut), method
            assert on.exchange.calls() == before, method
            on.clock.time += timedelta(minutes=20)
            assert on.sync().proof == "proven", method
            assert_sound(on)


def book_new(on: Stage, number: int) -> None:
    """A deposit of one euro, now."""
    on.clock.time += timedelta(seconds=1)
    balance = Decimal(on.exchange.account.balances["ZEUR"]) + 1
    booked(on, f"LNEW{number:02}-AAAAA-BBBBBB", on.clock.unix(), "ZEUR", "1.0000", plain(balance))
    on.clock.time += timedelta(seconds=1)


def book_late(on: Stage, number: int) -> None:
    """A row far back that moves nothing: only the count of rows shows it."""
    rows = on.exchange.account.ledgers
    booked(on, f"LLATE{number}-AAAAA-BBBBBB", rows[len(rows) // 2].at + Decimal("0.5"), "ZJPY", "0.0000", "0.0000")


def booked(on: Stage, name: str, at: Decimal, asset: str, amount: str, balance: str) -> None:
    fields = {
        "refid": f"FT{name}", "type": "deposit", "subtype": "", "aclass": "currency", "asset": asset, "amount": amount,
        "fee": "0.0000", "balance": balance,
    }  # fmt: skip
    on.exchange.book(Entry(name, at, fields))


SEEDS, EACH = 18, 10


def mixture(on: Stage, chance: Random) -> int:
    """Up to six faults anywhere, rows booked between calls; returns how many faults."""
    troubles = chance.randrange(1, 7)
    for _ in range(troubles):
        method = chance.choice([None, *METHODS])
        on.exchange.faults.append(Fault(chance.choice(PASSING), method, nth=chance.randrange(1, 8)))
    for number in range(chance.randrange(3)):
        book = chance.choice([book_new, book_late])
        place = chance.choice(["Ledgers", "BalanceEx", "TradesHistory"])
        act = lambda book=book, number=number: book(on, number)  # noqa: E731 - bound now, called in the server
        on.exchange.faults.append(Fault(method=place, nth=chance.randrange(1, 4), act=act))
    return troubles


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_mixture_of_faults_ends_in_the_truth(begin: Begin, seed: int) -> None:
    chance = Random(seed)
    clean = calls_of_a_clean_run(begin)
    for number in range(EACH):
        ways = chance.choice(WAYS)
        with begin(**ways) as on:
            faults = mixture(on, chance)
            meddled = any(fault.act for fault in on.exchange.faults)
            first = on.sync()
            assert len(on.exchange.requests) <= 3 * clean + RETRIES * faults, (seed, number)
            on.exchange.faults.clear()
            assert first.error is None, (seed, number, first.error)
            for _ in range(1 + meddled):  # a row booked behind the walk is found by the next run's count
                on.clock.time += timedelta(hours=25)
                last = on.sync()
            assert (last.error, last.proof) == (None, "proven"), (seed, number, ways)
            if "miscount" not in ways:  # a wrong count cannot show a late row that moves nothing
                assert_sound(on)
