"""Where in an account a ledger row happened, as far as the row says so.

Kraken's API names no wallet: the suffix of a code is one (``XBT.M``), a file may name one, and otherwise the kind of row
tells which side it is on. It is only used to choose between chains that stand at the same balance, to forbid a second
chain where there can be one only, and to tell coins in Earn from coins in the spot wallet at the end.
Source: "Ledger entry types", kraken-api notes 5.3.
"""

from __future__ import annotations

import re
from functools import lru_cache

from portfolio_sync.core.ledger import LedgerRow

SPOT = "spot"
EARN = "earn"
"""Certainly a wallet of Earn: the receiving leg of an allocation, the sending leg of a deallocation, or a file says so."""
REWARD = "reward"
"""Perhaps Earn: rewards are paid to either wallet."""
EARN_SIDE = frozenset({EARN, REWARD})
EARN_CODES = frozenset("SMBFP")
"""The last part of the codes whose balance lies in Earn or was staked."""

MOVING = "earn"
MOVES = frozenset({"allocation", "autoallocation", "autoallocate", "deallocation", "migration"})
# +1: the leg with a positive amount lies in Earn.
EARN_LEG = {
    ("earn", "allocation"): 1,
    ("earn", "autoallocation"): 1,
    ("earn", "autoallocate"): 1,
    ("earn", "deallocation"): -1,
    ("transfer", "stakingfromspot"): 1,
    ("transfer", "stakingtospot"): -1,
}
_SUFFIX = re.compile(r"(\d\d)?\.[A-Z0-9]+$")


def place_of(row: LedgerRow) -> str:
    """``spot``, ``earn``, ``reward``, or the name of a wallet (``28.S``, ``HOLD``)."""
    return place(row.asset, row.wallet, row.type, row.subtype, row.amount > 0)


def place_of_code(asset: str) -> str:
    """``spot``, or the wallet that the suffix of a code names."""
    suffix = _SUFFIX.search(asset)
    return suffix[0].removeprefix(".") if suffix else SPOT


def is_earn_code(asset: str) -> bool:
    return place_of_code(asset).rpartition(".")[2] in EARN_CODES


def is_move(row: LedgerRow) -> bool:
    """A leg of a move between spot and Earn: its counterpart is in the same ledger, so all of them sum to zero."""
    return row.type == MOVING and row.subtype in MOVES


@lru_cache(maxsize=4096)
def place(asset: str, wallet: str, type_: str, subtype: str, incoming: bool) -> str:
    """As ``place_of``, of what it looks at in a row; ``incoming``: its amount is positive."""
    if (named := place_of_code(asset)) != SPOT:
        return named
    kind = wallet.partition("/")[0].strip().lower()
    if kind not in ("", SPOT):
        return kind
    leg = EARN_LEG.get((type_, subtype))
    if leg is not None:
        return EARN if (leg > 0) is incoming else SPOT
    return REWARD if type_ in ("earn", "staking") else SPOT
