"""What the exchange says no with."""

from __future__ import annotations


class ExchangeRefusal(Exception):
    """An error string of the envelope, ``EGeneral:Invalid arguments``; the HTTP status stays 200."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error
