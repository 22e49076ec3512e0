"""Who calls: the exchange's checks in its order. Key, lockout, signature, nonce, one-time password, address, validity."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
import struct
from collections.abc import Mapping
from decimal import Decimal

from portfolio_sync.sandbox.key import LONGEST_NONCE, Key
from portfolio_sync.sandbox.refusal import ExchangeRefusal

DIGITS = re.compile(r"[0-9]{1,20}")


def authenticate(
    keys: dict[str, Key],
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    fields: Mapping[str, str],
    now: Decimal,
    address: str,
) -> Key:
    """The key of a private call. A text that is no key gets a record too: it is locked out like one.

    Raises ExchangeRefusal with the exchange's words.
    """
    text = headers.get("API-Key", "")
    key = keys.setdefault(text, Key(text, "", known=False))
    if key.locked(now):
        raise ExchangeRefusal("EGeneral:Temporary lockout")
    try:
        _check(key, path, headers.get("API-Sign", ""), body, fields, now, address)
    except ExchangeRefusal as refusal:
        if refusal.error.startswith("EAPI:Invalid"):
            key.note_error(now)
        raise
    key.errors = 0
    return key


def _check(
    key: Key, path: str, signed: str, body: bytes, fields: Mapping[str, str], now: Decimal, address: str
) -> None:
    if not key.known:
        raise ExchangeRefusal("EAPI:Invalid key")
    nonce = fields.get("nonce", "")
    if not hmac.compare_digest(signature(key.secret, path, nonce, body).encode(), signed.encode()):
        raise ExchangeRefusal("EAPI:Invalid signature")
    if not (DIGITS.fullmatch(nonce) and int(nonce) <= LONGEST_NONCE and key.take_nonce(int(nonce))):
        raise ExchangeRefusal("EAPI:Invalid nonce")
    if not _second_factor(key, fields.get("otp"), now):
        raise ExchangeRefusal("EAPI:Invalid signature")  # the exchange's own word for a wrong one is not known
    if key.ip_allowlist and not any(
        ipaddress.ip_address(address) in ipaddress.ip_network(ip) for ip in key.ip_allowlist
    ):
        raise ExchangeRefusal("EAPI:Invalid key")
    if key.valid_until and now > key.valid_until:
        raise ExchangeRefusal("EAPI:Invalid key")


def signature(secret: str, path: str, nonce: str, body: bytes) -> str:
    """API-Sign as the guide on authentication defines it."""
    try:
        raw = base64.b64decode(secret)
    except binascii.Error:
        raw = b""
    inner = hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.new(raw, path.encode() + inner, hashlib.sha512).digest()).decode()


def _second_factor(key: Key, given: str | None, now: Decimal) -> bool:
    if key.otp is not None:
        return given == key.otp
    if key.totp is None:
        return True
    step = int(now) // 30
    return given in {_totp(key.totp, step + drift) for drift in (-1, 0, 1)}


def _totp(seed: bytes, step: int) -> str:
    digest = hmac.new(seed, struct.pack(">Q", step), hashlib.sha1).digest()
    place = digest[19] % 16
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] % 2**31) % 10**6:06}"
