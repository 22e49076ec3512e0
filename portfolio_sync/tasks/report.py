"""Make a report as it was asked for: choose profile, year and taxpayer, close the books, write, and sum up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from portfolio_sync.app import App
from portfolio_sync.core.amount import shortest
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.errors import SettingsError, UsageError
from portfolio_sync.tasks.books import Books, close, last_complete_year, subject_of, write_report
from portfolio_sync.tasks.verify import proof_of
from portfolio_sync.tax.profile import Method, Profile, with_settings
from portfolio_sync.tax.profiles import profile_named

Year = int | Literal["all"] | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user gave; None and empty stand for the defaults of settings and profile."""

    profile: str | None = None
    method: str | None = None
    year: Year = None
    currency: str | None = None
    taxpayer: str | None = None
    overrides: Mapping[str, str] | None = None
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """A report that was written."""

    folder: Path
    books: Books
    files: Mapping[str, str]
    proof: str

    @property
    def findings(self) -> list[Finding]:
        return [*self.books.findings, *self.books.computation.findings]

    @property
    def needs_person(self) -> bool:
        return self.proof not in ("proven", "windowed") or any(f.severity is Severity.ERROR for f in self.findings)

    def total(self, item: str) -> Decimal:
        return next(
            (line.amount for line in self.books.computation.summary if (line.item, line.asset) == (item, "")),
            Decimal(0),
        )

    def document(self) -> dict[str, Any]:
        counts = self.books.counts
        return {
            "folder": self.folder,
            "profile": self.books.profile.name,
            "method": self.books.profile.method,
            "year": self.books.year_label,
            "currency": self.books.profile.currency,
            "proof": self.proof,
            "ledger_rows": counts.ledger_rows,
            "accounted_for": counts.event + counts.no_effect + counts.finding,
            "disposals": len(self.books.computation.disposals),
            "net_gain": self.total("net_gain"),
            "income": self.total("income"),
            "findings": dict(sorted(Counter(f.code for f in self.findings).items())),
            "files": sorted(self.files),
        }

    def lines(self) -> Iterator[str]:
        counts, profile = self.books.counts, self.books.profile
        accounted = counts.event + counts.no_effect + counts.finding
        yield f"{profile.title}, {self.books.year_label}, {profile.method}, {profile.currency} -> {self.folder}"
        yield f"  {accounted:,} of {counts.ledger_rows:,} ledger rows accounted for: {counts.event:,} in events, {counts.no_effect:,} without effect, {counts.finding:,} in findings"
        yield f"  {len(self.books.computation.disposals):,} disposals, net gain {money(self.total('net_gain'))}, income {money(self.total('income'))} {profile.currency}"
        yield f"  history: {self.proof}"
        for code, number in sorted(Counter(f.code for f in self.findings).items()):
            yield f"  {number:,} x {code}: see findings.csv" + (" and worklist.csv" if code == "unknown_cost" else "")


def money(amount: Decimal) -> str:
    """For the eye: two decimals. The files have every digit."""
    return shortest(amount.quantize(Decimal("0.01")))


def profile_of(app: App, asked: Asked) -> Profile:
    """The profile as overridden by settings and options, options last. Raises SettingsError for what is not known."""
    tax = app.settings.tax
    base = profile_named(asked.profile or tax.profile)
    given = {"currency": asked.currency or tax.currency, "timezone": tax.timezone, "method": asked.method}
    profile = with_settings(base, {k: v for k, v in given.items() if v} | dict(asked.overrides or {}))
    if profile.method not in profile.methods:
        raise SettingsError(f"profile {base.name} does not permit the method {profile.method}")
    _refuse_undated(base, profile)
    return profile


def _refuse_undated(base: Profile, profile: Profile) -> None:
    """A choice that the law wants made before the sale cannot be made by an option afterwards."""
    if profile.dated_methods_from and profile.method not in (base.method, Method.FIFO):
        raise UsageError(
            f"profile {base.name}: from {profile.dated_methods_from} on, another order than {base.method} must have been "
            "recorded before the sale; a report cannot choose it afterwards"
        )


def make(app: App, asked: Asked, folder: Path) -> Done:
    """Compute and write one report."""
    profile = profile_of(app, asked)
    subject = subject_of(app.engine, asked.taxpayer, asked.accounts)
    year = asked.year if asked.year is not None else last_complete_year(profile, app.clock.now())
    books = close(app.engine, subject, profile, None if year == "all" else year)
    proof = proof_of(app.engine, subject.accounts)
    settings = {
        "taxpayer": subject.taxpayer,
        "accounts": sorted(account.name for account in subject.accounts),
        "year": books.year_label,
        "proof": proof,
    }
    files = write_report(app.engine, books, folder, settings, (), app.clock.now())
    return Done(folder, books, files, proof)
