"""Files for other tools, from stored rows: one snapshot, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import localcontext
from hashlib import sha256
from pathlib import Path
from typing import Any

from portfolio_sync.app import App
from portfolio_sync.core.amount import EXACT
from portfolio_sync.errors import UsageError
from portfolio_sync.report.exports.formats import FORMATS
from portfolio_sync.report.exports.material import Material
from portfolio_sync.report.write import write_lines
from portfolio_sync.store.engine import reading
from portfolio_sync.tasks.books import close, ids_of, ledger, subject_of
from portfolio_sync.tasks.report import Asked, profile_of


@dataclass(frozen=True, slots=True)
class Exported:
    """``lines`` of text, the header with them."""

    format: str
    path: Path
    lines: int
    digest: str

    def document(self) -> dict[str, Any]:
        return {"format": self.format, "file": self.path, "lines": self.lines, "sha256": self.digest}


def export(app: App, name: str, asked: Asked, path: Path) -> Exported:
    """Write one file. Raises UsageError for a format that is not known."""
    if name not in FORMATS:
        raise UsageError(f"unknown format {name!r}; known: {', '.join(FORMATS)}")
    subject = subject_of(app.engine, asked.taxpayer, asked.accounts)
    profile = profile_of(app, asked)
    books = close(app.engine, subject, profile, None)
    counted, digest = 0, sha256()

    def watched(found: Iterator[str]) -> Iterator[str]:
        nonlocal counted
        for text in found:
            counted += text.count("\n")
            digest.update(text.encode())
            yield text

    with reading(app.engine) as connection, localcontext(EXACT):
        rows = (row for id_ in ids_of(subject) for row in ledger(connection, id_, books.seq))
        material = Material(rows, books.valuation.events, profile.currency)
        write_lines(path, watched(FORMATS[name].lines(material)))
    return Exported(name, path, counted, digest.hexdigest())
