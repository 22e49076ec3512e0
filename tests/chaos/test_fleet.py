"""Three services share fifty accounts while one is killed, one is frozen past its leases and the database restarts.

The one place where tests wait for real time: leases and schedules are of a few seconds here.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portfolio_sync.store import migrate
from tests.chaos.fleet import Fleet, Worker, until
from tests.postgres import own_server
from tests.wire.truth import assert_same

ACCOUNTS = 50


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with own_server() as server:
        migrate.upgrade(server.url)
        made = Fleet(ACCOUNTS, server, tmp_path)
        made.keep_journal()
        with made.open():
            yield made


def kill(fleet: Fleet, worker: Worker) -> None:
    """kill -9 in the middle of syncs: others take them over."""
    until("it is at work", lambda: fleet.leased_by(worker))
    worker.send(signal.SIGKILL)
    worker.process.wait()
    until("its leases were taken over", lambda: not fleet.leased_by(worker))


def freeze(fleet: Fleet, worker: Worker) -> None:
    """Stop it in the middle of syncs until others have what it had, then let it go on as if nothing had been."""

    def caught() -> dict[int, int]:
        worker.send(signal.SIGSTOP)
        time.sleep(0.05)  # a statement that is under way ends
        if not (held := fleet.leased_by(worker)):
            worker.send(signal.SIGCONT)
        return held

    held = until("it is at work", caught)
    until("others took over what it had", lambda: all(fleet.fences()[account] > held[account] for account in held))
    worker.send(signal.SIGCONT)


def restart_database(fleet: Fleet) -> None:
    fleet.server.stop()
    time.sleep(2)  # ticks, heartbeats and commits meet a closed door
    fleet.server.start()


def test_whatever_befalls_processes_each_account_is_synced_on_by_one_at_a_time(fleet: Fleet) -> None:
    killed, frozen, third = (fleet.start(name) for name in ("killed", "frozen", "third"))
    fleet.all_synced()
    fleet.pay_in()
    kill(fleet, killed)
    replacement = fleet.start("replacement")
    until("it serves", lambda: "serving" in replacement.log.read_text())
    fleet.all_synced()
    fleet.pay_in()
    freeze(fleet, frozen)
    until("it is at work again", lambda: fleet.leased_by(frozen))
    fleet.all_synced()  # meanwhile it finds out what it lost
    restart_database(fleet)
    fleet.pay_in()
    time.sleep(1)  # a window ends at a whole second
    fleet.all_synced()

    said = {worker: worker.stopped() for worker in (frozen, third, replacement)}
    assert " lost" in said[frozen].splitlines()[-1]
    assert not any("Traceback" in words for words in said.values()), said

    no_stale_commit(fleet)
    nothing_done_twice_at_once(fleet)
    for name, exchange in fleet.exchanges.items():
        assert_same(fleet.server.url, exchange.account, name)
        nonces = [request.nonce for request in exchange.requests if request.nonce]
        assert len(nonces) == len(set(nonces))
    assert fleet.rows("SELECT DISTINCT owner, next_run_at IS NULL FROM lease") == [(None, False)]
    assert fleet.rows("SELECT DISTINCT state FROM proof WHERE asset = ''") == [("proven",)]


def no_stale_commit(fleet: Fleet) -> None:
    """Whoever wrote for an account held its lease when he committed."""
    pids = {name: str(worker.process.pid) for name, worker in fleet.workers.items()}
    written = fleet.rows("SELECT DISTINCT worker, split_part(owner, ':', 2) FROM written")
    assert {worker for worker, _ in written} == set(pids)
    assert all(pids[worker] == pid for worker, pid in written), written


def nothing_done_twice_at_once(fleet: Fleet) -> None:
    """What was committed under a lease ended before the first commit under the next one."""
    spans = "SELECT account_id, fence, min(at) AS first, max(at) AS last, count(DISTINCT owner) AS owners FROM written GROUP BY 1, 2"
    overlapping = f"""
        WITH span AS ({spans})
        SELECT * FROM span a JOIN span b ON a.account_id = b.account_id AND a.fence < b.fence AND a.last >= b.first
    """
    assert fleet.rows(overlapping) == []
    assert fleet.rows(f"SELECT max(owners) FROM ({spans}) AS span") == [(1,)]
