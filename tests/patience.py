"""How long a test waits for what must come: a loaded machine is slow, not wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 180
"""Seconds. Nothing waits that long where all is well."""


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
