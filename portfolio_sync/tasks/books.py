"""Close the books: from stored rows to events, values and figures. Writes nothing (``publish``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import chain

from sqlalchemy import Connection, Engine

from portfolio_sync.core.clock import Check, never, until_stopped
from portfolio_sync.core.cycles import without_cycle_search
from portfolio_sync.core.finding import Finding
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.core.price import Price
from portfolio_sync.core.record import NOTHING_RECORDED, Recorded
from portfolio_sync.errors import UsageError
from portfolio_sync.normalize.events import Counts, Normalized, normalize
from portfolio_sync.normalize.overrides import Stated
from portfolio_sync.normalize.own_transfers import reunited
from portfolio_sync.normalize.rules import STANDARD, VERSION
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import Valuation, value_all
from portfolio_sync.report.manifest import Digest, beside, ledger_lines
from portfolio_sync.store import accounts, prices, read, records, runs, transactions, transfers
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import reading
from portfolio_sync.tasks.rules import idle_rules
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.recorded import Picked, not_filled, orders_without_say, standing, undated, with_picks
from portfolio_sync.tax.result import Computation
from portfolio_sync.verify.ordered import ordered


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose books: a taxpayer, all his accounts or some of them."""

    taxpayer: str
    accounts: tuple[StoredAccount, ...]


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a closing rests on, where that is not what stands now: rows, prices and records as they were."""

    seq: int | None = None
    priced_upto: datetime | None = None
    recorded: Recorded | None = None


AS_OF_NOW = Frozen()


@dataclass(frozen=True, slots=True)
class Books:
    """All that one closing yields. ``seq``: the frozen input is all rows of the accounts up to this number."""

    subject: Subject
    profile: Profile
    year: int | None
    normalized: Normalized
    valuation: Valuation
    lookup: Lookup
    computation: Computation
    digest: str
    seq: int
    recorded: Recorded = NOTHING_RECORDED
    of_records: tuple[Finding, ...] = ()
    """What of the taxpayer's standing orders, picks and stated rules has no say, and why."""

    @property
    def counts(self) -> Counts:
        return self.normalized.counts

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of rows and values up to the end of the year that is asked for; the computation has its own."""
        return self.of_its_time((*self.normalized.findings, *self.valuation.findings, *self.of_records))

    def of_its_time(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Those up to the end of the year that is asked for."""
        end = None if self.year is None else self.profile.end_of(self.year)
        return tuple(f for f in findings if end is None or f.time is None or f.time < end)

    @property
    def year_label(self) -> str:
        return "all" if self.year is None else self.profile.label(self.year)


def subject_of(engine: Engine, taxpayer: str | None, names: Sequence[str]) -> Subject:
    """The taxpayer and accounts asked for. Raises UsageError where the choice is empty or not clear."""
    with reading(engine) as connection:
        every = accounts.every(connection)
    known = {account.name: account for account in every}
    for name in names:
        if name not in known:
            raise UsageError(f"no account {name!r} in the database; there are: {', '.join(known) or 'none'}")
    chosen = [a for a in every if (not names or a.name in names) and taxpayer in (None, a.taxpayer)]
    taxpayers = sorted({account.taxpayer for account in chosen})
    if every and not chosen:
        whose = sorted({account.taxpayer for account in every if not names or account.name in names})
        raise UsageError(f"no taxpayer {taxpayer!r} of these accounts; there is: {', '.join(whose)}")
    if not chosen:
        raise UsageError("there is nothing to report yet: sync or import an account first")
    if len(taxpayers) > 1:
        raise UsageError(f"accounts of several taxpayers: choose one with --taxpayer: {', '.join(taxpayers)}")
    return Subject(taxpayers[0], tuple(chosen))


@without_cycle_search()
def close(
    engine: Engine,
    subject: Subject,
    profile: Profile,
    year: int | None,
    *,
    until: datetime | None = None,
    frozen: Frozen = AS_OF_NOW,
) -> Books:
    """Compute everything from one snapshot of the database; writes nothing. ``until``: only rows before this instant."""
    with reading(engine) as connection:
        seq = runs.settled(connection, ids_of(subject)) if frozen.seq is None else frozen.seq
        digest = Digest()
        normalized, lookup = normalized_of(connection, subject, profile, seq, until, frozen.priced_upto, digest)
        recorded = records.recorded(connection, subject.taxpayer) if frozen.recorded is None else frozen.recorded
        picked = _picked(connection, subject, normalized, recorded, profile)
        idle = tuple(idle_rules(connection, ids_of(subject), profile.rules, seq))
    valuation = value_all(picked.events, lookup)
    computation = compute(
        valuation.events, profile, Options(year, standing(recorded, profile), normalized.hints), lookup
    )
    of_records = (
        *picked.findings,
        *orders_without_say(recorded, computation.disposals, profile),
        *not_filled(picked.events, computation.disposals, profile),
        *undated(normalized.events, picked.events, computation.disposals, profile),
        *idle,
    )
    made = digest.hexdigest()
    return Books(subject, profile, year, normalized, valuation, lookup, computation, made, seq, recorded, of_records)


def ids_of(subject: Subject) -> list[int]:
    return [account.id for account in subject.accounts]


def names_of(subject: Subject) -> dict[int, str]:
    return {account.id: account.name for account in subject.accounts}


def _picked(
    connection: Connection, subject: Subject, normalized: Normalized, recorded: Recorded, profile: Profile
) -> Picked:
    ids = {name for pick in recorded.picks for name in (pick.sale, pick.lot)}
    rows_of = records.rows_named(connection, ids_of(subject), ids)
    return with_picks(normalized.events, recorded.picks, rows_of, profile)


def normalized_of(
    connection: Connection,
    subject: Subject,
    profile: Profile,
    seq: int,
    until: datetime | None,
    priced_upto: datetime | None = None,
    digest: Digest | None = None,
    check: Check = never,
) -> tuple[Normalized, Lookup]:
    """``digest`` takes up all that goes in."""
    rows = _rows(connection, subject, seq, until, digest, check)
    stated = list(_stated(connection, subject, seq, until))
    marks = transfers.marks(connection, names_of(subject), upto_seq=seq)
    if digest:
        digest.add(beside(stated, marks))
    normalized = reunited(normalize(rows, stated, STANDARD.with_(profile.rules)), marks)
    return normalized, lookup_of(connection, profile, priced_upto)


def lookup_of(connection: Connection, profile: Profile, priced_upto: datetime | None = None) -> Lookup:
    """The prices that are known (``priced_upto``: that were known then), by the profile's policy."""
    known = prices.rates(connection, upto=priced_upto)
    table = PriceTable.of((Price(r.symbol, r.currency, r.time, r.rate, r.source) for r in known), profile.prices)
    return Lookup(table, profile.currency, profile.prices)


def ledger(connection: Connection, account_id: int, seq: int) -> Iterator[LedgerRow]:
    """Rows of one account by (time, place in the balance chain, id), the order of ties everywhere."""
    return chain.from_iterable(_blocks(connection, account_id, seq))


def _blocks(
    connection: Connection, account_id: int, seq: int, until: datetime | None = None, check: Check = never
) -> Iterator[list[LedgerRow]]:
    found = read.stored(connection, read.LEDGER, account_id, upto_seq=seq, before=until)
    with closing(until_stopped(found.chunks, check, every=1)) as chunks:
        yield from ordered(replace(found, chunks=chunks))


def _rows(
    connection: Connection, subject: Subject, seq: int, until: datetime | None, digest: Digest | None, check: Check
) -> Iterator[LedgerRow]:
    """All ledger rows, each account's in the order of time; ``digest`` takes them up as they pass: a million is read once."""
    for account in subject.accounts:
        for block in _blocks(connection, account.id, seq, until, check):
            if digest:
                digest.add(ledger_lines(block))
            yield from block


def _stated(connection: Connection, subject: Subject, seq: int, until: datetime | None) -> Iterator[Stated]:
    """All imported transactions; one about a ledger row goes with the time of that row."""
    for account in subject.accounts:
        found = transactions.transactions(connection, account.id, upto_seq=seq)
        times = transactions.booked(connection, account.id, (one.id for one in found)) if until else {}
        yield from ((account.name, one) for one in found if until is None or times.get(one.id, one.time) < until)


def events_basis(connection: Connection, profile: Profile) -> str:
    """What events hang on besides their rows: where it is another, all are derived anew."""
    said = (VERSION, profile.rules, profile.currency, profile.prices, prices.extent(connection))
    return sha256(repr(said).encode()).hexdigest()


def last_complete_year(profile: Profile, now: datetime) -> int:
    return profile.year_of(now) - 1
