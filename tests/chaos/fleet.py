"""Many practice exchanges, one PostgreSQL, several ``serve`` processes; and a journal of who wrote what under which lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import NullPool, create_engine, text

from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.connections import Server
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.handler import Handler
from portfolio_sync.sandbox.server import Sandbox, real_time
from portfolio_sync.store import schema
from tests import postgres
from tests.patience import PATIENCE

# The lease itself, and what anybody who watches notes about the accounts.
WITHOUT_LEASE = (schema.lease.name, schema.alert_state.name)
SETTINGS = """\
[exchange]
url = "{url}"
pace = false
give_up_after = "5s"
[sync]
schedule = "every 2s"
jitter = "0s"
streams = ["trades", "ledgers", "balances"]
[service]
listen = "off"
lease = "3s"
workers = 2
"""
ACCOUNT = """\
[[accounts]]
name = "{name}"
key = {{ env = "KEY_{name}" }}
secret = {{ env = "SECRET_{name}" }}
"""
# Deferred: it looks at the lease as it is when the transaction commits.
JOURNAL = """
CREATE TABLE written (
    worker text, owner text, fence bigint, account_id bigint, tx bigint, at timestamptz, PRIMARY KEY (tx, account_id)
);
CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO written
    SELECT current_setting('application_name'), l.owner, l.fence, l.account_id, txid_current(), clock_timestamp()
    FROM lease l JOIN account a ON a.id = l.account_id
    WHERE a.id = (changed ->> 'account_id')::bigint OR a.name = changed ->> 'account'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER note_write AFTER INSERT OR UPDATE OR DELETE ON {table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_write()
"""


def until(what: str, condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """The first true answer. Raises AssertionError that says what was waited for."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if answer := condition():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {patience} s: {what}")


def small_account(number: int) -> Account:
    """A history of its own, under an account name of its own."""
    return replace(generate(number, 20, end=real_time() - 7200), iban=f"AA00 N84G {number:04} BOX0")


class Reception(Handler):
    """One address for many exchanges, each with its account: the key says which is meant."""

    exchanges: ClassVar[dict[str, Sandbox]]

    def _answer(self, body: bytes) -> None:
        meant = self.exchanges.get(self.headers.get("API-Key") or "") or next(iter(self.exchanges.values()))
        self.server = meant._server
        super()._answer(body)


@contextmanager
def open_exchanges(sandboxes: Iterable[Sandbox]) -> Iterator[str]:
    """The one URL of all of them."""
    known = {sandbox.key: sandbox for sandbox in sandboxes}
    first = next(iter(known.values()))
    reception = type("Here", (Reception,), {"exchanges": known})
    with Server(0, reception, first.exchange, one_at_a_time=False) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()
            for sandbox in known.values():
                sandbox._server.server_close()
    assert not server.failures


class Worker:
    """One ``serve`` process."""

    def __init__(self, name: str, folder: Path, database_url: str, environ: dict[str, str]) -> None:
        self.log = folder / f"{name}.log"
        own = {
            "PORTFOLIO_SYNC_DATABASE_URL": f"{database_url}&application_name={name}",
            "PORTFOLIO_SYNC_SERVICE_LISTEN": "127.0.0.1:0",
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portfolio_sync", "serve"],
                cwd=folder,
                env=os.environ | environ | own,
                stdout=log,
                stderr=log,
            )

    @property
    def owner(self) -> str:
        """What its leases' owner is like."""
        return f"%:{self.process.pid}:%"

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stopped(self) -> str:
        """Stop it in good order; returns what it said."""
        self.send(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0, self.log.read_text()
        return self.log.read_text()


class Fleet:
    """``accounts`` exchanges with a small history each, and workers by name."""

    def __init__(self, accounts: int, server: postgres.Server, folder: Path) -> None:
        self.folder, self.server = folder, server
        self.exchanges = {f"a{n:02}": Sandbox(small_account(n), limited=False) for n in range(accounts)}
        self.workers: dict[str, Worker] = {}
        self.engine = create_engine(server.url, poolclass=NullPool)

    @contextmanager
    def open(self) -> Iterator[None]:
        with open_exchanges(self.exchanges.values()) as url:
            settings = SETTINGS.format(url=url) + "".join(ACCOUNT.format(name=name) for name in self.exchanges)
            (self.folder / "portfolio-sync.toml").write_text(settings)
            try:
                yield
            finally:
                for worker in self.workers.values():
                    worker.process.kill()  # even one that is frozen
                    worker.process.wait()
                self.engine.dispose()

    def keep_journal(self) -> None:
        tables = [t.name for t in schema.metadata.sorted_tables if {"account_id", "account"} & set(t.columns.keys())]
        with self.engine.begin() as connection:
            connection.execute(text(JOURNAL))
            for table in tables:
                if table not in WITHOUT_LEASE:
                    connection.execute(text(TRIGGER.format(table=table)))

    def start(self, name: str) -> Worker:
        keys = {f"KEY_{name}": one.key for name, one in self.exchanges.items()}
        secrets = {f"SECRET_{name}": one.secret for name, one in self.exchanges.items()}
        self.workers[name] = Worker(name, self.folder, self.server.url, keys | secrets)
        return self.workers[name]

    # --- what the database says ---

    def rows(self, query: str, **values: object) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), values))

    def leased_by(self, worker: Worker) -> dict[int, int]:
        """Fence by account."""
        return {
            r[0]: r[1] for r in self.rows("SELECT account_id, fence FROM lease WHERE owner LIKE :o", o=worker.owner)
        }

    def fences(self) -> dict[int, int]:
        return {row[0]: row[1] for row in self.rows("SELECT account_id, fence FROM lease")}

    def all_synced(self) -> None:
        """Wait until each account was synced, by a run that began from now on."""
        ((newest,),) = self.rows("SELECT coalesce(max(seq), 0) FROM sync_run")
        done = "SELECT DISTINCT account_id FROM sync_run WHERE seq > :newest AND outcome = 'ok'"

        def seen() -> bool:
            for worker in self.workers.values():
                assert worker.process.poll() in (None, -signal.SIGKILL), worker.log.read_text()
            return len(self.rows(done, newest=newest)) == len(self.exchanges)

        until("every account is synced", seen)

    def pay_in(self) -> None:
        """A deposit comes to every account."""
        for name, exchange in self.exchanges.items():
            with exchange.exchange.lock:
                balance = Decimal(exchange.account.balances.get("ZEUR", "0")) + 1
                row = {"refid": f"FT{len(exchange.account.ledgers)}", "type": "deposit", "subtype": ""}
                row |= {"aclass": "currency", "asset": "ZEUR", "amount": "1.0000", "fee": "0.0000"}
                id_ = f"L{name.upper()}-{len(exchange.account.ledgers):05}-CHAOS"
                exchange.book(Entry(id_, real_time(), row | {"balance": f"{balance:.4f}"}))
