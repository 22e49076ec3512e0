"""What the commands and the service both do with one account: sync it under its lease, look at its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from threading import Event, Thread
from typing import Any

from sqlalchemy import Connection, Engine

from portfolio_sync.app import App
from portfolio_sync.core.clock import Check
from portfolio_sync.core.instant import EPOCH, iso
from portfolio_sync.core.period import Period
from portfolio_sync.errors import KeyRefused, OverpoweredKey, PortfolioSyncError, SurroundingsError
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.key import KeyInfo, Verdict, describe, judge
from portfolio_sync.settings.model import Account
from portfolio_sync.store import accounts, lease
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.derived import EVENTS
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.lease import Held, Lease, LeaseLost
from portfolio_sync.store.owner import is_gone
from portfolio_sync.sync.book import Book
from portfolio_sync.sync.coverage import Bounds
from portfolio_sync.sync.identity import identified, require_own
from portfolio_sync.sync.key import UNVERIFIED, ask_key, notes_on
from portfolio_sync.sync.progress import Progress
from portfolio_sync.sync.reading import Job, Request, server_time
from portfolio_sync.sync.run import Outcome, sync_account
from portfolio_sync.tasks.standing import note_reread, stand_of
from portfolio_sync.tasks.verify import BALANCES_DISAGREE, verify_account

HEARTBEATS = 3  # a lease
REREAD = ("trades", "ledgers")


def stored_account(app: App, account: Account) -> StoredAccount:
    with writing(app.writable_engine) as connection:
        return accounts.get_or_create(connection, account.name, account.taxpayer)


@contextmanager
def leased(app: App, stored: StoredAccount) -> Iterator[Lease]:
    """Hold the account's lease, and keep it alive. Raises SurroundingsError that names the one who has it."""
    with writing(app.writable_engine) as connection:
        got = take(app, connection, stored)
    with kept_alive(app, got):
        yield got


def take(app: App, connection: Connection, stored: StoredAccount) -> Lease:
    """The account's lease. Raises SurroundingsError that names the one who has it."""
    got = lease.acquire(connection, stored.id, app.owner, app.settings.service.lease, is_gone)
    if isinstance(got, Held):
        raise SurroundingsError(
            f"account {stored.name} is being synced by {got.owner} (until {iso(got.until)} at the latest); try again later"
        )
    return got


@contextmanager
def kept_alive(app: App, got: Lease) -> Iterator[None]:
    """Prolong a lease for a ``with`` block, then give it back."""
    done = Event()
    keeper = Thread(target=_keep, args=(app, got, done), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
        with writing(app.writable_engine) as connection:
            lease.give_back(connection, got)


def _keep(app: App, held: Lease, done: Event) -> None:
    ttl = app.settings.service.lease
    while not done.wait(ttl.total_seconds() / HEARTBEATS):
        try:
            with writing(app.writable_engine) as connection:
                lease.heartbeat(connection, held)
        except LeaseLost:
            return  # the next commit of the sync says so
        except PortfolioSyncError:
            continue  # SQLite is busy with the sync's own long commit, or the database is away: try again


def sync_one(app: App, account: Account, request: Request, progress: Progress) -> Outcome:
    """Sync one account under its lease. Everything a person can mend is in the outcome."""
    try:
        stored = stored_account(app, account)
        with leased(app, stored) as held, closing(app.client(account, progress.note, held)) as client:
            return sync_leased(app, account, stored, held, client, request, progress)
    except PortfolioSyncError as error:
        return Outcome(account.name, error=error)


def sync_leased(
    app: App,
    account: Account,
    stored: StoredAccount,
    held: Lease,
    client: Client,
    request: Request,
    progress: Progress,
) -> Outcome:
    """The sync itself. Raises LeaseLost; what else a person can mend is in the outcome."""

    def run(asked: Request) -> Outcome:
        nonlocal stored
        book = Book(app.writable_engine, stored, held, app.clock, app.settings.service.keep_runs)
        done = sync_account(Job(account, client, book, app.clock, asked, progress))
        stored = book.account
        if isinstance(done.error, LeaseLost):
            raise done.error
        return done

    outcome = run(request)
    if outcome.error is None:
        _prove(app, account, stored, held, outcome, run)
        refresh(app, stored, held)
    else:
        outcome.proof = stand_of(app.writable_engine, stored).state
    outcome.calls = client.calls
    return outcome


def _prove(
    app: App,
    account: Account,
    stored: StoredAccount,
    held: Lease,
    outcome: Outcome,
    run: Callable[[Request], Outcome],
) -> None:
    """Prove what changed, and read broken intervals again, each once. Where that brought something and was not enough, a
    row came late, went or changed, and with it every balance after it: then all that follows is read again, and further and further back.
    """
    engine, check = app.writable_engine, app.clock.check
    stand = stand_of(engine, stored)
    outcome.proof = stand.state
    if not stand.due and not stand.reread:
        return
    again = _verified(engine, stored, held, run, check) if stand.due else stand.reread
    streams = tuple(name for name in REREAD if name in account.sync.streams and name not in outcome.denied)
    if again and note_reread(engine, stored, held, again):
        wider = _wider(again[0].start, app.clock.now())
        stretches = [Bounds(each.start, each.end) for each in again]
        while stretches and _read_again(outcome, run, streams, stretches):
            stretches = list(islice(wider, 1)) if _verified(engine, stored, held, run, check) else []
    outcome.proof = stand_of(engine, stored).state


def _wider(start: datetime, now: datetime) -> Iterator[Bounds]:
    """All from some time before ``start`` on; then each time twice as much before that."""
    length, end = now - start, None
    while start > EPOCH:
        start = max(EPOCH, start - min(length, start - EPOCH))
        yield Bounds(start, end)
        end, length = start, 2 * length


def _read_again(
    outcome: Outcome, run: Callable[[Request], Outcome], streams: tuple[str, ...], stretches: Sequence[Bounds]
) -> bool:
    """Whether it brought something."""
    before = outcome.rows_new + outcome.rows_changed
    for each in stretches:
        until = f"to {iso(each.end)}" if each.end else "on"
        outcome.notes.append(
            f"the proof is broken: what was booked from {iso(each.start or EPOCH)} {until} was read again"
        )
        done = run(Request(streams, each, full=True, doubted=each.end is not None))
        outcome.notes.extend(note for note in done.notes if note not in outcome.notes)
        outcome.rows_new += done.rows_new
        outcome.rows_changed += done.rows_changed
        if done.error:
            return False
    return outcome.rows_new + outcome.rows_changed > before


def _verified(
    engine: Engine, stored: StoredAccount, held: Lease, run: Callable[[Request], Outcome], check: Check
) -> Sequence[Period]:
    """Prove it; gives what to read again. Where the balances disagree, look once more: a row may have been booked between
    the two reads.
    """
    verified = verify_account(engine, stored, held, settled=False, whole=False, check=check)
    if any(finding.code == BALANCES_DISAGREE for finding in verified.findings):
        again = run(Request(("ledgers", "balances")))
        if again.error is None:
            verified = verify_account(engine, stored, held, settled=again.rows_new == 0, whole=False, check=check)
    return verified.reread


@dataclass(frozen=True, slots=True)
class KeyReport:
    """``info`` None: the exchange cannot tell."""

    account: str
    info: KeyInfo | None
    verdict: Verdict | None
    notes: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        if self.info is None or self.verdict is None:
            return list(self.notes)
        return [*describe(self.info, self.verdict), *self.notes]

    def document(self) -> dict[str, Any]:
        if self.info is None or self.verdict is None:
            return {"state": "unverified", "notes": self.notes}
        info = self.info
        return {
            "state": "refused" if self.verdict.refused else "read-only",
            "name": info.name,
            "kraken_account": info.account_id,
            "permissions": sorted(info.permissions),
            "refused": self.verdict.refused,
            "missing": dict(self.verdict.missing),
            "query_from": info.query_from,
            "query_to": info.query_to,
            "valid_until": info.valid_until,
            "ip_allowlist": info.ip_allowlist,
            "nonce_window": info.nonce_window,
            "notes": self.notes,
        }


def look_at_key(app: App, account: Account, say: Callable[[str], None]) -> KeyReport:
    """Ask the exchange what the key may do, and of which account it is. Raises AnotherAccount, and what the client raises."""
    stored = stored_account(app, account)
    with leased(app, stored) as held:
        try:
            with closing(app.client(account, say, held)) as client:
                report, said = _look(app, account, stored, client)
        except KeyRefused as error:
            if error.key_state:
                _note_key(app, held, replace(stored, key_state=error.key_state))
            raise
        _note_key(app, held, said)
        return report


def _look(app: App, account: Account, stored: StoredAccount, client: Client) -> tuple[KeyReport, StoredAccount]:
    now = server_time(client)
    info = ask_key(client)
    with reading(app.writable_engine) as connection:
        require_own(connection, stored, info)
    if info is None:
        return KeyReport(account.name, None, None, (UNVERIFIED,)), identified(stored, None)
    client.seed_nonce(info.nonce)
    verdict = judge(info, account.allow_permissions)
    said = replace(stored, key_state=OverpoweredKey.key_state) if verdict.refused else identified(stored, info)
    return KeyReport(account.name, info, verdict, notes_on(info, now)), said


def _note_key(app: App, held: Lease, said: StoredAccount) -> None:
    """As a sync notes it. A key that works again need not rest any longer: its account is due."""
    with writing(app.writable_engine) as connection:
        lease.guard(connection, held)
        before = accounts.get(connection, said.name)
        accounts.note_key(connection, said)
        if before and before.key_rests and not said.key_rests:
            lease.bring_forward(connection, said.id, lease.now(connection))


def refresh(app: App, stored: StoredAccount, held: Lease) -> None:
    """Derive anew what analysts see of the account, if rows came since: its events, valued in the currency of the settings' profile."""
    with reading(app.writable_engine) as connection:
        if not EVENTS.is_touched(connection, stored.id):
            return
    from portfolio_sync.tasks.events import refresh_events
    from portfolio_sync.tasks.report import Asked, profile_of

    refresh_events(app.writable_engine, stored, held, profile_of(app, Asked()), app.clock.check)
