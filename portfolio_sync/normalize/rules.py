"""What each (type, subtype) of ledger row means. A pair that is not in the table is a finding, never a guess.

Facts: Kraken's type list and recorded rows (docs/decisions.md names each reading). Raise ``VERSION`` with any change:
it stands in each report's manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

VERSION = "1"


class Treatment(StrEnum):
    EXCHANGE = "exchange"
    """Legs of one fill or conversion: what was given and what was received share a refid and an instant."""
    FUNDING = "funding"
    """A deposit or withdrawal; its reversal carries the same refid, the opposite amount and a negative fee."""
    REWARD = "reward"
    """Income of ``amount - fee``; first paired, since a pair of opposite rows is a move or a renaming."""
    INTERNAL = "internal"
    """Between wallets of one account: no effect on lots."""
    REVIEW = "review"
    """Not classified: a person decides."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    type: str
    subtypes: tuple[str, ...]
    treatment: Treatment
    why: str
    income_type: str = ""


RULES = (
    Rule("fill", "trade", ("", "tradespot", "autoallocation"), Treatment.EXCHANGE, "the legs of one fill"),
    Rule("convert", "spend", ("", "dustsweeping"), Treatment.EXCHANGE, "Buy, Sell, Convert: what was given"),
    Rule("convert", "receive", ("", "dustsweeping"), Treatment.EXCHANGE, "Buy, Sell, Convert: what was received"),
    Rule("deposit", "deposit", ("",), Treatment.FUNDING, "arrived from outside"),
    Rule("withdrawal", "withdrawal", ("",), Treatment.FUNDING, "left for outside"),
    # One reward has two names: `staking` in the API, `earn/reward` in the CSV export. One rule name, one result.
    Rule("reward", "staking", ("",), Treatment.REWARD, "reward, net of Kraken's commission", "staking"),
    Rule("reward", "earn", ("", "reward"), Treatment.REWARD, "reward, net of Kraken's commission", "staking"),
    Rule(
        "earn move", "earn", ("allocation", "deallocation", "autoallocation", "autoallocate", "migration"),
        Treatment.INTERNAL, "a move between spot and Earn",
    ),
    Rule(
        "staking move", "transfer", ("spottostaking", "stakingfromspot", "stakingtospot", "spotfromstaking"),
        Treatment.INTERNAL, "a move between spot and staking",
    ),
)  # fmt: skip

BY_TYPE = {(rule.type, subtype): rule for rule in RULES for subtype in rule.subtypes}


def rule_for(type_: str, subtype: str) -> Rule:
    """The rule of the table, or one that asks for a review."""
    known = BY_TYPE.get((type_, subtype))
    return known or Rule("unclassified", type_, (subtype,), Treatment.REVIEW, "not classified")
