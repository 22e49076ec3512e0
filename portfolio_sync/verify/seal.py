"""What the stored rows of a month said when they were proven, as one digest: a row changed behind our back shows, even one
that moved nothing.

It guards against mistakes and tampering with rows, not against somebody who rewrites the seals too.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar
from zlib import crc32

from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import next_month, parse_iso
from portfolio_sync.core.ledger import LedgerRow, TradeRow

LONG_AGO = datetime.min.replace(tzinfo=UTC)
R = TypeVar("R", LedgerRow, TradeRow)
MARK = 3
"""Bytes a row: enough to tell the rows of a month apart."""
MOST_NAMED = 20


class KeptSeal(NamedTuple):
    """``marks``: of each row, in the order of the rows, as base64."""

    rows: int
    digest: str
    marks: str = ""


Kept = Mapping[str, KeptSeal]
StoredRows = Callable[[str, datetime], Iterable[LedgerRow | TradeRow]]
"""``(kind, start of a month)``: the rows of that month as they are stored now."""
Gone = Callable[[datetime], Iterable[str]]
"""``(start of a month)``: ids of ledger rows that something was derived from, and that are not stored any more."""


@dataclass(slots=True)
class Seal:
    rows: int = 0
    digest: Any = field(default_factory=sha256)
    marks: bytearray = field(default_factory=bytearray)


Seals = dict[str, Seal]
"""By kind of row and month: ``ledger 2024-05``."""


def content(row: LedgerRow | TradeRow, clock: str) -> str:
    """What the row says, all of it, as one line; ``clock``: its time. (``!s``: formatting a Decimal takes four times as long.)"""
    if isinstance(row, LedgerRow):
        return (
            f"{row.id}|{row.refid}|{clock}|{row.type}|{row.subtype}|{row.aclass}|{row.asset}|{row.wallet}"
            f"|{row.amount!s}|{row.fee!s}|{row.balance!s}\n"
        )
    return (
        f"{row.id}|{row.order_id}|{row.position_id}|{clock}|{row.pair}|{row.side}|{row.order_type}|{row.price!s}"
        f"|{row.cost!s}|{row.fee!s}|{row.volume!s}|{row.margin!s}|{row.misc}|{','.join(row.ledgers)}\n"
    )


def sealing(seals: Seals, kind: str, rows: Iterable[R]) -> Iterator[R]:
    """Pass the rows on, sorted by (time, id) as they are stored, and seal each."""
    seal, until, time, clock = Seal(), LONG_AGO, LONG_AGO, ""
    for row in rows:
        if row.time != time:  # the legs of a trade share it
            time, clock = row.time, row.time.isoformat()
            if time >= until:
                seal, until = seals.setdefault(f"{kind} {time:%Y-%m}", Seal()), next_month(time)
        seal.rows += 1
        said = content(row, clock).encode()
        seal.digest.update(said)
        seal.marks += _mark(said)
        yield row


def _mark(said: bytes) -> bytes:
    return crc32(said).to_bytes(4, "big")[-MARK:]


def closed(seals: Seals) -> dict[str, KeptSeal]:
    return {
        name: KeptSeal(seal.rows, seal.digest.hexdigest(), b64encode(seal.marks).decode())
        for name, seal in seals.items()
    }


def altered(kept: Kept, now: Kept, stored: StoredRows, gone: Gone) -> Iterator[Finding]:
    """A finding for each month whose rows are not what they were, though nothing was written to them. It names the rows."""
    for name, was in sorted(kept.items()):
        found = now.get(name, KeptSeal(0, ""))
        if found[:2] == was[:2]:
            continue
        kind, _, month = name.rpartition(" ")
        start = parse_iso(f"{month}-01")
        strange = _strange(was, stored(kind, start))
        missing = list(gone(start)) if kind == "ledger" else []
        what = ", ".join(_differences(was.rows, found.rows, strange, missing))
        said = f"the stored {kind} rows of {month} are not those that were proven before ({what}): something else than this program wrote to them"
        yield Finding(Severity.ERROR, "rows_altered", said, tuple([*strange, *missing][:MOST_NAMED]), start)


def _strange(was: KeptSeal, rows: Iterable[LedgerRow | TradeRow]) -> list[str]:
    """The rows that do not say what one of then said."""
    marks = b64decode(was.marks)
    known = Counter(marks[at : at + MARK] for at in range(0, len(marks), MARK))
    found = []
    for row in rows:
        mark = _mark(content(row, row.time.isoformat()).encode())
        if known[mark] > 0:
            known[mark] -= 1
        else:
            found.append(row.id)
    return found


def _differences(had: int, have: int, strange: list[str], missing: list[str]) -> Iterator[str]:
    if have != had:
        yield f"{abs(have - had)} rows {'fewer' if have < had else 'more'}"
    if missing:
        yield f"gone: {_named(missing)}"
    if strange:
        yield f"{'put in' if have - had == len(strange) else 'changed'}: {_named(strange)}"


def _named(ids: list[str]) -> str:
    more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
    return " ".join(ids[:MOST_NAMED]) + more
