"""What a matching could not know, as findings: units missing, costs not known, values not known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from portfolio_sync.core.amount import ZERO, shortest
from portfolio_sync.core.event import Kind
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.lot import Act, Match, Matching, Movement
from portfolio_sync.tax.pool import Whereabouts


def gaps(matching: Matching) -> Iterator[Finding]:
    """Of one asset: more units asked for than known, disposals of unknown cost, gifts without a value."""
    yield from refusal(matching)
    yield from unknown_costs(matching)
    yield from unpriced_gifts(matching)
    yield from lots_not_there(matching)


def refusal(matching: Matching) -> Iterator[Finding]:
    leaving = matching.refused
    if leaving:
        missing = f"{shortest(matching.missing or ZERO)} {leaving.asset}"
        yield finding(
            "insufficient_holdings", leaving,
            f"this {leaving.kind} takes {missing} more than is known in {leaving.wallet}: no figures of {leaving.asset} from here on; import how they were acquired",
        )  # fmt: skip


def unknown_costs(matching: Matching) -> Iterator[Finding]:
    """One finding for each disposal that drew on units of unknown cost."""
    drawn: dict[int, list[Match]] = defaultdict(list)
    for match in matching.matches:
        if match.cost is None:
            drawn[id(match.disposal)].append(match)
    for matches in drawn.values():
        disposal = matches[0].disposal
        quantity = shortest(sum((match.quantity for match in matches), ZERO))
        reasons = "; ".join(dict.fromkeys(map(reason, matches)))
        yield finding("unknown_cost", disposal, f"{quantity} {disposal.asset} of this {disposal.kind} {reasons}")


def reason(match: Match) -> str:
    since = match.spoiled_by
    if match.lot:
        return f"came from {';'.join(match.lot.ids)}, whose cost is not known: state it"
    if since is None or since is match.disposal:
        return "have no cost: the price or the value of the whole portfolio is not known"
    return f"came from a pool whose cost is not known since {';'.join(since.ids)}: state what is missing there"


def unpriced_gifts(matching: Matching) -> Iterator[Finding]:
    for match in matching.matches:
        gift = match.disposal.act is Act.DISPOSE and Kind.GIFT_OUT in match.disposal.kind.split(";")
        if gift and match.proceeds is None:
            yield finding("missing_price", match.disposal, f"no value for the {match.disposal.asset} given away")


def lots_not_there(matching: Matching) -> Iterator[Finding]:
    for move, lot, named, there in matching.not_there:
        message = f"{shortest(named)} of lot {lot} were named for this {move.kind}, {shortest(there)} lay in {move.wallet}: the rest was taken in order"
        yield Finding(Severity.WARNING, "pick_not_filled", message, move.ids, move.time, move.account)


def short_wallets(history: Sequence[Movement]) -> Iterator[Finding]:
    """Of one asset: wallets that at the end have given more than they got: a name, or a purchase, is missing."""
    if len({m.wallet for m in history}) == 1 and not any(m.act is Act.MOVE for m in history):
        return
    places, short = Whereabouts(), dict[str, Movement]()
    for m in history:
        places.book(m)
        if m.act is Act.ACQUIRE:
            continue
        if places.units[m.wallet] < 0:
            short.setdefault(m.wallet, m)
        elif short:
            short.pop(m.wallet, None)
    for wallet, since in short.items():
        if (left := places.units[wallet]) < 0:
            message = f"{wallet} gave {shortest(-left)} {since.asset} more than came to it, since this {since.kind}: state how they came there, or another wallet"
            yield Finding(Severity.WARNING, "wallet_short", message, since.ids, since.time, since.account)


def finding(code: str, movement: Movement, message: str) -> Finding:
    return Finding(Severity.ERROR, code, message, movement.ids, movement.time, movement.account)
