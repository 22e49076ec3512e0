"""Which events analysts see after a report: those of the sync where they are the same, else those of the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from portfolio_sync.cli.main import main
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import event_row
from portfolio_sync.store.write import replace_events
from portfolio_sync.tasks import publish
from tests.wire.conftest import Set
from tests.wire.test_sync import quick


class Spy:
    def __init__(self, called: Callable[..., Any]) -> None:
        self.called, self.calls = called, 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.called(*args)


def shown(engine: Engine) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(event_row).order_by(event_row.c.id))]


def test_a_report_writes_events_only_where_it_has_others_than_the_sync(
    stage: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on, written = quick(stage), Spy(replace_events)
    on.settings["PORTFOLIO_SYNC_TAX_CURRENCY"] = "EUR"
    on.sync()
    for name, value in on.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(publish, "replace_events", written)
    engine = on.app().writable_engine
    found = shown(engine)

    def writes(currency: str) -> int:
        written.calls = 0
        arguments = ["report", "--quiet", "--profile", "generic", "--year", "all", "--currency", currency]
        assert main([*arguments, "--out", str(tmp_path / "report")]) == 0
        return written.calls

    assert (writes("EUR"), shown(engine)) == (0, found)
    with writing(engine) as connection:
        connection.execute(event_row.delete().where(event_row.c.id == found[0][1]))
    assert (writes("EUR"), shown(engine)) == (1, found)
    assert writes("CHF") == 1
    assert {row[-3] for row in shown(engine)} == {"CHF"}
    assert writes("CHF") == 0
    with writing(engine) as connection:
        connection.execute(event_row.delete().where(event_row.c.id == found[0][1]))
    assert writes("CHF") == 1
    assert (writes("EUR"), shown(engine)) == (1, found)
    assert writes("CHF") == 1
    engine.dispose()
