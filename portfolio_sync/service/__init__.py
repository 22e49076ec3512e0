"""The background service: a clock that ticks (``clock``), a pool that works (``worker``)."""
