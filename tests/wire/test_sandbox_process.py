"""``python -m portfolio_sync.sandbox``: says where it is, serves, and stops cleanly."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from portfolio_sync.sandbox.__main__ import main
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.server import Sandbox
from tests.patience import PATIENCE
from tests.wire.caller import Caller


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "portfolio_sync.sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def calling(ready: dict[str, Any]) -> Caller:
    return Caller(cast("Sandbox", SimpleNamespace(url=ready["url"])), Key(ready["key"], ready["secret"]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_a_saved_account_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    account = generate(3, 60)
    account.save(tmp_path / "account.json")
    with started("--account", str(tmp_path / "account.json"), "--json") as process:
        ready = json.loads(line(process))
        with calling(ready) as call:
            assert call.result("Balance") == account.balances
        process.send_signal(number)
        assert process.communicate(timeout=PATIENCE) == ("", "")
        assert process.returncode == 0


def test_it_makes_up_an_account_and_a_key_as_asked() -> None:
    with started("--rows", "50", "--seed", "4", "--tier", "pro", "--permissions", "query-ledger") as process:
        ready = dict(line(process).split() for _ in range(3))
        with calling(ready) as call:
            assert call.result("Ledgers", aclass="currency")["count"] <= 50
            assert call.error("Balance") == "EGeneral:Permission denied"


def test_what_it_cannot_serve_it_says_and_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.json").write_text("{}")
    assert main(["--account", str(tmp_path / "broken.json")]) == 2
    assert "broken.json is not a saved account" in capsys.readouterr().err
    assert main(["--account", str(tmp_path / "missing.json")]) == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--rows", "5", "--port", str(taken.getsockname()[1])]) == 2
    assert "in use" in capsys.readouterr().err
