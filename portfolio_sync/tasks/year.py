"""Filed years: frozen as they were, and what would come out differently now, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, func, select

from portfolio_sync.app import App
from portfolio_sync.core.instant import iso
from portfolio_sync.errors import UsageError
from portfolio_sync.report import kept
from portfolio_sync.report.difference import Change, changes, framed
from portfolio_sync.report.frame import tables
from portfolio_sync.report.kept import Kept
from portfolio_sync.report.manifest import manifest, plain_json
from portfolio_sync.store import records
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import change_row, raw_ledger, raw_trade, raw_transaction
from portfolio_sync.tasks.books import Books, Subject, close, ids_of, subject_of
from portfolio_sync.tasks.history_proof import proof_of_books
from portfolio_sync.tasks.publish import plain_finding, report_of
from portfolio_sync.tasks.rebuild import program_changes
from portfolio_sync.tasks.report import Asked, profile_of, settings_of, year_of
from portfolio_sync.tax.profile import Profile

RAW = {"ledger rows": raw_ledger, "trades": raw_trade, "imported transactions": raw_transaction}
NAMED = 20  # rows named one by one in a reason


@dataclass(frozen=True, slots=True)
class Closed:
    """A year that was filed."""

    taxpayer: str
    profile: str
    year: str
    method: str
    input_seq: int
    input_digest: str
    closed_at: datetime
    rows: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        yield f"{self.taxpayer}, {self.profile}, {self.year}, {self.method}: closed at {iso(self.closed_at)}"
        yield f"  input {self.input_digest[:16]}..., rows up to run {self.input_seq}"
        yield "  " + ", ".join(f"{number:,} {name.removesuffix('.csv')}" for name, number in self.rows.items())


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs from the filed year, and the reasons found. ``filed`` names the year."""

    filed: Closed
    changes: tuple[Change, ...]
    reasons: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        return {
            "filed": self.filed.document(),
            "same": not self.changes,
            "reasons": self.reasons,
            "changes": [
                {"table": c.table, "id": c.id, "what": what(c), "before": c.before, "now": c.now, "columns": sorted(c.columns)}
                for c in self.changes
            ],
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        yield from self.filed.lines()
        if not self.changes:
            yield "nothing would differ now"
        counted = Counter((change.table, what(change)) for change in self.changes)
        for (table, kind), number in counted.items():
            yield f"{table}: {number:,} {kind}"
            shown = [change for change in self.changes if (change.table, what(change)) == (table, kind)][:NAMED]
            yield from (f"  {change.id}{detail(change)}" for change in shown)
        yield from (f"why: {reason}" for reason in self.reasons)


def what(change: Change) -> str:
    return "added" if change.before is None else "removed" if change.now is None else "changed"


def detail(change: Change) -> str:
    said = [f"{name} {old or 'blank'} -> {new or 'blank'}" for name, (old, new) in change.columns.items()]
    return f": {', '.join(said)}" if said else ""


def close_year(app: App, asked: Asked, *, again: bool) -> Closed:
    """Freeze a year as it stands: settings, digests and every table. Raises UsageError for one not over, or closed before."""
    books = books_of(app, asked)
    assert books.year is not None  # a year is always named
    now, proof = app.clock.now(), proof_of_books(app, books)
    if books.profile.end_of(books.year) > now:
        raise UsageError(
            f"the tax year {books.year_label} ends at {iso(books.profile.end_of(books.year))}: close it then"
        )
    report = report_of(books, proof.findings)
    frames = framed(tables(report))
    settings = settings_of(books, proof.state)
    document = {
        "asked": asked_json(asked, books),
        "text": manifest(settings, books.profile, books.digest, report.prices, {}),
        "extra": [plain_finding(finding) for finding in proof.findings],
        "tables": frames,
        "earlier": [],
    }
    key = {"taxpayer": books.subject.taxpayer, "profile": books.profile.name, "year": books.year_label}
    values = key | {
        "method": books.profile.method.value, "input_seq": books.seq, "input_digest": books.digest, "closed_at": now,
    }  # fmt: skip
    with writing(app.writable_engine) as connection:
        before = records.closed(connection, **key)
        if before and not again:
            raise UsageError(
                f"{' '.join(key.values())} was closed at {iso(before[0]['closed_at'])}: `year diff` shows what would differ now, "
                "--again closes it anew and keeps the old one"
            )
        document["earlier"] = [earlier(row) for row in before] + [
            e for row in before for e in row["document"]["earlier"]
        ]
        records.close_year(connection, values | {"document": document})
    return closed_of(values | {"document": document})


def earlier(row: Mapping[str, Any]) -> dict[str, Any]:
    """An old closing, whole, as a part of the new one."""
    facts = {name: row[name] for name in ("method", "input_seq", "input_digest")} | {"closed_at": iso(row["closed_at"])}
    return facts | {name: value for name, value in row["document"].items() if name != "earlier"}


def asked_json(asked: Asked, books: Books) -> dict[str, Any]:
    """What to ask again, defaults filled in; no accounts named are all that the taxpayer has, those to come included."""
    return {
        "profile": books.profile.name, "method": asked.method, "currency": asked.currency, "overrides": dict(asked.overrides or {}),
        "year": books.year, "accounts": list(asked.accounts),
    }  # fmt: skip


def books_of(app: App, asked: Asked) -> Books:
    profile = profile_of(app, asked)
    year = year_of(asked, profile, app.clock.now())
    if year is None:
        raise UsageError("close one tax year, not all of them")
    return close(app.engine, subject_of(app.engine, asked.taxpayer, asked.accounts), profile, year)


def closed_of(row: Mapping[str, Any]) -> Closed:
    names = ("taxpayer", "profile", "year", "method", "input_seq", "input_digest", "closed_at")
    rows = {name: len(frame["rows"]) for name, frame in row["document"]["tables"].items()}
    return Closed(**{name: row[name] for name in names}, rows=rows)


def every_closed(app: App) -> list[Closed]:
    with reading(app.engine) as connection:
        return [closed_of(row) for row in records.closed(connection)]


def diff_year(app: App, year: int, profile: str | None, taxpayer: str | None) -> Difference:
    """Compute a filed year as it would come out now, and compare. Raises UsageError where none fits, or several do."""
    row = the_closed(app, year, profile, taxpayer)
    asked = row["document"]["asked"]
    again = Asked(
        asked["profile"], asked["method"], asked["year"], asked["currency"], row["taxpayer"], asked["overrides"], tuple(asked["accounts"]),
    )  # fmt: skip
    books, filed = books_of(app, again), kept.read(row["document"]["text"], "the filed year's manifest")
    report = report_of(books, proof_of_books(app, books).findings)
    found = tuple(changes(row["document"]["tables"], framed(tables(report))))
    return Difference(closed_of(row), found, tuple(reasons(app, books, filed, row, found)))


def the_closed(app: App, year: int, profile: str | None, taxpayer: str | None) -> dict[str, Any]:
    which = {name: value for name, value in {"profile": profile, "taxpayer": taxpayer}.items() if value}
    with reading(app.engine) as connection:
        every = records.closed(connection, **which)
    rows = [row for row in every if row["document"]["asked"]["year"] == year]
    if not rows:
        known = ", ".join(f"{row['taxpayer']} {row['profile']} {row['year']}" for row in every)
        raise UsageError(f"the year {year} was not closed; closed are: {known or 'none'}")
    if len(rows) > 1:
        several = ", ".join(f"{row['taxpayer']} {row['profile']}" for row in rows)
        raise UsageError(f"{year} was closed more than once, choose with --profile and --taxpayer: {several}")
    return rows[0]


# --- why ---------------------------------------------------------------------------------------------------------------


def reasons(app: App, books: Books, filed: Kept, row: Mapping[str, Any], found: Sequence[Change]) -> Iterator[str]:
    assert books.year is not None
    end = books.profile.end_of(books.year)
    with reading(app.engine) as connection:
        yield from new_rows(connection, books.subject, row["input_seq"], end)
        yield from changed_rows(connection, books.subject, row["input_seq"])
    yield from new_records(books, filed)
    yield from new_prices(found)
    yield from profile_changes(filed.profile, books.profile)
    yield from program_changes(filed.program)


def new_rows(connection: Connection, subject: Subject, seq: int, end: datetime) -> Iterator[str]:
    for words, table in RAW.items():
        new = (table.c.account_id.in_(ids_of(subject)), table.c.seq > seq, table.c.time < end)
        number = connection.scalar(select(func.count()).select_from(table).where(*new)) or 0
        if number:
            ids = connection.scalars(select(table.c.id).where(*new).order_by(table.c.time, table.c.id).limit(NAMED))
            yield f"{number:,} {words} of the time before its end came since: {shown(list(ids), number)}"


def changed_rows(connection: Connection, subject: Subject, seq: int) -> Iterator[str]:
    c = change_row.c
    query = select(c.table_name, c.row_id, c.field, c.old, c.new).where(c.account_id.in_(ids_of(subject)), c.seq > seq)
    found = [
        f"{row.row_id} {row.field} {row.old or 'blank'} -> {row.new or 'blank'}"
        for row in connection.execute(query.order_by(c.id))
    ]
    if found:
        yield f"{len(found):,} figures of stored rows changed since: {shown(found[:NAMED], len(found))}"


def shown(some: Sequence[str], number: int) -> str:
    return ", ".join(some) + (f" and {number - len(some):,} more" if number > len(some) else "")


def new_records(books: Books, filed: Kept) -> Iterator[str]:
    for words, before, now in (
        ("standing orders", filed.recorded.orders, books.recorded.orders),
        ("lot picks", filed.recorded.picks, books.recorded.picks),
    ):
        if number := len(set(now) - set(before)):
            yield f"{number:,} {words} were recorded since"


def new_prices(found: Sequence[Change]) -> Iterator[str]:
    of_prices = sorted((c for c in found if c.table == "prices.csv"), key=attrgetter("id"))
    if of_prices:
        ids = [f"{change.id}{detail(change) or f' ({what(change)})'}" for change in of_prices[:NAMED]]
        yield f"{len(of_prices):,} prices used are others: {shown(ids, len(of_prices))}"


def profile_changes(before: Profile, now: Profile) -> Iterator[str]:
    for name in Profile.__slots__:
        old, new = getattr(before, name), getattr(now, name)
        if old != new and name not in ("title", "citations"):
            yield f"the profile's {name} was {plain_json(old)}, is {plain_json(new)}"
