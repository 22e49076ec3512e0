"""A made-up account of many years with every kind of row that the exchange is known to book."""

from portfolio_sync.sandbox.generate.book import EarnCodes
from portfolio_sync.sandbox.generate.life import generate

__all__ = ["EarnCodes", "generate"]
