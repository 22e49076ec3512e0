"""The made-up account adds up to the last digit, whatever the seed, and holds every kind of row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import groupby, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.catalogue import ASSETS
from portfolio_sync.sandbox.generate import EarnCodes, generate

EVERY_KIND = 1200
ROWS_OF_A_TRADE = {"trade", "margin", "settled"}


def change(row: Entry) -> Decimal:
    return Decimal(row.fields["amount"]) - Decimal(row.fields["fee"])


def chained(before: Decimal, rows: Iterable[Entry]) -> Decimal | None:
    """The balance after the rows in this order; None where one does not follow from the one before."""
    for row in rows:
        before += change(row)
        if before != Decimal(row.fields["balance"]):
            return None
    return before


def ends(account: Account, *, by_wallet: bool) -> dict[tuple[str, str], Decimal]:
    """Walk every chain; the rows of one instant may have been booked in any order."""
    chains: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for row in account.ledgers:
        chains[row.fields["asset"], row.fields["wallet"] if by_wallet else ""].append(row)
    found = {}
    for place, rows in chains.items():
        balance = Decimal(0)
        for _, instant in groupby(rows, key=lambda row: row.at):
            orders = (chained(balance, order) for order in permutations(instant))
            after = next((end for end in orders if end is not None), None)
            assert after is not None, f"{place} breaks at {balance}"
            balance = after
        found[place] = balance
    return found


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32), st.integers(1, 500), st.sampled_from(EarnCodes))
def test_every_balance_follows_from_the_row_before_and_the_last_one_is_balance(
    seed: int, rows: int, codes: EarnCodes
) -> None:
    account = generate(seed, rows, earn_codes=codes)
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for (asset, _), end in ends(account, by_wallet=codes is EarnCodes.WALLETS).items():
        totals[asset] += end
    assert {asset: Decimal(balance) for asset, balance in account.balances.items()} == totals
    assert min(Decimal(row.fields["balance"]) for row in account.ledgers) >= 0
    assert len(account.ledgers) == rows


def test_coins_in_earn_interleave_where_the_api_names_no_wallet() -> None:
    with pytest.raises(AssertionError, match="breaks"):
        ends(generate(1, EVERY_KIND, earn_codes=EarnCodes.WALLETS), by_wallet=False)


def coarse(row: Entry) -> Entry:
    """The row with its fee rounded to the decimals that the asset keeps."""
    keeps = Decimal(1).scaleb(-ASSETS[row.fields["asset"]].decimals)
    return replace(row, fields=row.fields | {"fee": str(Decimal(row.fields["fee"]).quantize(keeps))})


def test_fine_fees_round_to_what_was_taken() -> None:
    account = generate(4, EVERY_KIND, fine_fees=True)
    with pytest.raises(AssertionError, match="breaks"):
        ends(account, by_wallet=False)
    account.ledgers = [coarse(row) for row in account.ledgers]
    assert {asset: Decimal(text) for asset, text in account.balances.items()} == {
        code: end for (code, _), end in ends(account, by_wallet=False).items()
    }


@pytest.fixture(scope="module", params=[1, 2, 3])
def account(request: pytest.FixtureRequest) -> Account:
    return generate(request.param, EVERY_KIND)


def test_every_documented_kind_of_row_occurs(account: Account) -> None:
    kinds = {(row.fields["type"], row.fields["subtype"]) for row in account.ledgers}
    plain = "trade deposit withdrawal transfer margin adjustment rollover spend receive settled credit staking earn dividend sale conversion"
    rare = "nfttrade nftcreatorfee nftrebate custodytransfer hybridearnwithdrawal hybridearndeposit airdrop"
    assert kinds >= {(type_, "") for type_ in (*plain.split(), *rare.split(), "invite bonus")}
    assert kinds >= {
        ("earn", s) for s in ("reward", "allocation", "deallocation", "migration", "airdrop", "delistingconversion")
    }
    moves = ("spottostaking", "stakingfromspot", "stakingtospot", "spotfromstaking", "spottofutures", "spotfromfutures")
    assert kinds >= {("transfer", s) for s in (*moves, "airdrop", "delistingconversion")}
    assert kinds >= {
        ("trade", "tradespot"),
        ("trade", "autoallocation"),
        ("spend", "dustsweeping"),
        ("receive", "dustsweeping"),
    }
    assert kinds >= {("reward", "invitebonus"), ("deposit", "airdrop")}


def test_a_trade_names_its_ledger_rows_and_they_name_it(account: Account) -> None:
    rows = {row.id: row for row in account.ledgers}
    named = {ledger: trade.id for trade in account.trades for ledger in trade.fields["ledgers"]}
    assert {row.id: row.fields["refid"] for row in account.ledgers if row.fields["type"] in ROWS_OF_A_TRADE} == named
    assert all(
        trade.at <= rows[ledger].at < trade.at + Decimal("0.01")
        for trade in account.trades
        for ledger in trade.fields["ledgers"]
    )


def test_the_legs_of_a_spot_fill_are_its_volume_and_its_cost(account: Account) -> None:
    rows = {row.id: row.fields for row in account.ledgers}
    for trade in account.trades:
        legs = [rows[ledger] for ledger in trade.fields["ledgers"]]
        if legs[0]["type"] == "trade" and len(legs) > 1:
            sign = 1 if trade.fields["type"] == "buy" else -1
            quote, base = legs[0], legs[1]
            assert Decimal(base["amount"]) == sign * Decimal(trade.fields["vol"])
            assert abs(Decimal(quote["amount"]) + sign * Decimal(trade.fields["cost"])) < Decimal("0.0001")


def test_fees_lie_on_either_leg_on_both_and_in_credits(account: Account) -> None:
    rows = {row.id: row.fields for row in account.ledgers}
    shapes = set()
    for trade in account.trades:
        legs = [rows[ledger] for ledger in trade.fields["ledgers"]]
        if legs[0]["type"] == "trade":
            shapes.add(tuple(Decimal(leg["fee"]) > 0 for leg in legs))
    assert shapes >= {(True, False), (False, True), (True, True), (False, False, True), (False,)}


def test_a_reversal_repeats_the_refid_and_gives_the_fee_back(account: Account) -> None:
    reversals = [row for row in account.ledgers if Decimal(row.fields["fee"]) < 0]
    assert {row.fields["type"] for row in reversals} == {"deposit", "withdrawal"}
    for row in reversals:
        first = next(r for r in account.ledgers if r.fields["refid"] == row.fields["refid"])
        assert change(first) == -change(row)


def test_awkward_rows_are_there(account: Account) -> None:
    seconds: dict[int, int] = defaultdict(int)
    refids = defaultdict(set)
    for row in account.ledgers:
        seconds[int(row.at)] += 1
        refids[row.fields["refid"]].add((row.fields["type"], row.fields["aclass"]))
    assert max(seconds.values()) >= 60
    assert ("earn", "currency") in refids["Unknown"]
    assert any({"currency", "tokenized_asset"} <= {aclass for _, aclass in kinds} for kinds in refids.values())
    swapped = {
        row.fields["refid"]
        for row in account.ledgers
        if row.fields["asset"] in ("XREP", "REPV2") and row.fields["type"] == "adjustment"
    }
    assert len(swapped) == 2


def test_times_have_the_decimals_of_their_years(account: Account) -> None:
    decimals = {(int(row.at) // 31556952 + 1970, -int(row.at.as_tuple().exponent)) for row in account.ledgers}
    assert {(2014, 7), (2019, 4), (2026, 6)} <= decimals


def test_status_rows_are_recent_and_name_ledger_rows(account: Account) -> None:
    refids = {row.fields["refid"] for row in account.ledgers}
    rows = [*account.deposits, *account.withdrawals]
    assert rows
    assert all(row["refid"] in refids and row["txid"] for row in rows)
    assert min(row["time"] for row in rows) >= 1793491200 - 90 * 86400
    assert any(row.get("status-prop") == "canceled" for row in account.withdrawals)


@pytest.mark.parametrize("codes", list(EarnCodes))
def test_allocations_are_what_the_earn_rows_add_up_to(codes: EarnCodes) -> None:
    account = generate(5, EVERY_KIND, earn_codes=codes)
    stems = {ASSETS[code].altname: code for code in ("DOT", "SOL", "ADA", "XETH", "XXBT", "USDC", "USDT")}
    for item in account.allocations:
        total = Decimal(item["amount_allocated"]["total"]["native"])
        altname = item["native_asset"]
        code = stems[altname]
        if codes is EarnCodes.SUFFIX:
            assert total == sum(
                Decimal(v) for k, v in account.balances.items() if k in (f"{altname}.B", f"{altname}.F")
            )
        elif codes is EarnCodes.WALLETS:
            assert total == sum(
                change(r)
                for r in account.ledgers
                if r.fields["asset"] == code and r.fields["wallet"].startswith("earn")
            )
        else:
            assert 0 <= total <= Decimal(account.balances[code])
    assert account.allocations


def test_equal_seeds_give_equal_accounts_and_ids_are_never_used_twice() -> None:
    account = generate(7, 3000)
    assert account == generate(7, 3000)
    assert account.ledgers != generate(8, 3000).ledgers
    assert len({row.id for row in (*account.ledgers, *account.trades)}) == len(account.ledgers) + len(account.trades)


def test_a_saved_account_loads_as_it_was(tmp_path: Path) -> None:
    account = generate(9, 100)
    account.save(tmp_path / "account.json")
    assert Account.load(tmp_path / "account.json") == account
