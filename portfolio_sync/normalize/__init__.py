"""Ledger rows become events: grouped by what caused them, classified by a table, none of them lost."""
