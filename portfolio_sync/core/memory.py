"""Keep this process's memory, which holds keys, out of core dumps and away from other programs of the same user."""

from __future__ import annotations

import sys
from contextlib import suppress

PR_SET_DUMPABLE = 4  # linux/prctl.h


def keep_private() -> None:
    """No core file, whatever kills us; on Linux no debugger of the same user either (root's still can)."""
    with suppress(ImportError, ValueError, OSError):  # no such limit on this system
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(ImportError, AttributeError, OSError):  # a libc without it: the limit above still holds
            import ctypes

            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
