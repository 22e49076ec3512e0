"""Notice that files changed, without any library: their marks are compared at each look."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

Mark = tuple[int, int, int, int] | None
"""Of one file: inode, size, when its content and when its mode or name changed (ns). None: it is not there."""


def marks(paths: Iterable[Path]) -> tuple[Mark, ...]:
    """How the files are now; links count as what they lead to."""
    return tuple(_mark(path) for path in paths)


class Watch:
    """Some files. A change counts when two looks in a row agree: a file is not taken up half-written."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        self._known = self._last = marks(self.paths)

    def changed(self) -> bool:
        """Look; whether the files have settled in another state than the one told last."""
        now, before = marks(self.paths), self._last
        self._last = now
        if now != before or now == self._known:
            return False
        self._known = now
        return True


def _mark(path: Path) -> Mark:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
