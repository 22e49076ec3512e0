"""How a group of each treatment is read: a function each, from rows to events or findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from portfolio_sync.normalize.exchanges import conversion, exchange, margin, nft
from portfolio_sync.normalize.group import Group
from portfolio_sync.normalize.moves import fee, funding, income, internal, outside, reward, unexplained
from portfolio_sync.normalize.outcome import Outcome
from portfolio_sync.normalize.rules import Treatment

TREATMENTS: dict[Treatment, Callable[[Group], Iterable[Outcome]]] = {
    Treatment.EXCHANGE: exchange,
    Treatment.CONVERSION: conversion,
    Treatment.FUNDING: funding,
    Treatment.REWARD: reward,
    Treatment.INCOME: income,
    Treatment.MARGIN: margin,
    Treatment.FEE: fee,
    Treatment.NFT: nft,
    Treatment.INTERNAL: internal,
    Treatment.OUTSIDE: outside,
    Treatment.UNEXPLAINED: unexplained,
}
