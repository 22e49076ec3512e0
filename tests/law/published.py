"""A published case through the pure road: transactions -> events -> values -> matches -> rows, and the comparison its README defines.

The data lie in tests/cases/data; where each comes from is in its ``source``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.event import Kind
from portfolio_sync.core.instant import parse_iso
from portfolio_sync.normalize.transactions import Transaction, to_event
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.report.table import cell
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profile import Profile, with_settings
from portfolio_sync.tax.profiles import GENERIC
from portfolio_sync.tax.result import Computation, Disposal

DATA = Path(__file__).parent.parent / "cases" / "data"
NAMES = sorted(path.stem for path in DATA.glob("*.json"))
NUMBERS = ("amount", "value", "counter_amount", "counter_value", "fee", "fee_value", "cost", "portfolio_value")
INSTANTS = ("time", "acquired")
EXACT = {"amount"}  # unit counts; every other number is money with the case's tolerance
MONEY = {"proceeds", "cost", "gain", "value", "denied_loss"}

Row = dict[str, Any]


def case(name: str) -> Row:
    loaded: Row = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def transaction(row: Mapping[str, Any]) -> Transaction:
    fields = dict(row) | {name: Decimal(row[name]) for name in NUMBERS if row.get(name) is not None}
    fields |= {name: parse_iso(row[name]) for name in INSTANTS if row.get(name)}
    fields["lots"] = tuple((lot["lot"], Decimal(lot["amount"])) for lot in row.get("lots", ()))
    return Transaction(**fields | {"kind": Kind(row["kind"])})


def conventions(found: Row) -> Profile:
    """What the case asks for, by the words of ``--set``."""
    text = {
        key: cell(value).lower() if value in (True, False) else value for key, value in found["conventions"].items()
    }
    return with_settings(GENERIC, {"currency": found["currency"], "method": found["method"], **text})


def figures(transactions: Iterable[Transaction], profile: Profile) -> Computation:
    lookup = Lookup(PriceTable(), profile.currency)
    return compute(value_all([to_event(t, "case") for t in transactions], lookup).events, profile, Options(), lookup)


def run(found: Row, profile: Profile | None = None) -> Computation:
    return figures(map(transaction, found["transactions"]), profile or conventions(found))


def holds(name: str, profile: Profile | None = None) -> None:
    """Asserts all that the case expects, by its own conventions or under ``profile``."""
    found = case(name)
    result, want, tolerance = run(found, profile), found["expected"], Decimal(found["tolerance"])
    codes = {finding.code for finding in result.findings} - {"wallet_short"}  # some name their wallets freely
    assert (want.get("error") in codes) if "error" in want else not codes, codes
    for part, rows_of in PARTS.items():
        if part in want:
            compare(rows_of(result), expected(want[part]), tolerance)
    compare_totals(result, want.get("totals", {}), tolerance)


def disposals(result: Computation) -> list[Row]:
    return [
        {
            "asset": d.asset, "amount": d.quantity, "disposed": when(d), "tx": d.disposed_ids[0], "event": d.kind,
            "lot": ";".join(d.acquired_ids), "acquired": d.acquired_at, "match": d.rule, "matched_date": d.matched_date,
            "proceeds": d.proceeds, "cost": d.cost, "gain": d.gain, "term": d.term, "denied_loss": d.denied_loss or ZERO,
        }
        for d in result.disposals
    ]  # fmt: skip


def when(row: Disposal) -> object:
    return row.disposed_on.isoformat() if row.by_day else row.disposed_at


def remaining(result: Computation) -> list[Row]:
    return [
        {
            "asset": lot.origin.asset, "amount": lot.quantity, "cost": lot.cost, "lot": ";".join(lot.origin.ids),
            "wallet": lot.wallet,
        }
        for lot in result.lots
    ]  # fmt: skip


def income(result: Computation) -> list[Row]:
    return [{"asset": i.asset, "amount": i.quantity, "value": i.value, "tx": i.ids[0]} for i in result.income]


PARTS: dict[str, Callable[[Computation], list[Row]]] = {
    "disposals": disposals,
    "remaining": remaining,
    "income": income,
}


def expected(rows: Iterable[Row]) -> list[Row]:
    readers: dict[str, Callable[[str], Any]] = dict.fromkeys(EXACT | MONEY, Decimal) | {"acquired": parse_iso}
    readers["disposed"] = lambda text: text if len(text) == len("2018-03-31") else parse_iso(text)
    return [{key: readers.get(key, str)(value) for key, value in row.items()} for row in rows]


def summed(rows: Iterable[Row], keys: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, Decimal]]:
    """Rows with equal listed keys as one."""
    sums: dict[tuple[Any, ...], dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in rows:
        for field in (EXACT | MONEY) & row.keys():
            sums[tuple(row[key] for key in keys)][field] += row[field]
    return sums


def compare(got: list[Row], want: list[Row], tolerance: Decimal) -> None:
    """Complete by the fields that all rows list: nothing else may appear. Rows that list more are compared by all of theirs."""
    if not want:
        assert not got
        return
    common = set.intersection(*(set(row) for row in want))
    assert agree(got, want, common, tolerance) == keys_of(got, common)
    for shape in {frozenset(row) for row in want} - {frozenset(common)}:
        agree(got, [row for row in want if shape == set(row)], set(shape), tolerance)


def keys_of(rows: Iterable[Row], listed: set[str]) -> set[tuple[Any, ...]]:
    return set(summed(rows, tuple(sorted(listed - EXACT - MONEY))))


def agree(got: list[Row], want: list[Row], listed: set[str], tolerance: Decimal) -> set[tuple[Any, ...]]:
    """Asserts the numbers listed; returns the keys that were wanted."""
    keys = tuple(sorted(listed - EXACT - MONEY))
    found, wanted = summed(got, keys), summed(want, keys)
    for key, fields in wanted.items():
        assert key in found, key
        for field in fields.keys() & listed:
            allowed = ZERO if field in EXACT else tolerance
            assert abs(found[key][field] - fields[field]) <= allowed, (key, field, found[key][field], fields[field])
    return set(wanted)


def compare_totals(result: Computation, want: Mapping[str, Any], tolerance: Decimal) -> None:
    totals: dict[str, Decimal] = {line.item: line.amount for line in result.summary if not line.asset}
    years: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in result.disposals:
        years[str(row.disposed_at.year)] += row.gain or ZERO
    for item, number in want.items():
        pairs = [(years[y], n) for y, n in number.items()] if isinstance(number, dict) else [(totals[item], number)]
        assert all(abs(got - Decimal(n)) <= tolerance for got, n in pairs), (item, pairs)
