"""Valued events become disposals, income and lots, under a profile: a jurisdiction as data."""
