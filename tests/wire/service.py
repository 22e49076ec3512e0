"""A ``serve`` of its own process, its settings, what it says and what it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from portfolio_sync.sandbox.key import Key
from tests.patience import PATIENCE

SETTINGS = """\
[exchange]
url = "{url}"
pace = false
give_up_after = "0s"
[sync]
schedule = "{schedule}"
jitter = "0s"
[service]
lease = "3s"
stale_after = 1000
listen = "127.0.0.1:0"
"""


class Service:
    """A running ``serve``. ``lines`` is what its log said so far, one JSON object a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.base = ""

    def hear(self, words: str) -> dict[str, Any]:
        """The next line that holds the words; the address is learnt in passing."""
        assert self.process.stderr is not None
        for text in self.process.stderr:
            self.lines.append(json.loads(text))
            message = self.lines[-1]["message"]
            if message.startswith("listening on "):
                self.base = message.removeprefix("listening on ")
            if words in message:
                return self.lines[-1]
        raise AssertionError(self.lines)

    def said(self, words: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if words in line["message"]]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.base + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def ready(self) -> tuple[int, dict[str, Any]]:
        status, body = self.get("/readyz")
        return status, json.loads(body)

    def stop(self) -> float:
        """Ends it as systemd would; returns the seconds it took. Its last lines are in ``lines``."""
        start = time.monotonic()
        self.process.terminate()
        assert self.process.stderr is not None
        self.lines += [json.loads(text) for text in self.process.stderr]
        assert self.process.wait(timeout=PATIENCE) == 0
        return time.monotonic() - start


def account(name: str, key: Key, folder: Path) -> str:
    """An ``[[accounts]]`` entry, with its key file."""
    path = folder / f"{name}.key"
    path.touch(mode=0o600)
    path.write_text(f"{key.key}\n{key.secret}\n")
    return f'[[accounts]]\nname = "{name}"\nkey_file = "{path.name}"\n'


@contextmanager
def serving(folder: Path, settings: str, database_url: str, **environ: str) -> Iterator[Service]:
    (folder / "portfolio-sync.toml").write_text(settings)
    command = [sys.executable, "-m", "portfolio_sync", "--log-format", "json", "serve"]
    given = os.environ | {"PORTFOLIO_SYNC_DATABASE_URL": database_url} | environ
    with subprocess.Popen(command, cwd=folder, env=given, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Service(process)
        finally:
            process.kill()
