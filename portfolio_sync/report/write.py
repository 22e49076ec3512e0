"""Files written whole: each under a temporary name, all renamed at the end. A failed run leaves the old ones."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from portfolio_sync.errors import SurroundingsError
from portfolio_sync.report.table import Table

MANIFEST = "manifest.json"


def write(folder: Path, tables: Iterable[Table], manifest: Callable[[Mapping[str, str]], str]) -> dict[str, str]:
    """Writes a report folder; returns the SHA-256 of each file. ``manifest`` makes its text from the other files' digests.

    Files are readable by their owner alone. A file that the folder's old manifest names and the new one does not is
    removed. Raises SurroundingsError where the folder cannot be written; then nothing in it has changed.
    """
    waiting: dict[str, Path] = {}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        obsolete = files_named(folder / MANIFEST)
        digests = {table.name: write_one(temporary(folder, table.name, waiting), csv_lines(table)) for table in tables}
        digests[MANIFEST] = write_one(temporary(folder, MANIFEST, waiting), iter([manifest(dict(digests))]))
        publish(folder, waiting)
        for name in obsolete - digests.keys():
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise SurroundingsError(f"cannot write the report into {folder}: {error.strerror or error}") from None
    finally:
        for path in waiting.values():
            with contextlib.suppress(OSError):  # already renamed, or the folder is gone
                path.unlink(missing_ok=True)
    return digests


def temporary(folder: Path, name: str, waiting: dict[str, Path]) -> Path:
    waiting[name] = folder / f".{name}.{os.getpid()}.new"
    return waiting[name]


def csv_lines(table: Table) -> Iterator[str]:
    """The table as CSV text (RFC 4180 quoting, lines end in LF), a line at a time."""
    line = Echo()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(table.header)
    yield line.text
    for cells in table.lines():
        writer.writerow(cells)
        yield line.text


class Echo:
    """What csv writes to, to have each line back."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def write_one(path: Path, lines: Iterator[str]) -> str:
    path.unlink(missing_ok=True)  # of a run of the same process number that was killed
    content = sha256()
    with private(path) as file:
        for line in lines:
            content.update(line.encode())
            file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return content.hexdigest()


def private(path: Path) -> IO[str]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return TextIOWrapper(os.fdopen(descriptor, "wb", buffering=1 << 20), encoding="utf-8", newline="")


def publish(folder: Path, waiting: Mapping[str, Path]) -> None:
    """All or nothing as far as a file system goes: what would stop a rename is looked for before the first; the manifest last."""
    for name in waiting:
        if (folder / name).is_dir():
            raise IsADirectoryError(f"{name} is a folder")
    for name, path in waiting.items():
        path.replace(folder / name)


def files_named(manifest: Path) -> set[str]:
    """The files of the report that lies there, by its manifest; none where there is no readable one."""
    try:
        named = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        return {name for name in named if Path(name).name == name}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
