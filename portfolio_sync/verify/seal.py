"""What the stored rows of a month said when they were proven, as one digest: a row changed behind our back shows, even one
that moved nothing.

It guards against mistakes and tampering with rows, not against somebody who rewrites the seals too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import next_month, parse_iso
from portfolio_sync.core.ledger import LedgerRow, TradeRow

LONG_AGO = datetime.min.replace(tzinfo=UTC)
R = TypeVar("R", LedgerRow, TradeRow)
Kept = Mapping[str, tuple[int, str]]


@dataclass(slots=True)
class Seal:
    rows: int = 0
    digest: Any = field(default_factory=sha256)


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
        seal.digest.update(content(row, clock).encode())
        yield row


def to_json(seals: Seals) -> dict[str, tuple[int, str]]:
    return {name: (seal.rows, seal.digest.hexdigest()) for name, seal in seals.items()}


def before(kept: Kept, month: str) -> dict[str, tuple[int, str]]:
    """The seals of months before ``month`` (``2024-05``)."""
    return {name: seal for name, seal in kept.items() if name.rpartition(" ")[2] < month}


def altered(kept: Kept, now: Mapping[str, tuple[int, str]]) -> Iterator[Finding]:
    """A finding for each month whose rows are not what they were, though nothing was written to them."""
    for name, (rows, digest) in sorted(kept.items()):
        have, found = now.get(name, (0, ""))
        if (have, found) != (rows, digest):
            kind, _, month = name.rpartition(" ")
            what = f"{abs(rows - have)} rows {'fewer' if have < rows else 'more'}" if have != rows else "changed rows"
            said = f"the stored {kind} rows of {month} are not those that were proven before ({what}): something else than this program wrote to them"
            yield Finding(Severity.ERROR, "rows_altered", said, time=parse_iso(f"{month}-01"))
