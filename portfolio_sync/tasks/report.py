"""Make a report as it was asked for: choose profile, year and taxpayer, close the books, write, and sum up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from portfolio_sync.app import App
from portfolio_sync.core.amount import shortest
from portfolio_sync.core.cycles import without_cycle_search
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.errors import SettingsError, UsageError
from portfolio_sync.report.kept import recorded_settings
from portfolio_sync.tasks.books import Books, close, last_complete_year, subject_of
from portfolio_sync.tasks.bundle import bundled
from portfolio_sync.tasks.history_proof import HistoryProof, proof_of_books
from portfolio_sync.tasks.publish import write_report
from portfolio_sync.tasks.rules import stated_rules
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
    proof: HistoryProof
    bundle: Path | None = None

    @property
    def findings(self) -> list[Finding]:
        return [*self.books.findings, *self.books.computation.findings, *self.proof.findings]

    @property
    def needs_person(self) -> bool:
        return self.proof.needs_person or any(finding.severity is Severity.ERROR for finding in self.findings)

    def total(self, item: str) -> Decimal:
        return next(
            (line.amount for line in self.books.computation.summary if (line.item, line.asset) == (item, "")),
            Decimal(0),
        )

    @property
    def at_cost(self) -> str:
        """Rows of ``disposals.csv`` that are in no figure of the summary."""
        left = len(self.books.computation.disposals) - int(self.total("disposals"))
        return f" (and {left:,} gifts or losses without gain)" if left else ""

    @property
    def without_gain(self) -> str:
        """A total must not pass for that of all sales."""
        unknown = self.total("disposals_unknown")
        return f"{unknown:,} of unknown gain, of the others " if unknown else ""

    def document(self) -> dict[str, Any]:
        counts = self.books.counts
        return {
            "folder": self.folder,
            "profile": self.books.profile.name,
            "method": self.books.profile.method,
            "year": self.books.year_label,
            "currency": self.books.profile.currency,
            "proof": self.proof.state,
            "ledger_rows": counts.ledger_rows,
            "accounted_for": counts.event + counts.no_effect + counts.finding,
            "disposals": len(self.books.computation.disposals),
            "disposals_unknown": int(self.total("disposals_unknown")),
            "net_gain": shortest(self.total("net_gain")),
            "income": shortest(self.total("income")),
            "findings": dict(sorted(Counter(f.code for f in self.findings).items())),
            "files": sorted(self.files),
            "bundle": self.bundle,
        }

    def lines(self) -> Iterator[str]:
        counts, profile = self.books.counts, self.books.profile
        accounted = counts.event + counts.no_effect + counts.finding
        yield f"{profile.title}, {self.books.year_label}, {profile.method}, {profile.currency} -> {self.folder}"
        yield f"  {accounted:,} of {counts.ledger_rows:,} ledger rows accounted for: {counts.event:,} in events, {counts.no_effect:,} without effect, {counts.finding:,} in findings"
        yield f"  {self.total('disposals'):,} disposals{self.at_cost}, {self.without_gain}net gain {money(self.total('net_gain'))}, income {money(self.total('income'))} {profile.currency}"
        yield f"  history: {self.proof.said}"
        for code, number in sorted(Counter(f.code for f in self.findings).items()):
            yield f"  {number:,} x {code}: see findings.csv" + (" and worklist.csv" if code == "unknown_cost" else "")


def money(amount: Decimal) -> str:
    """For the eye: two decimals. The files have every digit."""
    return shortest(amount.quantize(Decimal("0.01")))


def profile_of(app: App, asked: Asked) -> Profile:
    """The profile as overridden by settings and options, options last. Raises SettingsError for what is not known."""
    tax = app.settings.tax
    base = profile_named(asked.profile or tax.profile)
    ages = {"coin_price_age": app.settings.prices.coin_age, "fiat_price_age": app.settings.prices.fiat_age}
    given = {"currency": asked.currency or tax.currency, "timezone": tax.timezone, "method": asked.method} | ages
    profile = with_settings(base, {k: v for k, v in given.items() if v} | dict(asked.overrides or {}))
    if profile.method not in profile.methods:
        raise SettingsError(f"profile {base.name} does not permit the method {profile.method}")
    _refuse_undated(base, profile)
    return replace(profile, rules=stated_rules(app.settings), price_order=app.settings.prices.order)


def _refuse_undated(base: Profile, profile: Profile) -> None:
    """A choice that the law wants made before the sale cannot be made by an option; ``spec_id`` alone names no lot."""
    if profile.dated_methods_from and profile.method not in (base.method, Method.FIFO, Method.SPEC_ID):
        raise UsageError(
            f"profile {base.name}: from {profile.dated_methods_from} on, another order than {base.method} must have been "
            "recorded before the sale; a report cannot choose it afterwards. `method set` records it, and for sales before "
            "that day counts from the date it names"
        )


@without_cycle_search()
def make(app: App, asked: Asked, folder: Path, bundle: Path | None = None) -> Done:
    """Compute and write one report; ``bundle``: the same and its raw rows as one ZIP."""
    books = closed_books(app, asked)
    proof = proof_of_books(app, books)
    settings = settings_of(books, proof.state)
    files = write_report(app.engine, books, folder, settings, proof.findings, app.clock.now())
    if bundle:
        bundled(app.engine, books, folder, files, bundle)
    return Done(folder, books, files, proof, bundle)


def closed_books(app: App, asked: Asked) -> Books:
    """The books of whom and what was asked for, as of now."""
    profile = profile_of(app, asked)
    subject = subject_of(app.engine, asked.taxpayer, asked.accounts)
    return close(app.engine, subject, profile, year_of(asked, profile, app.clock.now()))


def year_of(asked: Asked, profile: Profile, now: datetime) -> int | None:
    """None: all years."""
    year = asked.year if asked.year is not None else last_complete_year(profile, now)
    return None if year == "all" else year


def settings_of(books: Books, proof: str) -> dict[str, Any]:
    """The settings of the manifest: with the profile and the digests, all that the figures depend on."""
    return {
        "taxpayer": books.subject.taxpayer,
        "accounts": sorted(account.name for account in books.subject.accounts),
        "year": books.year_label,
        "proof": proof,
        **recorded_settings(books.recorded),
    }
