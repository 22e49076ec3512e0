"""A profile as TOML: flat keys in the order of its fields, as the setting ``profile`` of one's own would be written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import date

from portfolio_sync.tax.profile import Profile


def profile_toml(profile: Profile) -> str:
    """Fields that are not set are left out: TOML has no null."""
    return "".join(f"{line}\n" for line in lines(profile))


def lines(profile: Profile) -> Iterator[str]:
    for field in fields(Profile):
        value = getattr(profile, field.name)
        if value is not None:
            yield f"{field.name} = {shown(value)}"


def shown(value: object) -> str:
    """JSON's strings are TOML's basic strings, as long as nothing in them is escaped beyond ASCII's controls."""
    if isinstance(value, tuple):
        return f"[{', '.join(shown(part) for part in value if part is not None)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, date)):
        return value.isoformat() if isinstance(value, date) else str(value)
    return json.dumps(str(value), ensure_ascii=False)
