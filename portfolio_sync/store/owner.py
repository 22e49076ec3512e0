"""How a process names itself on a lease, and whether the process of a name is known to be dead."""

from __future__ import annotations

import os
import socket
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

# What tells apart two computers of one name, and two containers that share the name of their host.
SURROUNDINGS = (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid"))


def own_name() -> str:
    """``host:pid:place-random``; never the same twice."""
    return f"{socket.gethostname()}:{os.getpid()}:{_place()}-{uuid4().hex[:8]}"


def is_gone(owner: str) -> bool:
    """Whether a lease's owner was a process among which we live and that is no more (killed, say); False where nobody can know."""
    host, _, rest = owner.partition(":")
    pid, _, place = rest.partition(":")
    if host != socket.gethostname() or not pid.isdigit() or place.partition("-")[0] != _place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _place() -> str:
    boot, processes = SURROUNDINGS
    try:
        return sha256(f"{boot.read_text()} {processes.readlink()}".encode()).hexdigest()[:6]
    except OSError:
        return ""  # not Linux: the name of the host must do
