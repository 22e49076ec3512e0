"""kill -9 at any moment, run again: no row lost, none twice, at most one page a stream fetched again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from tests.patience import PATIENCE
from tests.wire.truth import assert_same


def start(exchange: Sandbox, database_url: str, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    environ = os.environ | {
        "KRAKEN_API_KEY": exchange.key,
        "KRAKEN_API_SECRET": exchange.secret,
        "PORTFOLIO_SYNC_KRAKEN_URL": exchange.url,
        "PORTFOLIO_SYNC_EXCHANGE_PACE": "false",
        "PORTFOLIO_SYNC_DATABASE_URL": database_url,
    }
    command = [sys.executable, "-m", "portfolio_sync", "sync", "--quiet", *options]
    return subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("at", [2, 9])
def test_a_killed_sync_goes_on_where_it_stood(database_url: str, tmp_path: Path, at: int) -> None:
    with Sandbox(generate(8, 600), limited=False) as exchange:
        for method in ("TradesHistory", "Ledgers"):
            already = exchange.calls(method)
            with start(exchange, database_url, tmp_path) as process:
                while exchange.calls(method) < already + at // 2 + 1 and process.poll() is None:
                    threading.Event().wait(0.002)
                process.send_signal(signal.SIGKILL)
        with start(exchange, database_url, tmp_path) as process:
            assert process.wait(timeout=PATIENCE) == 0
        assert_same(database_url, exchange.account)
        for method, rows in (("Ledgers", exchange.account.ledgers), ("TradesHistory", exchange.account.trades)):
            kills = 2
            assert exchange.calls(method) <= -(-len(rows) // 50) * 1.03 + 6 + 2 * kills
        nonces = [request.nonce for request in exchange.requests if request.nonce]
        assert len(nonces) == len(set(nonces))
