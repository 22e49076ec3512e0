"""An API key and its secret, hidden from everything that prints."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from contextlib import suppress
from typing import NoReturn

from portfolio_sync.core.secret import Secret, hidden
from portfolio_sync.errors import SettingsError


class Credentials:
    """``key`` and the decoded ``secret`` of one API key; ``otp`` a static second factor, or ``totp`` the seed of one.

    Raises SettingsError where the secret or the seed cannot be decoded. Shows nothing in ``repr``, refuses to be pickled.
    """

    __slots__ = ("key", "otp", "secret", "totp")

    def __init__(
        self,
        key: Secret | str,
        secret: Secret | str,
        otp: Secret | str | None = None,
        totp_secret: Secret | str | None = None,
    ) -> None:
        key, secret, otp, totp_secret = hidden(key), hidden(secret), hidden(otp or ""), hidden(totp_secret or "")
        self.key = key.reveal()
        self.secret = _decoded(secret)
        self.otp = otp.reveal() or None
        self.totp = _seed(totp_secret) if totp_secret else None
        if not re.fullmatch("[!-~]+", self.key):
            raise SettingsError("the API key is empty or has characters that no key has: copy it again from Kraken")

    @property
    def fingerprint(self) -> str:
        """Names the key without being it."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Credentials({self.fingerprint})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not to be written anywhere")


def _decoded(secret: Secret) -> bytes:
    with suppress(binascii.Error, ValueError):  # raised outside, so that the error carries no frame with the text
        return base64.b64decode(secret.reveal(), validate=True)
    raise SettingsError("the API secret is not valid base64: copy it again from Kraken")


def _seed(text: Secret) -> bytes:
    with suppress(binascii.Error, ValueError):
        return _base32(text)
    raise SettingsError("the TOTP secret is not valid base32: copy it again from Kraken")


def _base32(text: Secret) -> bytes:
    """Base32 as authenticator apps take it: any case, spaces, padding left out."""
    letters = "".join(text.reveal().split()).upper().rstrip("=")
    return base64.b32decode(letters + "=" * (-len(letters) % 8))
