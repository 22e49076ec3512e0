"""Coins that one taxpayer sent from Kraken and that came back to one of his accounts: the same coins, not new ones.

Joined only by what cannot be chance: the hash of the transaction on the chain, or an id that both sides carry. Equal
amounts at a likely time are suggested to a person, never assumed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal, localcontext
from operator import attrgetter

from portfolio_sync.core.amount import EXACT, shortest
from portfolio_sync.core.event import Event, Kind, Leg, content_id
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import iso
from portfolio_sync.normalize.events import Normalized
from portfolio_sync.normalize.outcome import EXTERNAL, is_coin

# As many units as were sent, or up to 2 % less for fees on the way, within two weeks.
LIKELY_WITHIN = timedelta(days=14)
FEE_ON_THE_WAY = Decimal("0.98")

BY_TIME = attrgetter("time")
Marks = Mapping[tuple[str, str], Collection[str]]
"""(account, ledger row id) -> exact marks of that movement: the hash on the chain, an id that the other side carries too."""
NO_MARKS: Marks = {}


@dataclass(frozen=True, slots=True)
class Match:
    """A deposit that is an earlier withdrawal; ``mark`` is what both carry."""

    withdrawal: Event
    deposit: Event
    mark: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A deposit that may be an earlier withdrawal; ``why`` for the reader."""

    withdrawal: Event
    deposit: Event
    why: str

    @property
    def hint(self) -> str:
        """For the note of a worklist row."""
        ids = ";".join(self.withdrawal.source)
        return f"may be withdrawal {ids} of {iso(self.withdrawal.time)} from {self.withdrawal.account} coming back ({self.why})"

    @property
    def finding(self) -> Finding:
        leg = self.deposit.legs[0]
        return Finding(
            Severity.WARNING, "possible_own_transfer",
            f"{shortest(leg.number)} {leg.asset} {self.hint}: if so, state a transfer from {EXTERNAL}{self.withdrawal.account} under this id, else their cost",
            self.deposit.source, self.deposit.time, self.deposit.account,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwnTransfers:
    """Both in order of the deposits."""

    matches: tuple[Match, ...]
    suggestions: tuple[Suggestion, ...]


def reunited(normalized: Normalized, marks: Marks) -> Normalized:
    """With what was found: matched deposits as returns, a finding and a hint for each that is only likely."""
    found = own_transfers(normalized.events, marks)
    if not (found.matches or found.suggestions):
        return normalized
    return replace(
        normalized, events=tuple(joined(normalized.events, found.matches)),
        findings=(*normalized.findings, *(suggestion.finding for suggestion in found.suggestions)),
        hints={suggestion.deposit.id: suggestion.hint for suggestion in found.suggestions},
    )  # fmt: skip


def own_transfers(events: Iterable[Event], marks: Marks) -> OwnTransfers:
    """Of one taxpayer's events: which deposits are which withdrawals. Money, and deposits of a stated cost, are left alone."""
    ordered = sorted((event for event in events if event.legs and is_coin(event.legs[0].asset)), key=BY_TIME)
    sent = [event for event in ordered if event.kind is Kind.WITHDRAWAL]
    arrived = [event for event in ordered if event.kind is Kind.DEPOSIT and event.facts.cost is None]
    with localcontext(EXACT):
        matches = tuple(exact(sent, arrived, marks))
        used = {id(match.withdrawal) for match in matches} | {id(match.deposit) for match in matches}
        free = [event for event in sent if id(event) not in used]
        suggestions = tuple(likely(free, [event for event in arrived if id(event) not in used], marks))
    return OwnTransfers(matches, suggestions)


def exact(sent: Sequence[Event], arrived: Sequence[Event], marks: Marks) -> Iterator[Match]:
    """One withdrawal and one deposit of a mark. Of several (a batch shares its hash) those of equal units, if just one each."""
    by_mark: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in sent:
        for mark in marks_of(event, marks):
            by_mark[mark, event.legs[0].asset].append(event)
    claims = [list(fitting(deposit, by_mark, marks)) for deposit in arrived]
    claimed = Counter(id(withdrawal) for claim in claims for withdrawal, _ in claim)
    for deposit, claim in zip(arrived, claims, strict=True):
        if len(claim) == 1 and claimed[id(claim[0][0])] == 1:
            yield Match(claim[0][0], deposit, claim[0][1])


def fitting(
    deposit: Event, by_mark: Mapping[tuple[str, str], Sequence[Event]], marks: Marks
) -> Iterator[tuple[Event, str]]:
    """Withdrawals that share a mark with the deposit and can be it: not later, not fewer units; each with one mark."""
    leg = deposit.legs[0]
    sharing = [(w, mark) for mark in marks_of(deposit, marks) for w in by_mark.get((mark, leg.asset), ())]
    able = {id(w): (w, mark) for w, mark in sharing if w.time <= deposit.time and units(w) >= leg.number}
    same = [(w, mark) for w, mark in able.values() if units(w) == leg.number]
    yield from same or able.values()


def marks_of(event: Event, marks: Marks) -> list[str]:
    return sorted({mark for row in event.source for mark in marks.get((event.account, row), ()) if mark})


def units(withdrawal: Event) -> Decimal:
    return -withdrawal.legs[0].number


def likely(sent: Sequence[Event], arrived: Sequence[Event], marks: Marks) -> Iterator[Suggestion]:
    """The nearest earlier withdrawal that fits each deposit, if any."""
    by_asset: dict[str, list[Event]] = defaultdict(list)
    for event in sent:
        by_asset[event.legs[0].asset].append(event)
    for deposit in arrived:
        same_asset = by_asset.get(deposit.legs[0].asset, [])
        start = bisect_left(same_asset, deposit.time - LIKELY_WITHIN, key=BY_TIME)
        stop = bisect_right(same_asset, deposit.time, key=BY_TIME)
        nearest = reversed(same_asset[start:stop])
        found = next((withdrawal for withdrawal in nearest if may_be(withdrawal, deposit, marks)), None)
        if found:
            amount = "the same amount" if deposit.legs[0].number == units(found) else "nearly the same amount"
            yield Suggestion(found, deposit, f"{amount} within {LIKELY_WITHIN.days} days")


def may_be(withdrawal: Event, deposit: Event, marks: Marks) -> bool:
    """Alike in units; and not known to be something else by a hash of its own."""
    own, theirs = marks_of(deposit, marks), marks_of(withdrawal, marks)
    differ = bool(own and theirs) and set(own).isdisjoint(theirs)
    return not differ and units(withdrawal) * FEE_ON_THE_WAY <= deposit.legs[0].number <= units(withdrawal)


def joined(events: Iterable[Event], matches: Iterable[Match]) -> list[Event]:
    """The events with each matched deposit as the return of the withdrawn lots, cost and date kept."""
    back = {id(match.deposit): match for match in matches}
    return [returned(event, back[id(event)]) if id(event) in back else event for event in events]


def returned(deposit: Event, match: Match) -> Event:
    legs = tuple(Leg(-leg.number, leg.asset, leg.ids) for leg in deposit.legs)
    return replace(
        deposit, id=content_id("E", deposit.account, *deposit.source, "own transfer"), kind=Kind.TRANSFER, legs=legs,
        rule="own transfer", wallet=EXTERNAL + match.withdrawal.account, to_wallet=deposit.account,
    )  # fmt: skip
