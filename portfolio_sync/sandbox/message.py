"""Bodies in and out: forms and JSON become text fields, results become JSON with every digit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

from portfolio_sync.sandbox.refusal import ExchangeRefusal


def fields_of(body: bytes, kind: str) -> dict[str, str]:
    """The fields of a form or of a JSON body, as text. What is neither has none."""
    if not kind.startswith("application/json"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        document = json.loads(body, parse_float=Decimal)
    except ValueError:  # of UnicodeDecodeError and JSONDecodeError
        return {}
    return {n: _text(v) for n, v in document.items() if v is not None} if isinstance(document, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def whole(params: Mapping[str, str], name: str, default: int) -> int:
    """A parameter that is a whole number from 0 up. Raises ExchangeRefusal for another text."""
    text = params.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ExchangeRefusal(f"EGeneral:Invalid arguments:{name}")
    return int(text)


def success(result: object) -> bytes:
    return encode({"error": [], "result": result}).encode()


def failure(error: str) -> bytes:
    return encode({"error": [error]}).encode()


def warned(content: bytes) -> bytes:
    """The same answer with a warning in its envelope, which leaves the result valid."""
    document = json.loads(content, parse_float=Decimal)
    return encode(document | {"error": ["WGeneral:Something to know", *document["error"]]}).encode()


def encode(value: object) -> str:
    """Decimals become JSON numbers with all their digits: the standard library would make floats of them."""
    text = json.dumps(value, default=_mark, separators=(",", ":"))
    return text.replace('"\\u0000', "").replace('\\u0000"', "")


def _mark(value: object) -> str:
    """A Decimal passes the standard library's encoder as a string between NULs, and loses its quotes after it."""
    assert isinstance(value, Decimal), f"{type(value)} has no JSON"
    return f"\0{value:f}\0"
