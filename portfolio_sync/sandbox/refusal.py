"""What the exchange says no with."""

from __future__ import annotations


class ExchangeRefusal(Exception):
    """An error string of the envelope, ``EGeneral:Invalid arguments``; the HTTP status stays 200. ``cost``: what was charged all the same."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error, self.cost = error, 0
