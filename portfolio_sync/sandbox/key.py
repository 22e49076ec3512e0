"""An API key as the exchange knows it: what it may do, its last nonce, its call counter, its lockout."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

ALL_READS = ("query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "export-data")
# tier: (limit of the counter, decay a second)
TIERS = {
    "starter": (Decimal(15), Decimal("0.33")),
    "intermediate": (Decimal(20), Decimal("0.5")),
    "pro": (Decimal(20), Decimal(1)),
}
ERRORS_TO_LOCKOUT = 5
LOCKOUT = Decimal(900)  # seconds; every attempt starts it anew
LONGEST_NONCE = 2**64 - 1


@dataclass(slots=True)
class Key:
    """``query_from``, ``query_to``, ``valid_until``: Unix seconds, 0 for none. ``stepped``: the counter falls in whole units."""

    key: str
    secret: str = field(repr=False)
    name: str = "practice"
    known: bool = True
    permissions: tuple[str, ...] = ALL_READS
    tier: str = "starter"
    nonce_window: int = 0
    otp: str | None = field(default=None, repr=False)
    totp: bytes | None = field(default=None, repr=False)
    ip_allowlist: tuple[str, ...] = ()
    query_from: int = 0
    query_to: int = 0
    valid_until: int = 0
    stepped: bool = False
    nonce: int = 0
    recent: set[int] = field(default_factory=set)
    level: Decimal = Decimal(0)
    level_at: Decimal | None = None
    errors: int = 0
    locked_until: Decimal = Decimal(0)

    def take_nonce(self, nonce: int) -> bool:
        """Accept a nonce above the highest, or one inside the window that was not used."""
        if nonce > self.nonce:
            self.nonce = nonce
        elif nonce in self.recent or nonce <= self.nonce - self.nonce_window:
            return False
        self.recent = {n for n in self.recent if n > self.nonce - self.nonce_window} | {nonce}
        return True

    def charge(self, cost: int, now: Decimal) -> bool:
        """Whether the call fits under the limit. A refused call counts as well: calling on keeps the key limited."""
        most, decay = TIERS[self.tier]
        passed = now - self.level_at if self.level_at is not None else Decimal(0)
        fall = passed * decay
        if self.stepped:
            fall = fall // 1
            self.level_at = now if self.level_at is None else self.level_at + fall / decay
        else:
            self.level_at = now
        self.level = max(Decimal(0), self.level - max(Decimal(0), fall))
        allowed = self.level + cost <= most
        self.level = min(most + cost, self.level + cost)
        return allowed

    def note_error(self, now: Decimal) -> None:
        """Too many errors of authentication in a row lock the key out."""
        self.errors += 1
        if self.errors >= ERRORS_TO_LOCKOUT:
            self.lock_out(now)

    def lock_out(self, now: Decimal) -> None:
        self.errors, self.locked_until = 0, now + LOCKOUT

    def locked(self, now: Decimal) -> bool:
        if now >= self.locked_until:
            return False
        self.locked_until = now + LOCKOUT
        return True
