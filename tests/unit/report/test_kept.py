"""Manifests read back, profiles as TOML, and tables compared."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from portfolio_sync.core.record import Recorded, RecordedOrder, RecordedPick
from portfolio_sync.errors import InputFileError
from portfolio_sync.report import kept
from portfolio_sync.report.difference import changes
from portfolio_sync.report.manifest import manifest
from portfolio_sync.report.toml import profile_toml
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.profiles import GENERIC, PROFILES, US

THEN = datetime(2025, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
RECORDED = Recorded((RecordedOrder("hifo", THEN, THEN, "main"),), (RecordedPick("s", "l", Decimal("0.10"), THEN),))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_manifest_gives_back_profile_and_records(profile: Profile) -> None:
    text = manifest({"year": "all", **kept.recorded_settings(RECORDED)}, profile, "d", (), {"a.csv": "1"})
    read = kept.read(text, "m")
    assert (read.profile, read.recorded, read.input_digest, read.files) == (profile, RECORDED, "d", {"a.csv": "1"})


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2}', manifest({}, GENERIC, "d", (), {}).replace('"fifo"', '"best"', 1),
     manifest({}, GENERIC, "d", (), {}).replace('"title"', '"tittle"')],
)  # fmt: skip
def test_what_is_no_manifest_is_named(text: str) -> None:
    with pytest.raises(InputFileError, match=r"^m.json: "):
        kept.read(text, "m.json")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_profile_is_valid_toml(profile: Profile) -> None:
    odd = replace(profile, title='a "quoted" \\ title')
    said = tomllib.loads(profile_toml(odd))
    assert (said["title"], said["method"], said["citations"]) == (
        odd.title,
        profile.method.value,
        list(profile.citations),
    )
    assert said.get("dated_methods_from") == (date(2025, 1, 1) if profile.name == US.name else None)


def frame(header: str, *rows: str) -> dict[str, Any]:
    return {"header": list(header.split()), "rows": [row.split() for row in rows]}


def test_rows_are_compared_by_what_names_them() -> None:
    before = {"disposals.csv": frame("id gain", "a 1", "b 2"), "form_8949.csv": frame("box gain", "G 1", "G 1")}
    now = {"disposals.csv": frame("id gain", "b 3", "c 4"), "form_8949.csv": frame("box gain", "G 1")}
    found = [
        (c.table, c.id, c.before and dict(c.before), c.now and dict(c.now), c.columns) for c in changes(before, now)
    ]
    assert found == [
        ("disposals.csv", "a", {"id": "a", "gain": "1"}, None, {}),
        ("disposals.csv", "b", {"id": "b", "gain": "2"}, {"id": "b", "gain": "3"}, {"gain": ("2", "3")}),
        ("disposals.csv", "c", None, {"id": "c", "gain": "4"}, {}),
        ("form_8949.csv", "G 1 #2", {"box": "G", "gain": "1"}, None, {}),
    ]
    assert list(changes(before, before)) == []
