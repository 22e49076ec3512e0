"""What the stored rows of a month said when they were proven, as one digest: a row changed behind our back shows, even one
that moved nothing.

It guards against mistakes and tampering with rows, not against somebody who rewrites the seals too.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from struct import iter_unpack, pack
from typing import Any, NamedTuple
from zlib import crc32

from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import next_month, parse_iso
from portfolio_sync.core.stored import R, Raw, Stored

MOST_NAMED = 20


class KeptSeal(NamedTuple):
    """``marks``: of each row four bytes, which tell the rows of a month apart, in the order of the rows, as base64."""

    rows: int
    digest: str
    marks: str = ""


Kept = Mapping[str, KeptSeal]
StoredRows = Callable[[str, datetime], Stored[Any]]
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


def sealing(seals: Seals, kind: str, stored: Stored[R]) -> Iterator[list[Raw]]:
    """Pass the stored rows on, and seal them by month."""
    for chunk in stored.chunks:
        left = chunk
        while left:
            month = stored.instant(left[0][stored.at])
            end = bisect_left(left, stored.stamp(next_month(month)), key=itemgetter(stored.at))
            _seal(seals.setdefault(f"{kind} {month:%Y-%m}", Seal()), stored.lines(left[:end]))
            left = left[end:]
        yield chunk


def _seal(seal: Seal, lines: list[bytes]) -> None:
    seal.rows += len(lines)
    seal.digest.update(b"\n".join((*lines, b"")))
    seal.marks += _marks(lines)


def _marks(lines: list[bytes]) -> bytes:
    return pack(f">{len(lines)}I", *map(crc32, lines))


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


def _strange(was: KeptSeal, stored: Stored[R]) -> list[str]:
    """The rows that do not say what one of then said."""
    known = Counter(_parted(b64decode(was.marks)))
    found = []
    for chunk in stored.chunks:
        for row, mark in zip(chunk, _parted(_marks(stored.lines(chunk))), strict=True):
            if known[mark] > 0:
                known[mark] -= 1
            else:
                found.append(row[0])
    return found


def _parted(marks: bytes) -> list[int]:
    return [mark for (mark,) in iter_unpack(">I", marks)]


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
