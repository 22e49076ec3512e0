"""What the program says besides its answers: lines for people or JSON for programs, on stderr, never with a secret in it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from portfolio_sync.core.redact import redact

Format = Literal["text", "json"]
FIELDS = ("account", "stream", "run", "alert")
"""What a line may be about; in JSON fields of their own."""
log = logging.getLogger("portfolio_sync")
_about: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Whatever this thread logs inside, libraries included, is about this account, stream or run."""
    token = _about.set({**(_about.get() or {}), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def also_about(**fields: Any) -> None:
    """More fields for the ``about`` block that we are in; nothing where we are in none."""
    known = _about.get()
    if known is not None:
        known.update(fields)


class StandardError(logging.Handler):
    """Writes to whatever stderr is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - logging's own way: a line that cannot be written ends nothing
            self.handleError(record)


class TextLines(logging.Formatter):
    """``2026-05-01T12:00:00.123Z warning main: what happened``."""

    def format(self, record: logging.LogRecord) -> str:
        fields, message = fields_of(record), record.getMessage()
        account = fields.get("account")
        prefix = f"{account}: " if account and not message.startswith(f"{account}: ") else ""
        line = f"{_time(record)} {record.levelname.lower()} {prefix}{message}"
        return redact(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


class JsonLines(logging.Formatter):
    """One object a line: time, level, message, logger, and of ``FIELDS`` those that apply; ``traceback`` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "message": redact(record.getMessage()),
            "logger": record.name,
        }
        line |= {name: redact(value) if isinstance(value, str) else value for name, value in fields_of(record).items()}
        if record.exc_info:
            line["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


FORMATTERS: dict[Format, type[logging.Formatter]] = {"text": TextLines, "json": JsonLines}
_handler = StandardError()
_handler.setFormatter(TextLines())


def configure(form: Format, level: int = logging.INFO) -> None:
    """Everything that logs, libraries from WARNING on, goes to stderr in this form. May be called again."""
    _handler.setFormatter(FORMATTERS[form]())
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    if _handler not in root.handlers:
        root.addHandler(_handler)
    root.setLevel(logging.WARNING)
    log.setLevel(level)


def speaks_json() -> bool:
    return isinstance(_handler.formatter, JsonLines)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What the line is about: what it says itself wins over the block it was logged in."""
    known = _about.get() or {}
    found = {name: getattr(record, name, known.get(name)) for name in FIELDS}
    return {name: value for name, value in found.items() if value is not None}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
