"""An old report made again from its manifest: the frozen rows, the prices and records of then, the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from portfolio_sync import __version__
from portfolio_sync.app import App
from portfolio_sync.core.finding import Finding
from portfolio_sync.errors import InputFileError, UsageError
from portfolio_sync.normalize.rules import VERSION
from portfolio_sync.report import kept
from portfolio_sync.report.kept import Kept
from portfolio_sync.report.manifest import prices_digest
from portfolio_sync.report.write import MANIFEST
from portfolio_sync.store.engine import reading
from portfolio_sync.store.schema import closed_year, report_row
from portfolio_sync.tasks.books import Books, Frozen, close, subject_of
from portfolio_sync.tasks.bundle import bundled
from portfolio_sync.tasks.publish import finding_of, report_of, write_folder
from portfolio_sync.tax.profile import Profile


@dataclass(frozen=True, slots=True)
class Source:
    """Where a manifest's frozen input lies. ``findings``: what the proof of the accounts said then."""

    seq: int
    made_at: datetime
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``differing``: files that are not what the manifest says; ``reasons``: why that may be."""

    folder: Path
    files: Mapping[str, str]
    differing: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not self.differing

    def document(self) -> dict[str, Any]:
        return {
            "folder": self.folder, "same": self.same, "differing": self.differing, "reasons": self.reasons,
            "files": sorted(self.files),
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        if self.same:
            yield f"the report of the manifest, byte for byte -> {self.folder}"
            return
        yield f"NOT the report of the manifest: {', '.join(self.differing)} differ -> {self.folder}"
        yield from (f"  {reason}" for reason in self.reasons)


def rebuild(app: App, manifest: Path, folder: Path, bundle: Path | None = None) -> Rebuilt:
    """Write the report of a manifest again, storing nothing.

    Raises InputFileError for a file that is no manifest, UsageError where this database does not know its input.
    """
    said = kept.read(text_of(manifest), str(manifest))
    source = source_of(app.engine, said)
    subject = subject_of(app.engine, None, said.settings["accounts"])
    frozen = Frozen(source.seq, source.made_at, said.recorded)
    books = close(app.engine, subject, said.profile, year_of(said.settings["year"], said.profile), frozen=frozen)
    report = report_of(books, source.findings)
    files, text = write_folder(report, books.digest, folder, said.settings)
    if bundle:
        bundled(app.engine, books, folder, files, bundle)
    differing = differing_files(files, said)
    if not differing and text != said.text:
        differing = (MANIFEST,)
    return Rebuilt(folder, files, differing, tuple(reasons(books, said)) if differing else ())


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InputFileError(f"{path}: cannot be read: {why}; name the manifest.json of a report") from None


def differing_files(files: Mapping[str, str], said: Kept) -> tuple[str, ...]:
    names = sorted((files.keys() | said.files.keys()) - {MANIFEST})
    return tuple(name for name in names if files.get(name) != said.files.get(name))


def source_of(engine: Engine, said: Kept) -> Source:
    """The run that made the manifest; else one of the same input. Raises UsageError where there is none."""
    r, c = report_row.c, closed_year.c
    runs = select(r.input_seq, r.created_at, r.manifest).where(r.input_digest == said.input_digest).order_by(r.run_id)
    years = select(c.input_seq, c.closed_at, c.document).where(c.input_digest == said.input_digest)
    with reading(engine) as connection:
        found = [*connection.execute(years), *connection.execute(runs)]
    if not found:
        raise UsageError(
            f"no report or closed year of this database was made from the input {said.input_digest[:16]}...: "
            "use the database that the report was made with"
        )
    seq, made_at, made = next((row for row in found if row[2].get("text") == said.text), found[-1])
    return Source(seq, made_at, tuple(map(finding_of, made.get("extra", ()))))


def year_of(label: str, profile: Profile) -> int | None:
    year = None if label == "all" else int(label[:4]) if label[:4].isdigit() else 0
    if year is not None and (not year or profile.label(year) != label):
        raise InputFileError(f"the manifest's year {label} is no tax year of its profile")
    return year


def reasons(books: Books, said: Kept) -> Iterator[str]:
    """What is known not to be as it was."""
    if books.digest != said.input_digest:
        yield "the rows are not those of then: something other than this program changed the database, or an account is missing"
    if prices_digest(books.lookup.prices()) != said.prices_digest:
        yield "the prices used are not those of then (prices.csv beside the manifest has them)"
    yield from program_changes(said.program)


def program_changes(program: Mapping[str, str]) -> Iterable[str]:
    if program.get("version") != __version__:
        yield f"made by version {program.get('version')}, this is {__version__}"
    if program.get("rules") != VERSION:
        yield f"made with classification rules {program.get('rules')}, these are {VERSION}"
