"""Time-based one-time passwords, RFC 6238 with SHA-1, as Kraken's two-factor sign-in uses them.

Our own lines because the common library refuses 16-character seeds, which Kraken gives out.
"""

from __future__ import annotations

import hmac

STEP = 30  # seconds


def totp(seed: bytes, unix_time: int, digits: int = 6) -> str:
    """The password of the step that ``unix_time`` lies in."""
    digest = hmac.digest(seed, (unix_time // STEP).to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)
