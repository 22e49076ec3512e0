"""A manifest read back: the settings and rules of an old report, as values again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import Enum
from typing import Any, get_args, get_type_hints

from portfolio_sync.core.amount import parse_decimal, shortest
from portfolio_sync.core.instant import iso, parse_iso
from portfolio_sync.core.record import Recorded, RecordedOrder, RecordedPick
from portfolio_sync.errors import InputFileError
from portfolio_sync.tax.profile import Allowance, Profile


@dataclass(frozen=True, slots=True)
class Kept:
    """What a manifest says. ``files``: name -> SHA-256; ``program``: name, version and rules that made the report."""

    settings: Mapping[str, Any]
    profile: Profile
    recorded: Recorded
    input_digest: str
    prices_digest: str
    files: Mapping[str, str]
    program: Mapping[str, str]
    text: str


def read(text: str, name: str) -> Kept:
    """Reads the text of a manifest. Raises InputFileError naming what is wrong with it."""
    try:
        said = json.loads(text)
        if said["format"] != 1:
            raise InputFileError(f"{name}: a manifest of format {said['format']}; this program reads format 1")
        settings, digests = dict(said["settings"]), (str(said["input_digest"]), str(said["prices_digest"]))
        program, files = dict(said["program"]), dict(said["files"])
        return Kept(settings, profile_of(said["profile"]), recorded_of(settings), *digests, files, program, text)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputFileError(f"{name}: not the manifest.json of a report of this program ({error!r})") from None


def profile_of(said: Mapping[str, Any]) -> Profile:
    """The profile of a manifest. A field that came later than the manifest has its default; one that went is an error."""
    hints = get_type_hints(Profile)
    unknown = said.keys() - hints.keys()
    if unknown:
        raise ValueError(f"unknown fields of a profile: {', '.join(sorted(unknown))}")
    return Profile(
        **{field.name: value(hints[field.name], said[field.name]) for field in fields(Profile) if field.name in said}
    )


def value(hint: Any, said: Any) -> Any:
    if isinstance(said, list):
        part = get_args(hint)[0]
        return tuple(Allowance(*one) if part is Allowance else value(part, one) for one in said)
    if date in (hint, *get_args(hint)):
        return None if said is None else date.fromisoformat(said)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(said)
    if not isinstance(said, hint):
        raise TypeError(f"{said!r} is no {hint}")
    return said


# --- what was recorded about lots, in the settings of a manifest ------------------------------------------------------


def recorded_settings(recorded: Recorded) -> dict[str, list[dict[str, str]]]:
    return {
        "standing_orders": list(map(order_json, recorded.orders)),
        "lot_picks": list(map(pick_json, recorded.picks)),
    }


def order_json(order: RecordedOrder) -> dict[str, str]:
    times = {"from": iso(order.start), "recorded_at": iso(order.recorded_at)}
    return {"method": order.method, "account": order.account} | times


def pick_json(pick: RecordedPick) -> dict[str, str]:
    return {
        "sale": pick.sale, "lot": pick.lot, "amount": shortest(pick.amount), "recorded_at": iso(pick.recorded_at),
    }  # fmt: skip


def recorded_of(settings: Mapping[str, Any]) -> Recorded:
    orders: Iterable[Mapping[str, str]] = settings.get("standing_orders", ())
    picks: Iterable[Mapping[str, str]] = settings.get("lot_picks", ())
    return Recorded(
        tuple(RecordedOrder(o["method"], parse_iso(o["from"]), parse_iso(o["recorded_at"]), o["account"]) for o in orders),
        tuple(RecordedPick(p["sale"], p["lot"], parse_decimal(p["amount"]), parse_iso(p["recorded_at"])) for p in picks),
    )  # fmt: skip
