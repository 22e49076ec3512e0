"""A text that nothing prints: not ``repr``, not a format, not a debugger's list of locals, not a pickle."""

from __future__ import annotations

import hmac
from typing import NoReturn

from portfolio_sync.core.redact import hide


class Secret:
    """Hides ``text``; only ``reveal`` gives it back. True where there is any text, equal to another Secret of the same text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        hide(text)

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a dictionary of secrets would print its keys

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be written anywhere")


def hidden(text: Secret | str) -> Secret:
    return text if isinstance(text, Secret) else Secret(text)
