"""How long something took, in CPU seconds of this process."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def cpu(work: Callable[[], object], runs: int = 2) -> float:
    """The best of some runs; a garbage collection before each."""
    best = float("inf")
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best
