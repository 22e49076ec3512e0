"""Blank secrets in whatever is about to be printed: those this process has read, and what looks like one."""

from __future__ import annotations

import re
from urllib.parse import quote

BLANK = "[hidden]"
SHORTEST, LONGEST = 4, 512  # of a known secret: blanking a single digit would blank figures; a longer text is a file
PATTERNS = (
    (re.compile(r"(://[^/\s:@]*):[^@/\s]+@"), rf"\1:{BLANK}@"),  # a password in a URL
    (re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="), BLANK),  # an API secret, or a signature made with one
    (re.compile(r"(?<![A-Za-z0-9+/])(?=[a-z+/]*[A-Z0-9])(?=[A-Z+/]*[a-z0-9])[A-Za-z0-9+/]{56}(?![A-Za-z0-9+/=])"), BLANK),
)  # fmt: skip


class _Known:
    """Texts to blank, the longest first; shows nothing of them."""

    __slots__ = ("texts",)

    def __init__(self) -> None:
        self.texts: tuple[str, ...] = ()


_known = _Known()


def hide(text: str) -> None:
    """From now on this process prints ``text`` no more, nor its form in a URL. What is too short to tell is left."""
    for form in {text, quote(text, safe="")}:
        if SHORTEST <= len(form) <= LONGEST and form not in _known.texts:
            # another tuple, so that a thread that is reading the old one goes on
            _known.texts = tuple(sorted({*_known.texts, form}, key=lambda each: (-len(each), each)))


def redact(text: str) -> str:
    """``text`` without secrets."""
    for secret in _known.texts:
        text = text.replace(secret, BLANK)
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text
