"""Stored rows as the typed rows that verification and tax read: streamed, in order, exact.

A frozen input is "all rows up to sequence n": rows that came later are left out, rows that changed later are put back to
what they said then, from the change log.
"""

# ruff: noqa: S608 - names in SQL text come from schema.py; every value is bound

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import chain, count
from operator import itemgetter
from sys import intern
from typing import Any, Generic

from sqlalchemy import Connection, Table, select

from portfolio_sync.core.instant import EPOCH, iso, parse_iso
from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.stored import R, Raw, Stored
from portfolio_sync.store.bulk import batches, driver, quoted
from portfolio_sync.store.engine import is_sqlite
from portfolio_sync.store.schema import account, change_row, raw_ledger, raw_trade
from portfolio_sync.store.types import ExactDecimal, UtcDateTime, checked_instant

FETCH = 8_192  # rows held at once, and a trip to the server
Make = Callable[[Any], R]
_cursors = count()


@dataclass(frozen=True, slots=True)
class Source(Generic[R]):
    """``maker(account name, instant, number)`` gives the function that makes a typed row of a stored one."""

    table: Table
    kind: type[R]
    maker: Callable[[str, Callable[[Any], datetime], Callable[[Any], Decimal]], Make[R]]

    @property
    def columns(self) -> list[str]:
        return [field.name for field in fields(self.kind) if field.name != "account"]


def ledger_rows(
    connection: Connection,
    account_id: int,
    since: datetime | None = None,
    before: datetime | None = None,
    types: Collection[str] = (),
    limit: int | None = None,
    *,
    upto_seq: int | None = None,
) -> Iterator[LedgerRow]:
    """The account's ledger by (time, id), in bounded memory. ``upto_seq``: as it stood after that run.

    Those from ``since`` on and older than ``before``, of some ``types`` only, the first ``limit``.
    """
    part = {"since": since, "before": before, "types": types, "limit": limit, "upto_seq": upto_seq}
    return _stream(connection, LEDGER, account_id, **part)


def trade_rows(connection: Connection, account_id: int, *, upto_seq: int | None = None) -> Iterator[TradeRow]:
    """The account's fills by (time, id), in bounded memory. ``upto_seq``: as they stood after that run."""
    return _stream(connection, TRADE, account_id, upto_seq=upto_seq)


def span(connection: Connection, source: Source[Any], account_id: int) -> tuple[datetime, datetime] | None:
    """The times of the first and the last row; None where there is none."""
    time, mine = source.table.c.time, source.table.c.account_id == account_id
    ends = [connection.scalar(select(time).where(mine).order_by(o).limit(1)) for o in (time, time.desc())]
    return (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None


def newest_ledger_time(connection: Connection, account_id: int) -> datetime | None:
    times = select(raw_ledger.c.time).where(raw_ledger.c.account_id == account_id)
    return connection.scalar(times.order_by(raw_ledger.c.time.desc()).limit(1))


def _ledger(account: str, instant: Callable[[Any], datetime], number: Callable[[Any], Decimal]) -> Make[LedgerRow]:
    # a million rows share a few hundred words: one string for each; the legs of a trade follow each other
    last_time: Any = None
    last_refid, at = "", EPOCH

    def make(row: Any) -> LedgerRow:
        nonlocal last_time, last_refid, at
        id_, refid, time, type_, subtype, aclass, asset, symbol, wallet, amount, fee, balance, source = row
        if time != last_time:
            last_time, at = time, instant(time)
        if refid != last_refid:
            last_refid = refid
        return LedgerRow(
            account, id_, last_refid, at, intern(type_), intern(subtype), intern(aclass), intern(asset),
            intern(symbol), intern(wallet), number(amount), number(fee), number(balance), intern(source),
        )  # fmt: skip

    return make


def _trade(account: str, instant: Callable[[Any], datetime], number: Callable[[Any], Decimal]) -> Make[TradeRow]:
    def make(row: Any) -> TradeRow:
        (
            id_,
            order,
            position,
            time,
            pair,
            base,
            quote,
            side,
            order_type,
            price,
            cost,
            fee,
            volume,
            margin,
            misc,
            ledgers,
        ) = row
        return TradeRow(
            account, id_, order, position, instant(time), intern(pair), intern(base), intern(quote), intern(side),
            intern(order_type), number(price), number(cost), number(fee), number(volume), number(margin), misc,
            _ids(ledgers),
        )  # fmt: skip

    return make


def _ids(text: str) -> tuple[str, ...]:
    """A JSON list of ids; the plain form that we store is taken apart without a parser, five times as fast."""
    if text.startswith('["') and text.endswith('"]') and "\\" not in text:
        ids = text[2:-2].split('","')
        if text.count('"') == 2 * len(ids):
            return tuple(ids)
    return tuple(json.loads(text))


LEDGER = Source(raw_ledger, LedgerRow, _ledger)
TRADE = Source(raw_trade, TradeRow, _trade)


def _stream(connection: Connection, source: Source[R], account_id: int, **part: Any) -> Iterator[R]:
    found = stored(connection, source, account_id, **part)
    return map(found.make, found.rows)


def stored(connection: Connection, source: Source[R], account_id: int, **part: Any) -> Stored[R]:
    """The account's rows as they are stored, by (time, id), in bounded memory. ``part``: as ``ledger_rows`` takes it."""
    name = connection.execute(select(account.c.name).where(account.c.id == account_id)).scalar_one()
    at, seq = source.columns.index("time"), part.get("upto_seq")
    assert seq is None or not (
        part.get("since") or part.get("types") or part.get("limit")
    )  # a frozen input is read whole
    chunks = _chunks(connection, source, account_id, part)
    if seq is not None and (changed := changed_since(connection, source.table, account_id, seq)):
        chunks = _as_they_were(connection, source, account_id, part, changed, chunks)
    if is_sqlite(connection):
        make = source.maker(name, UtcDateTime.decode, Decimal)
        return Stored(name, chunks, at, make, Decimal, UtcDateTime.decode, UtcDateTime.encode, _lines)
    make = source.maker(name, checked_instant, _as_is)
    return Stored(name, chunks, at, make, _as_is, checked_instant, checked_instant, _lines_at(at))


def _chunks(
    connection: Connection, source: Source[Any], account_id: int, part: Mapping[str, Any]
) -> Iterator[list[Raw]]:
    where, parameters = _condition({"account_id": account_id, **part}, sqlite=is_sqlite(connection))
    return _fetch(connection, f"SELECT {quoted(source.columns)} FROM {source.table.name} WHERE {where}", parameters)


def _as_they_were(
    connection: Connection, source: Source[Any], account_id: int, part: Mapping[str, Any],
    changed: Mapping[str, Mapping[str, str]], chunks: Iterator[list[Raw]],
) -> Iterator[list[Raw]]:  # fmt: skip
    """The rows of ``chunks`` among those that changed, put back; a row's time may have changed, too, and so its place."""
    at = source.columns.index("time")
    back = _putting_back(source, sqlite=is_sqlite(connection))
    before = part.get("before") and back["time"](iso(part["before"]))
    whole = chain.from_iterable(_chunks(connection, source, account_id, {"upto_seq": part["upto_seq"]}))
    restored = (_restored(source.columns, row, changed[row[0]], back) for row in whole if row[0] in changed)
    kept = sorted((row for row in restored if before is None or row[at] < before), key=itemgetter(at, 0))
    unchanged = (row for row in chain.from_iterable(chunks) if row[0] not in changed)
    return batches(heapq.merge(unchanged, kept, key=itemgetter(at, 0)), FETCH)


def _putting_back(source: Source[Any], *, sqlite: bool) -> dict[str, Callable[[str], Any]]:
    """How the change log's text becomes what the database gives for a column."""
    kinds: dict[type, Callable[[str], Any]] = {UtcDateTime: parse_iso, ExactDecimal: Decimal}
    if sqlite:
        kinds = {UtcDateTime: lambda text: UtcDateTime.encode(parse_iso(text))}
    return {name: kinds.get(type(source.table.c[name].type), str) for name in source.columns}


def _restored(
    columns: Sequence[str], row: Raw, old: Mapping[str, str], back: Mapping[str, Callable[[str], Any]]
) -> Raw:
    return tuple(back[name](old[name]) if name in old else now for name, now in zip(columns, row, strict=True))


def _lines(rows: Iterable[Iterable[str]]) -> list[bytes]:
    return list(map(str.encode, map("|".join, rows)))


def _lines_at(time: int) -> Callable[[Iterable[Raw]], list[bytes]]:
    """For rows whose times are in the zone of the session, and whose amounts are numbers."""

    def lines(rows: Iterable[Raw]) -> list[bytes]:
        return _lines(map(str, (*row[:time], checked_instant(row[time]), *row[time + 1 :])) for row in rows)

    return lines


CONDITIONS = {"account_id": "account_id = ", "upto_seq": "seq <= ", "since": "time >= ", "before": "time < "}


def _condition(part: Mapping[str, Any], *, sqlite: bool) -> tuple[str, list[Any]]:
    """What follows WHERE, and its parameters; what is None or empty asks for nothing."""
    mark = "?" if sqlite else "%s"
    asked = {name: part[name] for name in CONDITIONS if part.get(name) is not None}
    where = [CONDITIONS[name] + mark for name in asked]
    parameters = [UtcDateTime.encode(v) if sqlite and isinstance(v, datetime) else v for v in asked.values()]
    if types := part.get("types"):
        where.append(f"type IN ({', '.join([mark] * len(types))})")
        parameters += sorted(types)
    text = " AND ".join(where) + " ORDER BY time, id"
    if (limit := part.get("limit")) is not None:
        text, parameters = f"{text} LIMIT {mark}", [*parameters, limit]
    return text, parameters


def _as_is(number: Decimal) -> Decimal:
    return number


def _fetch(connection: Connection, query: str, parameters: list[Any]) -> Iterator[list[Raw]]:
    # a cursor on the server: a plain one would bring the whole result into memory
    named = {} if is_sqlite(connection) else {"name": f"rows_{next(_cursors)}"}
    with closing(driver(connection).cursor(**named)) as cursor:
        cursor.execute(query, parameters)
        while chunk := cursor.fetchmany(FETCH):
            yield chunk


def changed_since(connection: Connection, table: Table, account_id: int, seq: int) -> dict[str, dict[str, str]]:
    """Row id -> column -> what stood there after run ``seq``: the old value of the first change thereafter."""
    log = change_row.c
    query = (
        select(log.row_id, log.field, log.old)
        .where(log.account_id == account_id, log.table_name == table.name, log.seq > seq)
        .order_by(log.id)
    )
    found: dict[str, dict[str, str]] = {}
    for row_id, field, old in connection.execute(query):
        found.setdefault(row_id, {}).setdefault(field, old)
    return found
