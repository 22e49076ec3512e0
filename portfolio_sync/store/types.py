"""Column types that lose nothing: exact numbers, instants to the microsecond, JSON as text; on SQLite and PostgreSQL.

Each type has ``encode`` and ``decode`` for the text that SQLite stores, so that bulk code can skip SQLAlchemy's machinery.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import TIMESTAMP, Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from portfolio_sync.core.amount import plain
from portfolio_sync.core.instant import to_the_second


class ExactDecimal(TypeDecorator[Decimal]):
    """A finite Decimal: plain-notation TEXT on SQLite (trailing zeros kept), unconstrained NUMERIC on PostgreSQL."""

    impl = Text
    cache_ok = True

    @staticmethod
    def encode(value: Decimal) -> str:
        text = str(checked_decimal(value))
        return plain(value) if "E" in text or not value else text

    @staticmethod
    def encode_all(values: Sequence[Decimal]) -> list[str]:
        """As ``encode`` each, none of them None."""
        texts = list(map(str, map(checked_decimal, values)))
        if any("E" in text for text in texts):
            return list(map(ExactDecimal.encode, values))
        return [text if value else plain(value) for value, text in zip(values, texts, strict=True)]

    decode = Decimal

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return self.encode(value) if dialect.name == "sqlite" else checked_decimal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant: TEXT ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` on SQLite (sorts as time does), timestamptz on PostgreSQL."""

    impl = Text
    cache_ok = True

    @staticmethod
    def encode(value: datetime) -> str:
        at = checked_instant(value)
        return f"{to_the_second(at)}.{at.microsecond:06}Z"

    @staticmethod
    def encode_all(values: Sequence[datetime]) -> list[str]:
        known = {value: UtcDateTime.encode(value) for value in dict.fromkeys(values)}  # the parts of one sale share it
        return list(map(known.__getitem__, values))

    decode = datetime.fromisoformat

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return self.encode(value) if dialect.name == "sqlite" else checked_instant(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """JSON as TEXT on both databases: PostgreSQL's jsonb would rewrite numbers. A Decimal in it is kept as its digits, in quotes."""

    impl = Text
    cache_ok = True

    @staticmethod
    def encode(value: Any) -> str:
        if value == {}:  # nearly every row's ``extra``
            return "{}"
        # No NUL character: PostgreSQL's text cannot hold one, and JSON escapes it.
        return _AS_JSON.encode(value)

    decode = staticmethod(json.loads)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else self.encode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else json.loads(value)


# Ids are ordered by code point on every server, whatever its locale: ties are broken by id.
Identifier = Text().with_variant(Text(collation="C"), "postgresql")


def checked_decimal(value: Decimal) -> Decimal:
    """Raises TypeError for a float (never exact) and ValueError for NaN or infinity."""
    if not isinstance(value, Decimal):
        raise TypeError(f"money is Decimal, not {type(value).__name__}")
    if not value.is_finite():
        raise ValueError(f"not a finite number: {value}")
    return value


def checked_instant(value: datetime) -> datetime:
    """Raises TypeError for a time without offset: 23:30 is not an instant."""
    if value.tzinfo is UTC:
        return value
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise TypeError(f"an instant needs an offset: {value!r}")
    return value.astimezone(UTC)


def _digits(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(checked_decimal(value))
    raise TypeError(f"no JSON for {type(value).__name__}")


# json.dumps would make one for each value: half of its time
_AS_JSON = json.JSONEncoder(default=_digits, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
