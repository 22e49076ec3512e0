"""A row or an event with all that it rests on, as a tree that is read from the top: events, raw rows, their changes, prices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, or_, select

from portfolio_sync.core.amount import shortest
from portfolio_sync.core.instant import iso, parse_iso
from portfolio_sync.store import schema
from portfolio_sync.store.records import rows_named

# "kraken:trades BTC/USD 2024-01-01T00:00:00Z", the words of pricing.quote
PRICE = re.compile(r"(?:1/)?(?P<source>.+) (?P<symbol>\S+)/(?P<currency>\S+) (?P<time>\d{4}-\S+Z)(?: by price)?")


@dataclass(frozen=True, slots=True)
class Node:
    """One thing with its figures, and under it what they rest on. ``facts`` are in the order in which they are read."""

    kind: str
    id: str
    facts: Mapping[str, Any]
    parts: tuple[Node, ...] = ()
    words: str = ""
    """How the figures follow from the parts."""

    def document(self) -> dict[str, Any]:
        said = {"what": self.kind, "id": self.id, **self.facts}
        if self.words:
            said["how"] = self.words
        return said | ({"parts": [part.document() for part in self.parts]} if self.parts else {})

    def lines(self, depth: int = 0) -> Iterator[str]:
        facts = ", ".join(f"{name} {shown(value)}" for name, value in self.facts.items() if value not in (None, "", {}))
        yield f"{'  ' * depth}{self.kind} {self.id}: {facts}" if self.id else f"{'  ' * depth}{self.kind}: {facts}"
        if self.words:
            yield f"{'  ' * depth}  = {self.words}"
        for part in self.parts:
            yield from part.lines(depth + 1)


def shown(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    return shortest(value) if isinstance(value, Decimal) else str(value)


@dataclass(slots=True)
class Telling:
    """One explanation: what it looks up, and which accounts there are (id -> name)."""

    connection: Connection
    accounts: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        a = schema.account.c
        self.accounts = {row.id: row.name for row in self.connection.execute(select(a.id, a.name))}

    def rows(self, table: Table, *where: Any, order: Iterable[Any] = ()) -> list[dict[str, Any]]:
        query = select(table).where(*where).order_by(*order)
        return [dict(row) for row in self.connection.execute(query).mappings()]

    def newest(self, table: Table, *where: Any) -> dict[str, Any] | None:
        """The row of the newest report run."""
        found = self.rows(table, *where, order=[table.c.run_id.desc()])
        return found[0] if found else None


def facts(row: Mapping[str, Any], names: str) -> dict[str, Any]:
    """Figures as reports print them."""
    found = {name: row[name] for name in names.split()}
    return {name: shortest(value) if isinstance(value, Decimal) else value for name, value in found.items()}


def ids_in(text: str | None) -> list[str]:
    return [part for part in (text or "").split(";") if part]


# --- raw rows --------------------------------------------------------------------------------------------------------

LEDGER = "time time_text refid type subtype aclass asset symbol wallet amount fee balance source extra"
TRADE = "time time_text order_id position_id pair base quote side order_type price cost fee volume margin misc maker ledgers source extra"
TRANSACTION = (
    "time kind asset amount value counter_asset counter_amount counter_value fee fee_asset fee_value wallet to_wallet income_type cost "
    "acquired lots portfolio_value currency note"
)


def raw(told: Telling, kind: str, table: Table, row: Mapping[str, Any], names: str) -> Node:
    """A stored row as it came: from where, when first, and what of it changed since."""
    r = schema.sync_run.c
    run = told.connection.execute(select(r.kind, r.started_at).where(r.seq == row["seq"])).one_or_none()
    seen = {"account": told.accounts[row["account_id"]]} | {name: row[name] for name in names.split()}
    seen |= {
        "first_seen": run.started_at if run else None,
        "first_seen_by": f"{run.kind if run else 'run'} {row['seq']}",
    }
    return Node(kind, row["id"], seen, tuple(changes(told, table, row)))


def changes(told: Telling, table: Table, row: Mapping[str, Any]) -> Iterator[Node]:
    c = schema.change_row.c
    where = c.account_id == row["account_id"], c.table_name == table.name, c.row_id == row["id"]
    for change in told.rows(schema.change_row, *where, order=[c.id]):
        yield Node("changed", "", facts(change, "field old new seen_at seq"))


def ledger_nodes(told: Telling, ids: Iterable[str]) -> Iterator[Node]:
    for name in ids:
        for row in told.rows(schema.raw_ledger, schema.raw_ledger.c.id == name):
            yield raw(told, "ledger row", schema.raw_ledger, row, LEDGER)
        for row in told.rows(schema.raw_transaction, schema.raw_transaction.c.id == name):
            yield raw(told, "imported transaction", schema.raw_transaction, row, TRANSACTION)


def trade_nodes(told: Telling, where: Any) -> Iterator[Node]:
    t = schema.raw_trade.c
    for row in told.rows(schema.raw_trade, where, order=[t.time, t.id]):
        node = raw(told, "trade", schema.raw_trade, row, TRADE)
        booked = rows_named(told.connection, [row["account_id"]], [row["id"]])[row["id"]]
        under = events_of(told, booked) or list(ledger_nodes(told, booked))
        yield Node(node.kind, node.id, node.facts, (*node.parts, *under))


# --- events and prices -----------------------------------------------------------------------------------------------

EVENT = (
    "account time kind asset quantity counter_asset counter_quantity fee_asset fee_quantity value currency price_source"
)


def events_of(told: Telling, ids: Iterable[str]) -> list[Node]:
    """The events that speak of these rows, each once."""
    e = schema.event_row.c
    found: dict[str, dict[str, Any]] = {}
    for name in ids:
        near = or_(e.ledger_ids == name, e.ledger_ids.like(f"%{like(name)}%", escape="!"))
        for row in told.rows(schema.event_row, near, order=[e.time]):
            if name in ids_in(row["ledger_ids"]):
                found[row["id"]] = row
    return [event_node(told, row) for row in found.values()]


def like(text: str) -> str:
    return re.sub(r"([%_!])", r"!\1", text)


def event_node(told: Telling, row: Mapping[str, Any]) -> Node:
    below = (*price_nodes(told, row["price_source"]), *ledger_nodes(told, ids_in(row["ledger_ids"])))
    return Node("event", row["id"], facts(row, EVENT), below)


def price_nodes(told: Telling, source: str | None) -> Iterator[Node]:
    """The rows of the price table that a value names; ``own leg`` and ``stated`` name none."""
    p = schema.price_row.c
    for part in re.split(r" \* |; ", source or ""):
        if named := PRICE.fullmatch(part):
            where = [p[name] == named[name] for name in ("symbol", "currency", "source")]
            known = told.rows(schema.price_row, *where, p.time == parse_iso(named["time"]), order=[p.fetched_at])
            for row in known[-1:]:
                older = [f"{shortest(old['rate'])} until {iso(row['fetched_at'])}" for old in known[:-1]]
                seen = facts(row, "symbol currency rate source time fetched_at") | {"corrected_from": "; ".join(older)}
                yield Node("price", "", seen)
