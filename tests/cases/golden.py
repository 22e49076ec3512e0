"""A golden case through the pure path: transactions -> events -> values -> matching, and the comparison its README defines."""

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
from portfolio_sync.core.transaction import Transaction
from portfolio_sync.normalize.transactions import to_event
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profile import Profile, with_settings
from portfolio_sync.tax.profiles import GENERIC
from portfolio_sync.tax.result import Computation

DATA = Path(__file__).parent / "data"
NUMBERS = ("amount", "value", "counter_amount", "counter_value", "fee", "fee_value", "cost", "portfolio_value")
INSTANTS = ("time", "acquired")
EXACT = {"amount"}  # unit counts; every other number is money with the case's tolerance
MONEY = {"proceeds", "cost", "gain", "value", "denied_loss"}

Row = dict[str, Any]
Sums = dict[tuple[Any, ...], dict[str, Decimal]]


def case(name: str) -> Row:
    loaded: Row = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def names(*methods: str) -> list[str]:
    return [path.stem for path in sorted(DATA.glob("*.json")) if case(path.stem)["method"] in methods]


def transaction(row: Mapping[str, Any]) -> Transaction:
    fields = dict(row) | {name: Decimal(row[name]) for name in NUMBERS if row.get(name) is not None}
    fields |= {name: parse_iso(row[name]) for name in INSTANTS if row.get(name)}
    fields["lots"] = tuple((lot["lot"], Decimal(lot["amount"])) for lot in row.get("lots", ()))
    return Transaction(**fields | {"kind": Kind(row["kind"])})


def profile_of(found: Row) -> Profile:
    text = {
        key: str(value).lower() if isinstance(value, bool) else value for key, value in found["conventions"].items()
    }
    return with_settings(GENERIC, {"currency": found["currency"], "method": found["method"], **text})


def run(found: Row) -> Computation:
    profile = profile_of(found)
    lookup = Lookup(PriceTable(), profile.currency)
    valued = value_all([to_event(transaction(row), "case") for row in found["transactions"]], lookup)
    return compute(valued.events, profile, Options(), lookup)


def disposals(result: Computation) -> list[Row]:
    return [
        {
            "asset": d.asset, "amount": d.quantity, "disposed": d.disposed_at, "tx": d.disposed_ids[0], "event": d.kind, "lot": d.acquired_ids[0],
            "acquired": d.acquired_at, "match": d.rule, "matched_date": d.matched_date, "proceeds": d.proceeds, "cost": d.cost, "gain": d.gain,
            "term": d.term, "denied_loss": d.denied_loss or ZERO,
        }
        for d in result.disposals
    ]  # fmt: skip


def remaining(result: Computation) -> list[Row]:
    return [
        {"asset": lot.origin.asset, "amount": lot.quantity, "cost": lot.cost, "lot": lot.origin.ids[0], "wallet": lot.wallet}
        for lot in result.lots
    ]  # fmt: skip


def income(result: Computation) -> list[Row]:
    return [{"asset": i.asset, "amount": i.quantity, "value": i.value, "tx": i.ids[0]} for i in result.income]


def expected(rows: Iterable[Row]) -> list[Row]:
    readers: dict[str, Callable[[str], Any]] = dict.fromkeys(EXACT | MONEY, Decimal) | dict.fromkeys(
        ("disposed", "acquired"), parse_iso
    )
    return [{key: readers.get(key, str)(value) for key, value in row.items()} for row in rows]


def summed(rows: Iterable[Row], keys: tuple[str, ...]) -> Sums:
    """Rows with equal listed keys as one."""
    sums: Sums = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in rows:
        for field in (EXACT | MONEY) & row.keys():
            sums[tuple(row[key] for key in keys)][field] += row[field]
    return sums


def compare(got: list[Row], want: list[Row], tolerance: Decimal) -> None:
    """Complete: nothing else may appear. Only listed fields are compared; rows that list more are looked for first."""
    shapes: dict[frozenset[str], list[Row]] = defaultdict(list)
    for row in want:
        shapes[frozenset(row)].append(row)
    left = got
    for shape, rows in sorted(shapes.items(), key=lambda item: (-len(item[0]), sorted(item[0]))):
        keys = tuple(sorted(shape - EXACT - MONEY))
        wanted = summed(rows, keys)
        mine = [row for row in left if tuple(row[key] for key in keys) in wanted]
        left = [row for row in left if row not in mine]
        same(summed(mine, keys), wanted, tolerance)
    assert not left


def same(found: Sums, wanted: Sums, tolerance: Decimal) -> None:
    assert found.keys() == wanted.keys()
    for key, fields in wanted.items():
        for field, number in fields.items():
            allowed = ZERO if field in EXACT else tolerance
            assert abs(found[key][field] - number) <= allowed, (key, field, found[key][field], number)
