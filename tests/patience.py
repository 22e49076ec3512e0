"""How long a test waits for what must come: a loaded machine is slow, not wrong."""

PATIENCE = 180
"""Seconds. Nothing waits that long where all is well."""
