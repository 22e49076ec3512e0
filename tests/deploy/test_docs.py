"""docs/operations.md does what it says: its blocks marked ``run``, literally, one after the other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from tests import postgres

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh run(?P<kind>[a-z ]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PORTFOLIO_SYNC = f'#!/bin/sh\nexec "{sys.executable}" -m portfolio_sync "$@"\n'


def blocks(kind: str) -> str:
    return "\n".join(found["text"] for found in BLOCK.finditer(PAGE) if found["kind"].strip() == kind)


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A shell in the repository's copy of deploy/, with the command on PATH and a key of the practice exchange."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "portfolio-sync").write_text(PORTFOLIO_SYNC)
    (bin_ / "portfolio-sync").chmod(0o755)
    shutil.copytree(ROOT / "deploy", tmp_path / "work" / "deploy")
    with Sandbox(generate(14, 120), limited=False) as exchange:
        yield os.environ | {
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "KRAKEN_API_KEY": exchange.key,
            "KRAKEN_API_SECRET": exchange.secret,
            "PORTFOLIO_SYNC_KRAKEN_URL": exchange.url,
            "PORTFOLIO_SYNC_EXCHANGE_PACE": "false",
        }


def run(script: str, environ: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        ["sh", "-eux", "-c", script], cwd=folder / "work", env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_for_sqlite_do_what_they_say(environ: dict[str, str], tmp_path: Path) -> None:
    out = run(blocks(""), environ, tmp_path)
    assert "may see ledger entries" in out
    assert out.count("whole, revision") == 2
    assert "is what backups/" in out
    assert len(list((tmp_path / "work" / "backups").iterdir())) == 1


def test_the_commands_for_postgresql_do_what_they_say(environ: dict[str, str], tmp_path: Path) -> None:
    with postgres.own_server() as server:
        client = str(Path(postgres.client("pg_dump")).parent)
        here = {"PGHOST": str(server.folder), "PGUSER": "postgres", "PATH": f"{client}:{environ['PATH']}"}
        out = run(blocks("postgresql"), environ | here, tmp_path)
    assert "BTC" in out
    assert "proven" in out


def test_every_test_that_the_table_names_exists() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+?)_?\.\.\.`", PAGE)
    assert len(named) > 10
    for name in named:
        assert f"def {name}" in tests, name
    for path in re.findall(r"`((?:tests|deploy)/[\w./]+)`", PAGE):
        assert (ROOT / path).exists(), path
