"""Ids as the exchange prints them."""

from __future__ import annotations

from random import Random

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_MIXED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TRIPLES = tuple(a + b + c for a in _LETTERS for b in _LETTERS for c in _LETTERS)


def dashed(rng: Random, letter: str, first: int = 5) -> str:
    """``L4UESK-KG3EQ-UFO4T5``: 80 random bits, so that a million ids do not meet. ``first``: letters after ``letter``."""
    bits = rng.getrandbits(90)
    high, low = bits >> 45, bits & (1 << 45) - 1
    text = (
        _TRIPLES[high >> 30] + _TRIPLES[high >> 15 & 32767] + _TRIPLES[high & 32767]
        + _TRIPLES[low >> 30] + _TRIPLES[low >> 15 & 32767] + _TRIPLES[low & 32767]
    )  # fmt: skip
    return f"{letter}{text[:first]}-{text[first : first + 5]}-{text[first + 5 : first + 11]}"


def funding(rng: Random, year: int) -> str:
    """Mixed case with ``FT`` since August 2023; before, one letter and groups of six."""
    if year >= 2024:
        text = "".join(rng.choices(_MIXED, k=28))
        return f"FT{text[:5]}-{text[5:]}"
    return dashed(rng, rng.choice("QAB"), 6)


def chain_hash(rng: Random) -> str:
    return f"{rng.getrandbits(256):064x}"


def address(rng: Random) -> str:
    return "bc1q" + "".join(rng.choices("023456789acdefghjklmnpqrstuvwxyz", k=38))
