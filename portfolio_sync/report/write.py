"""Files written whole: each under a temporary name, all renamed at the end. A failed run leaves the old ones."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Self

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
        digests = {table.name: write_csv(temporary(folder, table.name, waiting), table) for table in tables}
        digests[MANIFEST] = write_text(temporary(folder, MANIFEST, waiting), manifest(dict(digests)))
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


def write_file(path: Path, text: str) -> None:
    """One file of its owner's alone, written whole or not at all. Raises SurroundingsError."""
    write_lines(path, [text])


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """The same of a text that comes in parts, any number of them."""
    waiting: dict[str, Path] = {}
    try:
        with Digesting(temporary(path.parent, path.name, waiting)) as file:
            for text in lines:
                file.write(text)
        publish(path.parent, waiting)
    except OSError as error:
        raise SurroundingsError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        for left in waiting.values():
            left.unlink(missing_ok=True)


def temporary(folder: Path, name: str, waiting: dict[str, Path]) -> Path:
    waiting[name] = folder / f".{name}.{os.getpid()}.new"
    return waiting[name]


def write_csv(path: Path, table: Table) -> str:
    """Writes the table (RFC 4180 quoting, lines end in LF); returns its SHA-256."""
    with Digesting(path) as file:
        file.write(csv_text([table.header]))
        for block in table.blocks():
            file.write(csv_text(block))
    return file.digest.hexdigest()


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def write_text(path: Path, text: str) -> str:
    with Digesting(path) as file:
        file.write(text)
    return file.digest.hexdigest()


class Digesting:
    """A new file of the owner's alone that knows the digest of what was written; on disk when closed."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)  # of a run of the same process number that was killed
        self.digest = sha256()
        self.file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=1 << 20)

    def write(self, text: str) -> None:
        content = text.encode()
        self.digest.update(content)
        self.file.write(content)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with self.file:
            self.file.flush()
            os.fsync(self.file.fileno())


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
