"""A wrong or unknown row is data, not an exception: it becomes a finding that a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How much a figure suffers. ``ERROR``: a figure is missing or refused; ``WARNING``: check it; ``INFO``: for the record."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that needs a person. ``source`` holds ids of ledger rows, trades or imported transactions."""

    severity: Severity
    code: str
    message: str
    source: tuple[str, ...] = ()
    time: datetime | None = None
    account: str | None = None
