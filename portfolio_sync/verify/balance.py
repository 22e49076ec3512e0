"""Where the chains stand against what the exchange says the balances are: nothing is missing at the end.

Three ways in which coins in Earn may show are told apart, because the API's pages do not say which one holds:

- as codes of their own (``ETH.F``): every chain stands at the balance of a code;
- in the plain code's one balance (``merged``): the same, and rows of Earn have continued the spot chain;
- as chains of their own under the plain code: then the spot chain stands at the balance of the plain code (which leaves
  Earn out), or all of them together do (which includes it), and those of Earn at what Earn/Allocations says.

A chain that no figure explains is what a deleted row leaves behind. Where chains beside the spot chain are accepted, no row
that is Earn's may have continued the spot chain, and the legs of all moves must cancel: so a deleted leg is not
taken for a wallet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portfolio_sync.core.amount import EXACT, ZERO, shortest
from portfolio_sync.core.asset import holding
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.verify.chain import Chains, ChainState, End
from portfolio_sync.verify.place import EARN_SIDE, REWARD, SPOT

PLAIN = frozenset({SPOT, *EARN_SIDE})


@dataclass(frozen=True, slots=True)
class Figure:
    """What the exchange says of one asset code (a balance), or of one strategy (an allocation)."""

    asset: str
    symbol: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All balances and allocations at one moment, taken while the newest ledger row stayed the same. ``taken_at``: the exchange's clock."""

    taken_at: datetime
    balances: Sequence[Figure]
    earn: Sequence[Figure] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """How one symbol's chains agree with the snapshot. ``ways``: the readings of Earn that fit, empty where none does."""

    symbol: str
    ways: frozenset[str]
    ends: tuple[End, ...]
    figures: tuple[Figure, ...]
    problem: str = ""


ONE, WITHOUT, WITH = "one balance", "Earn apart from the balance", "Earn in the balance"


def compare(state: ChainState, snapshot: Snapshot) -> list[Finding]:
    """What does not agree. ``windowed`` chains: a balance without rows may have stood there before the window."""
    said, lent = _by_symbol(snapshot.balances), _by_symbol(snapshot.earn)
    fits = [
        _fit(state, chains, said.pop(symbol, []), [figure.amount for figure in lent.pop(symbol, [])])
        for symbol, chains in sorted(state.symbols.items())
    ]
    found = [_differs(fit) for fit in fits if not fit.ways]
    common = frozenset[str]({WITHOUT, WITH}).intersection(*(fit.ways for fit in fits if fit.ways and ONE not in fit.ways))
    if not found and not common:
        found.append(_finding("earn_contradicts", "some balances include what lies in Earn, others leave it out: rows are missing at the end"))
    if not state.windowed:
        found += [_unbooked(symbol, figures) for symbol, figures in sorted(said.items())]
    return found


def _fit(state: ChainState, chains: Chains, said: list[Figure], lent: list[Decimal]) -> Fit:
    ends = sorted(chains.ends, key=lambda end: (end.place in EARN_SIDE, end.place != SPOT))
    here = [figure for figure in said if not state.windowed or _touched(figure, chains)]
    left, missing = _explained(ends, here)
    named = [figure.amount for figure in said if "." in figure.asset]
    lent = _without(lent, named)
    moves = state.moves.get(holding(chains.symbol), ZERO)
    ways: set[str] = set()
    if not left and not missing:
        if not lent or state.windowed or (not moves and _shares_one(chains)):
            ways.add(ONE)
    elif lent and not moves and not chains.merged:
        plain = [end for end in ends if end.place in PLAIN]
        total = _sum(figure.amount for figure in said if "." not in figure.asset)
        if not missing and _are(left, lent):
            ways.add(WITHOUT)
        spot = [end.value for end in plain if end.place == SPOT]
        rest = [end for end in left if end.place not in PLAIN]
        earning = [end for end in plain if end.place != SPOT]
        alone = all("." not in figure.asset for figure in missing)
        if not rest and alone and chains.apart and _are(earning, lent) and _sum([*spot, *(e.value for e in earning)]) == total:
            ways.add(WITH)
    return Fit(chains.symbol, frozenset(ways), tuple(ends), tuple(said))


def _shares_one(chains: Chains) -> bool:
    """Rows of Earn did continue the spot chain, or a chain of Earn is all there is."""
    return chains.merged or chains.perhaps_merged or any(end.place in EARN_SIDE for end in chains.ends)


def _touched(figure: Figure, chains: Chains) -> bool:
    """Whether the window has rows of this code; else what lies there is older than what can be seen."""
    suffix = figure.asset.partition(".")[2]
    return any(place.endswith(suffix) if suffix else place in PLAIN for place in chains.places)


def _explained(ends: Sequence[End], figures: Iterable[Figure]) -> tuple[list[End], list[Figure]]:
    """Ends and figures without a partner of the same amount. Ends are given spot first, so that what is left is Earn's."""
    left, missing = list(ends), []
    for figure in figures:
        partner = next((i for i, end in enumerate(left) if end.value == figure.amount), None)
        if partner is not None:
            del left[partner]
        elif figure.amount:
            missing.append(figure)
    return left, missing


def _are(ends: Sequence[End], lent: Sequence[Decimal]) -> bool:
    """Whether these chains are the allocations, one by one or as one wallet."""
    if not ends or any(end.place == SPOT for end in ends):
        return False
    values = sorted(end.value for end in ends)
    return values == sorted(lent) or _sum(values) == _sum(lent)


def _without(lent: Sequence[Decimal], named: Sequence[Decimal]) -> list[Decimal]:
    """Allocations that no code of its own in the balances stands for."""
    left = [amount for amount in lent if amount]
    for amount in named:
        if amount in left:
            left.remove(amount)
    return [] if _sum(lent) == _sum(named) else left


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total


def _by_symbol(figures: Iterable[Figure]) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    for figure in figures:
        if figure.amount:
            found.setdefault(figure.symbol, []).append(figure)
    return found


def _differs(fit: Fit) -> Finding:
    ours = ", ".join(f"{shortest(end.value)} ({end.place})" for end in fit.ends) or "nothing"
    theirs = ", ".join(f"{shortest(figure.amount)} {figure.asset}" for figure in fit.figures) or "nothing"
    gap = EXACT.subtract(_sum(f.amount for f in fit.figures), _sum(e.value for e in fit.ends))
    message = f"{fit.symbol}: the ledger ends at {ours}, the exchange's balance is {theirs} (difference {shortest(gap)})"
    return _finding("balance_differs", message, tuple(end.row for end in fit.ends))


def _unbooked(symbol: str, figures: Sequence[Figure]) -> Finding:
    said = ", ".join(f"{shortest(figure.amount)} {figure.asset}" for figure in figures)
    return _finding("balance_without_ledger", f"{symbol}: the exchange's balance is {said}, and there is no ledger row of it")


def _finding(code: str, message: str, source: tuple[str, ...] = ()) -> Finding:
    return Finding(Severity.ERROR, code, message, source)
