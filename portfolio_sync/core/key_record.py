"""What must be remembered about an API key between calls and between runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """``level`` is the call counter's at ``level_at``; ``parked_until``: no call with this key before then."""

    last_nonce: int = 0
    level: Decimal = Decimal(0)
    level_at: datetime | None = None
    parked_until: datetime | None = None
