"""Every permitted method on one frozen input. Nothing is stored: a comparison is no report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from portfolio_sync.app import App
from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.record import NOTHING_RECORDED, Recorded
from portfolio_sync.errors import SettingsError
from portfolio_sync.store import records
from portfolio_sync.store.engine import reading
from portfolio_sync.tasks.books import Books, Frozen, close, subject_of
from portfolio_sync.tasks.report import Asked, profile_of, year_of
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profile import Method, Profile, refuse_clash
from portfolio_sync.tax.result import Computation

FIGURES = (
    "proceeds", "cost", "net_gain_short", "net_gain_long", "net_gain", "income", "open_cost", "disposals", "disposals_unknown",
)  # fmt: skip
AS_RECORDED = "as recorded"


@dataclass(frozen=True, slots=True)
class Line:
    """One method's figures of the year; ``refused``: why the method cannot be had with these settings, and then no figures."""

    method: str
    figures: dict[str, Decimal]
    findings: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``seq`` and ``digest`` name the input that all lines rest on. ``note``: what the reader must know."""

    profile: Profile
    year: str
    seq: int
    digest: str
    lines: tuple[Line, ...]
    note: str = ""


def compare(app: App, asked: Asked) -> Comparison:
    """The profile's methods each on their own, and what stands on record, where something does."""
    profile = profile_of(app, asked)
    subject = subject_of(app.engine, asked.taxpayer, asked.accounts)
    now = app.clock.now()
    year = year_of(asked, profile, now)
    with reading(app.engine) as connection:
        recorded = records.recorded(connection, subject.taxpayer)
    books = close(app.engine, subject, profile, year, frozen=Frozen(None, now, NOTHING_RECORDED))

    def again(method: Method, what: Recorded) -> Books:
        frozen = Frozen(books.seq, now, what)
        return close(app.engine, subject, replace(profile, method=method), year, frozen=frozen)

    def lines() -> Iterator[Line]:
        for method in profile.methods:
            if method is Method.SPEC_ID and recorded.picks:
                yield line(method, again(method, replace(recorded, orders=())))
            else:
                yield alone(books, replace(profile, method=method))
        if recorded != NOTHING_RECORDED:
            yield line(AS_RECORDED, again(profile.method, recorded))

    return Comparison(profile, books.year_label, books.seq, books.digest, tuple(lines()), note_of(profile))


def note_of(profile: Profile) -> str:
    if profile.dated_methods_from is None:
        return ""
    return f"from {profile.dated_methods_from} on a choice counts only if it was recorded before the sale: the line `{AS_RECORDED}`, else {profile.method}"


def alone(books: Books, profile: Profile) -> Line:
    """The same valued events by another method."""
    try:
        refuse_clash(profile)
    except SettingsError as error:
        return Line(profile.method.value, {}, refused=str(error))
    computed = compute(books.valuation.events, profile, Options(books.year, hints=books.normalized.hints), books.lookup)
    return Line(profile.method.value, figures(computed), len(books.findings) + len(computed.findings))


def line(method: str, books: Books) -> Line:
    return Line(str(method), figures(books.computation), len(books.findings) + len(books.computation.findings))


def figures(computed: Computation) -> dict[str, Decimal]:
    totals = {one.item: one.amount for one in computed.summary if not one.asset}
    return {name: totals.get(name, ZERO) for name in FIGURES}
