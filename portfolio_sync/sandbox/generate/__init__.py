"""A made-up account of many years with every kind of row that the exchange is known to book."""

from portfolio_sync.sandbox.generate.life import EarnCodes, generate

__all__ = ["EarnCodes", "generate"]
