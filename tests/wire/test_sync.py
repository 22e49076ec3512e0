"""A sync against the practice exchange, over real HTTP, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

import pytest

from portfolio_sync.core.clock import Stopped
from portfolio_sync.core.instant import from_unix
from portfolio_sync.errors import InvalidKey, OverpoweredKey, PermissionMissing, Unreachable
from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.faults import Fault, Trouble
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sync.coverage import Bounds
from portfolio_sync.sync.reading import Request
from tests.fakes import FakeClock
from tests.wire.conftest import Set, Stage
from tests.wire.truth import assert_same, digits, ledger_here, ledger_there, rows_of

NOW = FakeClock().unix()
FAST = {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}


@cache
def _generated(rows: int) -> Account:
    return generate(5, rows, end=NOW - 7200)


def life(rows: int = 400) -> Account:
    """A realistic account, a fresh copy each time: tests book rows into it."""
    made = _generated(rows)
    return replace(made, ledgers=list(made.ledgers), trades=list(made.trades), balances=dict(made.balances))


def deposit(number: int, at: Decimal) -> Entry:
    fields = {"refid": f"FT{number}", "type": "deposit", "subtype": "", "aclass": "currency", "asset": "ZEUR"}
    return Entry(
        f"LXX{number:03}-AAAAA-BBBBBB", at, fields | {"amount": "1.0000", "fee": "0.0000", "balance": "1.0000"}
    )


def quick(stage: Set, account: Account | None = None, **ways: Any) -> Stage:
    return stage(account or life(), FAST, limited=False, **ways)


def test_every_row_arrives_digit_by_digit(stage: Set) -> None:
    on = quick(stage)
    outcome = on.sync()
    assert outcome.error is None
    assert_same(on.database_url, on.exchange.account)


def test_a_second_run_with_nothing_new_makes_seven_calls_and_writes_no_row(stage: Set) -> None:
    on = quick(stage)
    on.sync()
    before = on.exchange.calls()
    on.clock.time += timedelta(minutes=15)
    outcome = on.sync()
    assert on.exchange.calls() - before <= 7
    assert (outcome.rows_new, outcome.rows_changed, outcome.error) == (0, 0, None)


@pytest.mark.parametrize("tier", ["starter", "intermediate", "pro"])
def test_the_first_run_stays_in_its_budget_and_provokes_no_refusal(stage: Set, tier: str) -> None:
    on = stage(
        life(),
        {"PORTFOLIO_SYNC_EXCHANGE_TIER": tier, "PORTFOLIO_SYNC_SERVICE_LEASE": "3600s"},
        key_facts={"tier": tier, "stepped": True},
        history_cost=4,
    )
    assert on.sync().error is None
    for method, rows in (
        ("Ledgers", len(on.exchange.account.ledgers)),
        ("TradesHistory", len(on.exchange.account.trades)),
    ):
        assert on.exchange.calls(method) <= -(-rows // 50) * 1.03 + 6
    assert {r.outcome for r in on.exchange.requests} == {"ok"}


@pytest.mark.parametrize("killed_at", [3, 7, 10, 14])
def test_a_run_that_dies_goes_on_where_it_stood(stage: Set, killed_at: int) -> None:
    on = quick(stage)
    on.exchange.faults.append(Fault(nth=killed_at, act=on.clock.stop))
    with pytest.raises(Stopped):
        on.sync()
    on.clock.stopped = False
    assert on.sync().error is None
    assert_same(on.database_url, on.exchange.account)
    pages = -(-len(on.exchange.account.ledgers) // 50)
    assert on.exchange.calls("Ledgers") <= pages * 1.03 + 6 + 1


def test_rows_booked_during_the_walk_are_read_by_the_next_run(stage: Set) -> None:
    on = quick(stage)
    numbers = count(1)

    def book() -> None:
        on.clock.time += timedelta(seconds=1)
        on.exchange.book(deposit(next(numbers), on.clock.unix()))

    on.exchange.faults.append(Fault(method="Ledgers", times=1000, act=book))
    assert on.sync().error is None
    on.exchange.faults.clear()
    on.clock.time += timedelta(minutes=1)
    assert on.sync().error is None
    assert_same(on.database_url, on.exchange.account)


def test_a_row_booked_late_far_back_is_found_in_few_calls(stage: Set) -> None:
    on = quick(stage)
    on.sync()
    late = deposit(1, on.exchange.account.ledgers[150].at + Decimal("0.5"))
    assert (
        "ZJPY" not in on.exchange.account.balances
    )  # so it breaks no chain, and only its absence from the count shows it
    on.exchange.book(Entry(late.id, late.at, late.fields | {"asset": "ZJPY", "amount": "0.0000", "balance": "0.0000"}))
    on.clock.time += timedelta(minutes=15)
    before = on.exchange.calls("Ledgers")
    assert on.sync().error is None
    assert on.exchange.calls("Ledgers") - before <= 1 + 2 * 6
    assert_same(on.database_url, on.exchange.account)


def test_a_row_changed_inside_the_overlap_is_written_and_the_old_version_kept(stage: Set) -> None:
    on = quick(stage)
    on.exchange.book(deposit(1, NOW - 600))
    on.sync()
    old = next(row for row in on.exchange.account.ledgers if row.id == deposit(1, NOW).id)
    on.exchange.exchange.replace(Entry(old.id, old.at, old.fields | {"amount": "2.0000", "balance": "2.0000"}))
    on.clock.time += timedelta(minutes=5)
    assert on.sync().rows_changed == 1
    assert_same(on.database_url, on.exchange.account)
    logged = {tuple(row) for row in rows_of(on.database_url, "SELECT row_id, field, old, new FROM change_log")}
    assert logged == {(old.id, "amount", "1.0000", "2.0000"), (old.id, "balance", "1.0000", "2.0000")}


@pytest.mark.parametrize(
    "ways",
    [
        {"miscount": lambda n: n + 5},
        {"miscount": lambda n: n // 2},
        {"miscount": lambda _: None},
        {"camel": False},
        {"absent": frozenset({"GetApiKeyInfo"})},
        {"absent": frozenset({"BalanceEx"})},
        {"paged_status": False},
        {"balance_numbers": True},
        {"fractions": True},
        {"aclass_hides": False},
        {"page_size": 20},
    ],
    ids=lambda ways: next(iter(ways)),
)
def test_servers_differ_and_the_rows_are_the_same(stage: Set, ways: dict[str, Any]) -> None:
    on = quick(stage, **ways)
    assert on.sync().error is None
    assert_same(on.database_url, on.exchange.account)


@pytest.mark.parametrize(
    "trouble", [t for t in Trouble if t not in (Trouble.LOCKOUT, Trouble.UNKNOWN_METHOD, Trouble.NO_RESULT)]
)
def test_every_passing_trouble_is_survived(stage: Set, trouble: Trouble) -> None:
    on = quick(stage)
    on.exchange.faults.extend(Fault(trouble, method, nth=2, times=2) for method in ("Ledgers", "TradesHistory"))
    once = ("BalanceEx", "GetApiKeyInfo", "Time", "DepositStatus")
    on.exchange.faults.extend(Fault(trouble, method) for method in once)
    assert on.sync().error is None
    assert_same(on.database_url, on.exchange.account)
    nonces = [r.nonce for r in on.exchange.requests if r.nonce]
    assert len(nonces) == len(set(nonces))


def test_two_hundred_rows_of_one_instant(stage: Set) -> None:
    account = life()
    at = account.ledgers[200].at
    for number in range(200):
        account.book(deposit(number, at))
    on = quick(stage, account)
    assert on.sync().error is None
    assert_same(on.database_url, on.exchange.account)


def test_an_empty_account(stage: Set) -> None:
    on = quick(stage, Account())
    outcome = on.sync()
    assert (outcome.error, outcome.rows_new) == (None, 0)


def test_a_window_brings_its_rows_and_no_others(stage: Set) -> None:
    on = quick(stage)
    rows = on.exchange.account.ledgers
    start, end = from_unix(rows[100].at), from_unix(rows[250].at)
    on.sync(Request(streams=("ledgers",), bounds=Bounds(start, end)))
    assert ledger_here(on.database_url) == [row for row in ledger_there(on.exchange.account) if start <= row[1] < end]
    on.sync()
    assert_same(on.database_url, on.exchange.account)


@pytest.mark.parametrize("refuses", [False, True])
def test_the_window_of_the_key_clamps_and_nothing_outside_counts_as_covered(stage: Set, refuses: bool) -> None:
    account = life()
    seen_from = int(account.ledgers[200].at)
    on = quick(stage, account, key_facts={"query_from": seen_from}, window_refuses=refuses)
    assert on.sync(Request(bounds=Bounds(from_unix(seen_from - 86400)))).error is None
    assert on.sync().error is None
    assert {row[0] for row in ledger_here(on.database_url)} == {r.id for r in account.ledgers if r.at >= seen_from}
    covered = rows_of(on.database_url, "SELECT min(covered_from) FROM coverage WHERE stream = 'ledgers'")[0][0]
    assert str(covered)[:10] == str(from_unix(seen_from))[:10]
    on.exchange.facts.query_from = 0
    on.clock.time += timedelta(minutes=15)
    assert on.sync().error is None
    assert_same(on.database_url, account)


WRITES = (
    "withdraw-funds",
    "modify-trades",
    "close-trades",
    "add-funds",
    "earn-funds",
    "create-ws-token",
    "something-new",
)


@pytest.mark.parametrize("permission", WRITES)
def test_a_key_that_can_do_more_than_read_syncs_nothing(stage: Set, permission: str) -> None:
    on = quick(stage, key_facts={"permissions": ("query-funds", "query-ledger", permission)})
    outcome = on.sync()
    assert isinstance(outcome.error, OverpoweredKey)
    assert permission in str(outcome.error)
    assert {r.method for r in on.exchange.requests} == {"Time", "GetApiKeyInfo"}
    assert ledger_here(on.database_url) == []


def test_a_missing_permission_costs_its_stream_alone(stage: Set) -> None:
    on = quick(stage, key_facts={"permissions": ("query-ledger", "query-closed-trades")})
    outcome = on.sync()
    assert outcome.error is None
    assert set(outcome.denied) == {"balances", "earn", "deposits"}
    assert "query-funds" in outcome.denied["balances"]
    assert_same(on.database_url, on.exchange.account)


def test_a_stream_asked_for_by_name_must_be_permitted(stage: Set) -> None:
    on = quick(stage, key_facts={"permissions": ("query-ledger",)})
    assert isinstance(on.sync(Request(streams=("balances",))).error, PermissionMissing)
    assert isinstance(on.sync(Request(streams=("trades",))).error, PermissionMissing)


def test_a_wrong_secret_is_asked_once(stage: Set) -> None:
    on = quick(stage)
    on.exchange.facts.secret = "AAAA"
    assert isinstance(on.sync().error, InvalidKey)
    assert on.exchange.calls() == 1


def test_what_was_read_is_kept_when_the_exchange_goes_away(stage: Set) -> None:
    on = quick(stage)
    on.exchange.faults.append(Fault(Trouble.HTML_520, "Ledgers", nth=4, times=10_000))
    assert isinstance(on.sync().error, Unreachable)
    kept = len(ledger_here(on.database_url))
    assert 100 < kept < len(on.exchange.account.ledgers)
    on.exchange.faults.clear()
    assert on.sync().error is None
    assert_same(on.database_url, on.exchange.account)


def test_rows_booked_after_the_exchange_s_clock_was_ahead_are_read(stage: Set) -> None:
    on = quick(stage)
    on.clock.time += timedelta(days=3)
    assert on.sync().proof == "proven"
    on.clock.time -= timedelta(days=2)
    on.exchange.book(deposit(1, on.clock.unix()))
    on.clock.time += timedelta(hours=20)
    assert on.sync().error is None
    assert_same(on.database_url, on.exchange.account)


def test_transfers_and_earn_are_kept_from_day_one(stage: Set) -> None:
    on = quick(stage)
    on.sync()
    account = on.exchange.account
    kept = rows_of(on.database_url, "SELECT direction, refid, txid FROM raw_transfer")
    there = [("deposit", r) for r in account.deposits] + [("withdrawal", r) for r in account.withdrawals]
    assert sorted(map(tuple, kept)) == sorted((direction, r["refid"], r.get("txid") or "") for direction, r in there)
    balances = {row[0]: digits(row[1]) for row in rows_of(on.database_url, "SELECT asset, amount_exact FROM balance")}
    assert balances == account.balances


def test_events_that_a_killed_run_left_out_are_made_up_by_the_next(stage: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    on = quick(stage)
    with monkeypatch.context() as killed:
        killed.setattr("portfolio_sync.tasks.events.refresh_events", interrupted)
        with pytest.raises(KeyboardInterrupt):
            on.sync()
    assert rows_of(on.database_url, "SELECT state FROM proof WHERE asset = '' AND wallet = ''") == [("proven",)]
    assert rows_of(on.database_url, "SELECT id FROM event") == []
    assert on.sync().rows_new == 0
    booked = {
        row_id for (ids,) in rows_of(on.database_url, "SELECT ledger_ids FROM event") for row_id in ids.split(";")
    }
    assert len(booked) > 350
    assert booked <= {row.id for row in on.exchange.account.ledgers}


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt
