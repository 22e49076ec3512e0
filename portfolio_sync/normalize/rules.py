"""What each (type, subtype) of ledger row means, as a table. A pair that is not in it is a finding, never a guess.

Raise ``VERSION`` with any change: it stands in each report's manifest. ``decision`` names the row of docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

VERSION = "2"


class Treatment(StrEnum):
    EXCHANGE = "exchange"
    """Legs of one fill or conversion: what was given and what was received share a refid and an instant."""
    CONVERSION = "conversion"
    """The exchange books one asset in the place of another; its rows share a refid, or nothing but the time."""
    FUNDING = "funding"
    """A deposit or withdrawal; its reversal carries the same refid, the opposite amount and a negative fee."""
    REWARD = "reward"
    """Income of ``amount - fee``; first paired, since a pair of opposite rows is a move or a renaming."""
    INCOME = "income"
    """Income of ``amount - fee`` of the rule's ``income_type``; never negative."""
    MARGIN = "margin"
    """Profit or loss of a position and the fees of opening and closing it."""
    FEE = "fee"
    """Nothing but a charge."""
    NFT = "nft"
    """Coins for a thing that the ledger does not know, or coins got for one: at their market value."""
    INTERNAL = "internal"
    """Between wallets of one account: no effect on lots."""
    OUTSIDE = "outside"
    """To and from a ``place`` of the taxpayer's that has no rows in this ledger: lots move there and back."""
    UNEXPLAINED = "unexplained"
    """Coins move and the ledger does not say why: a lot of unknown cost, or lots kept outside, and a warning."""
    REVIEW = "review"
    """Not classified: a person decides."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``subtypes`` of one ``type`` that are treated alike. ``income_type`` and ``place`` belong to the treatments that name them."""

    name: str
    type: str
    subtypes: tuple[str, ...]
    treatment: Treatment
    why: str
    decision: str
    income_type: str = ""
    place: str = ""


T = Treatment
PLAIN = ("",)
STAKING_MOVES = ("spottostaking", "stakingfromspot", "stakingtospot", "spotfromstaking")
EARN_MOVES = ("allocation", "deallocation", "autoallocation", "autoallocate", "migration")
BONUS = "a bonus for joining or inviting, worth its market value"
AIRDROP = "coins handed out to holders, worth their market value at receipt"
CONVERTED = "one asset booked in the place of another: a trade at market value"
NOT_IN_LEDGER = "the other side of the move is no row of this ledger; the coins stay the owner's"

RULES = (
    Rule("fill", "trade", ("", "tradespot", "autoallocation"), T.EXCHANGE, "the legs of one fill", "N1"),
    Rule("convert", "spend", ("", "dustsweeping"), T.EXCHANGE, "Buy, Sell, Convert: what was given", "N1"),
    Rule("convert", "receive", ("", "dustsweeping"), T.EXCHANGE, "Buy, Sell, Convert: what was received", "N1"),
    Rule("settled in kind", "settled", PLAIN, T.EXCHANGE, "a position settled in coins is a purchase or sale", "N2"),
    Rule("adjustment", "adjustment", PLAIN, T.CONVERSION, CONVERTED, "N3"),
    Rule("delisting", "transfer", ("delistingconversion",), T.CONVERSION, CONVERTED, "N3"),
    Rule("delisting", "earn", ("delistingconversion",), T.CONVERSION, CONVERTED, "N3"),
    Rule("conversion", "conversion", PLAIN, T.CONVERSION, CONVERTED, "N3"),
    Rule("sale", "sale", PLAIN, T.CONVERSION, "sold by the exchange for its owner", "N3"),
    Rule("deposit", "deposit", PLAIN, T.FUNDING, "arrived from outside", "N4"),
    Rule("withdrawal", "withdrawal", PLAIN, T.FUNDING, "left for outside: lots move, only a fee in coins is used up", "N4"),
    # One reward has two names: `staking` in the API, `earn/reward` in the CSV export. One rule name, one result.
    Rule("reward", "staking", PLAIN, T.REWARD, "reward, net of Kraken's commission", "N5", "staking"),
    Rule("reward", "earn", ("", "reward"), T.REWARD, "reward, net of Kraken's commission", "N5", "staking"),
    Rule("bonus", "reward", ("", "invitebonus"), T.INCOME, BONUS, "N6", "bonus"),
    Rule("bonus", "invite bonus", PLAIN, T.INCOME, BONUS, "N6", "bonus"),
    Rule("dividend", "dividend", PLAIN, T.INCOME, "paid on a tokenised stock", "N6", "dividend"),
    Rule("airdrop", "airdrop", PLAIN, T.INCOME, AIRDROP, "N6", "airdrop"),
    Rule("airdrop", "deposit", ("airdrop",), T.INCOME, AIRDROP, "N6", "airdrop"),
    Rule("airdrop", "transfer", ("airdrop",), T.INCOME, AIRDROP, "N6", "airdrop"),
    Rule("airdrop", "earn", ("airdrop",), T.INCOME, AIRDROP, "N6", "airdrop"),
    Rule("earn move", "earn", EARN_MOVES, T.INTERNAL, "a move between spot and Earn", "N7"),
    Rule("staking move", "transfer", STAKING_MOVES, T.INTERNAL, "a move between spot and staking", "N7"),
    Rule("futures", "transfer", ("spottofutures", "spotfromfutures"), T.OUTSIDE, NOT_IN_LEDGER, "N8", place="futures"),
    Rule("hybrid earn", "hybridearnwithdrawal", PLAIN, T.OUTSIDE, NOT_IN_LEDGER, "N8", place="hybrid earn"),
    Rule("hybrid earn", "hybridearndeposit", PLAIN, T.OUTSIDE, NOT_IN_LEDGER, "N8", place="hybrid earn"),
    Rule("custody", "custodytransfer", PLAIN, T.OUTSIDE, NOT_IN_LEDGER, "N8", place="custody"),
    Rule("margin", "margin", PLAIN, T.MARGIN, "profit or loss of a position, and its fees", "N9"),
    Rule("rollover", "rollover", PLAIN, T.FEE, "the cost of keeping a position open", "N10"),
    Rule("transfer", "transfer", PLAIN, T.UNEXPLAINED, "an airdrop, a fork, a removal, a move of one's own: not said", "N11"),
    Rule("credit", "credit", PLAIN, T.UNEXPLAINED, "a credit whose reason the ledger does not say", "N11"),
    Rule("NFT", "nfttrade", PLAIN, T.NFT, "coins for an NFT, or an NFT for coins", "N12"),
    Rule("NFT", "nftcreatorfee", PLAIN, T.NFT, "a share for the maker of an NFT", "N12"),
    Rule("NFT", "nftrebate", PLAIN, T.NFT, "part of an NFT's price given back", "N12"),
)  # fmt: skip


class Rules:
    """The table, with what a person put in the place of some of it."""

    def __init__(self, rules: Iterable[Rule] = RULES) -> None:
        self.every = tuple(rules)
        self.known: dict[tuple[str, str], Rule] = {(r.type, subtype): r for r in self.every for subtype in r.subtypes}

    def rule_for(self, type_: str, subtype: str) -> Rule:
        """The rule of the table, or one that asks for a review."""
        found = self.known.get((type_, subtype))
        return found or Rule("unclassified", type_, (subtype,), T.REVIEW, "not classified", "")

    def with_(self, stated: Iterable[Sequence[str]]) -> Rules:
        """With rules that a person states: ``type/subtype``, treatment, reason, income_type ("": none). Raises ValueError."""
        own = [own_rule(*words) for words in stated]
        if not own:
            return self
        taken = {(rule.type, subtype) for rule in own for subtype in rule.subtypes}
        kept = (replaced(rule, taken) for rule in self.every)
        return Rules((*(rule for rule in kept if rule.subtypes), *own))


def replaced(rule: Rule, taken: set[tuple[str, str]]) -> Rule:
    return replace(rule, subtypes=tuple(subtype for subtype in rule.subtypes if (rule.type, subtype) not in taken))


def kind_of_row(name: str) -> tuple[str, str]:
    """Type and subtype out of ``type/subtype``, or ``type`` alone."""
    type_, _, subtype = (part.strip() for part in name.partition("/"))
    return type_, subtype


def own_rule(name: str, treatment: str, reason: str, income_type: str) -> Rule:
    """One rule of the settings. Rules of one treatment have one name, so that rows of several types find each other."""
    type_, subtype = kind_of_row(name)
    words = [each.value for each in Treatment]
    if treatment not in words:
        raise ValueError(f'[rules] "{name}": no treatment {treatment!r}; one of {", ".join(words)}')
    kind = Treatment(treatment)
    if income_type and kind not in EARNS:
        raise ValueError(f'[rules] "{name}": income_type belongs to the treatments income and reward')
    income_type = (income_type or "other") if kind in EARNS else ""
    place = type_ if kind is T.OUTSIDE else ""
    return Rule(f"stated {kind}", type_, (subtype,), kind, reason, "settings", income_type, place)


EARNS = (T.INCOME, T.REWARD)
STANDARD = Rules()
