"""The signature of a private call. Source: API guide "Spot REST authentication", with its published vector."""

from __future__ import annotations

import base64
import hashlib
import hmac

from portfolio_sync.kraken.endpoint import Endpoint


def sign(endpoint: Endpoint, nonce: int, body: bytes, secret: bytes) -> str:
    """``API-Sign`` of exactly the ``body`` that is sent; ``nonce`` also stands in the body."""
    return _sign_path(endpoint.path, nonce, body, secret)


def _sign_path(path: str, nonce: int, body: bytes, secret: bytes) -> str:
    message = path.encode() + hashlib.sha256(str(nonce).encode() + body).digest()
    return base64.b64encode(hmac.digest(secret, message, "sha512")).decode()
