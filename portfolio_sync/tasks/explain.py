"""One figure down to its raw rows: gain -> lots -> events -> ledger rows, and the price with its source and instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import or_

from portfolio_sync.app import App
from portfolio_sync.core.amount import shortest
from portfolio_sync.errors import UsageError
from portfolio_sync.store import schema
from portfolio_sync.store.engine import reading
from portfolio_sync.tasks.trace import (
    Node,
    Telling,
    event_node,
    events_of,
    facts,
    ids_in,
    ledger_nodes,
    like,
    trade_nodes,
)

KINDS = (
    "a row of disposals.csv, income.csv, open_lots.csv or findings.csv, a holding (ASSET@WALLET), an event, "
    "a ledger row, a trade, an order, a refid, or an imported transaction"
)
DRAWS_SHOWN = 50  # disposals of one lot that are listed


def explain(app: App, name: str) -> list[Node]:
    """All that is stored under the id, mostly one thing. Raises UsageError for an id that nothing has."""
    with reading(app.engine) as connection:
        told = Telling(connection)
        for finder in FINDERS:
            if found := list(finder(told, name)):
                return found
    raise UsageError(f"nothing is stored under {name!r}; explain takes the id of {KINDS}")


# --- figures of reports ----------------------------------------------------------------------------------------------

DISPOSAL = (
    "taxpayer account kind asset quantity acquired_at disposed_at proceeds cost gain denied_loss currency term rule matched_date tax_year "
    "acquired_id disposed_id"
)
INCOME = "taxpayer account time asset quantity value currency income_type tax_year"
LOT = "taxpayer account asset acquired_at quantity remaining cost currency"
HOLDING = "taxpayer account symbol quantity cost value unrealised currency priced_at"


def run_node(told: Telling, run_id: int) -> Node:
    r = schema.report_row
    (row,) = told.rows(r, r.c.run_id == run_id)
    return Node("report", str(run_id), facts(row, "taxpayer profile method year input_seq input_digest created_at"))


def group(kind: str, below: Iterable[Node]) -> Node:
    found = tuple(below)
    return Node(kind, "", {"events": len(found)}, found)


def disposals(told: Telling, name: str) -> Iterator[Node]:
    d = schema.disposal_row
    if row := told.newest(d, d.c.id == name):
        sold = group("disposed by", events_of(told, ids_in(row["disposed_id"])))
        lots = group("lot acquired by", events_of(told, ids_in(row["acquired_id"])))
        parts = (sold, lots) if row["acquired_id"] else (sold,)
        yield Node("disposal", name, facts(row, DISPOSAL), (*parts, run_node(told, row["run_id"])), sum_of(row))


def sum_of(row: Mapping[str, Any]) -> str:
    if row["gain"] is None:
        missing = [part for part in ("proceeds", "cost") if row[part] is None]
        return f"no gain: {' and '.join(missing)} not known"
    denied = f" + denied loss {shortest(row['denied_loss'])}" if row["denied_loss"] else ""
    pooled = "" if row["acquired_id"] else f"; the cost is that of the pool by the rule {row['rule']}"
    return f"gain {shortest(row['gain'])} = proceeds {shortest(row['proceeds'])} - cost {shortest(row['cost'])}{denied}{pooled}"


def incomes(told: Telling, name: str) -> Iterator[Node]:
    i = schema.income_row
    if row := told.newest(i, i.c.id == name):
        events = told.rows(schema.event_row, schema.event_row.c.id == row["event_id"])
        below = (event_node(told, event) for event in events)
        yield Node("income", name, facts(row, INCOME), (*below, run_node(told, row["run_id"])))


def lots(told: Telling, name: str) -> Iterator[Node]:
    lot = schema.lot_row
    if row := told.newest(lot, lot.c.id == name):
        events = told.rows(schema.event_row, schema.event_row.c.id == row["event_id"])
        came = [event_node(told, event) for event in events]
        went = draws(told, row["run_id"], {part for event in events for part in ids_in(event["ledger_ids"])})
        yield Node("open lot", name, facts(row, LOT), (*came, *went, run_node(told, row["run_id"])))


def draws(told: Telling, run_id: int, ids: set[str]) -> Iterator[Node]:
    """What the run's disposals took of the lot."""
    d = schema.disposal_row
    near = or_(*(d.c.acquired_id.like(f"%{like(name)}%", escape="!") for name in sorted(ids)))
    rows = told.rows(d, d.c.run_id == run_id, near, order=[d.c.disposed_at, d.c.id]) if ids else []
    for row in [row for row in rows if ids & set(ids_in(row["acquired_id"]))][:DRAWS_SHOWN]:
        yield Node("drawn on by disposal", row["id"], facts(row, "disposed_at kind quantity cost disposed_id"))


def holdings(told: Telling, name: str) -> Iterator[Node]:
    """``ASSET@WALLET``: what the newest report ends with there."""
    asset, at, wallet = name.partition("@")
    h, lot = schema.holding_row, schema.lot_row
    if at and (row := told.newest(h, h.c.symbol == asset, h.c.account == wallet)):
        mine = told.rows(lot, lot.c.run_id == row["run_id"], lot.c.asset == asset, order=[lot.c.acquired_at, lot.c.id])
        below = [Node("open lot of the asset", one["id"], facts(one, LOT)) for one in mine]
        places = told.rows(h, h.c.run_id == row["run_id"], h.c.symbol == asset, order=[h.c.account])
        words = places_of(places) if len(places) > 1 else ""
        yield Node("holding", name, facts(row, HOLDING), (*below, run_node(told, row["run_id"])), words)


def places_of(places: Iterable[Mapping[str, Any]]) -> str:
    """What the lots below add up to, where they lie in several wallets."""
    held = " + ".join(f"{shortest(place['quantity'])} in {place['account']}" for place in places)
    return f"the lots below are those of every wallet, {held}: the column wallet of open_lots.csv says which lie here"


def findings(told: Telling, name: str) -> Iterator[Node]:
    f = schema.finding_row
    for row in told.rows(f, f.c.id == name, order=[f.c.scope])[:1]:
        ids = ids_in(row["source_id"])[:DRAWS_SHOWN]
        below = events_of(told, ids) or list(ledger_nodes(told, ids))
        yield Node("finding", name, facts(row, "account severity code message time"), tuple(below))


def events(told: Telling, name: str) -> Iterator[Node]:
    for row in told.rows(schema.event_row, schema.event_row.c.id == name):
        yield event_node(told, row)


def rows(told: Telling, name: str) -> Iterator[Node]:
    """A ledger row or imported transaction, and what it became."""
    for node in ledger_nodes(told, [name]):
        became = [
            Node(event.kind, event.id, event.facts, tuple(part for part in event.parts if part.id != name))
            for event in events_of(told, [name])
            if event.facts["account"] == node.facts["account"]
        ]
        yield Node(node.kind, node.id, node.facts, (*node.parts, *became))


def trades(told: Telling, name: str) -> Iterator[Node]:
    yield from trade_nodes(told, schema.raw_trade.c.id == name)


def orders(told: Telling, name: str) -> Iterator[Node]:
    if found := tuple(trade_nodes(told, schema.raw_trade.c.order_id == name)):
        yield Node("order", name, {"trades": len(found)}, found)


def refids(told: Telling, name: str) -> Iterator[Node]:
    r = schema.raw_ledger.c
    ids = [row["id"] for row in told.rows(schema.raw_ledger, r.refid == name, order=[r.time, r.id])]
    if ids and name:
        below = events_of(told, ids) or list(ledger_nodes(told, ids))
        yield Node("refid", name, {"ledger_rows": len(ids)}, tuple(below))


FINDERS: tuple[Callable[[Telling, str], Iterator[Node]], ...] = (
    disposals, incomes, lots, holdings, events, findings, rows, trades, orders, refids,
)  # fmt: skip
