"""History by export report, against the practice exchange over real HTTP, on both databases."""

from __future__ import annotations

import io
import signal
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from portfolio_sync.core.clock import Stopped
from portfolio_sync.core.instant import floor_second, from_unix, parse_iso
from portfolio_sync.errors import PermissionMissing, Refused
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.kraken.client import Client
from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.exports import Exports
from portfolio_sync.sandbox.faults import Fault, Trouble
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.refusal import ExchangeRefusal
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.sync import export
from portfolio_sync.sync.book import Book
from portfolio_sync.sync.coverage import Bounds
from portfolio_sync.sync.export_job import Desk
from portfolio_sync.sync.reading import Request
from tests.fakes import FakeClock
from tests.patience import PATIENCE
from tests.wire.conftest import Set, Stage
from tests.wire.test_kill import start
from tests.wire.truth import digits, rows_of

NOW = FakeClock().unix()
FAST = {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}
OVERLAP = timedelta(hours=1)
METHODS = ("AddExport", "ExportStatus", "RetrieveExport", "RemoveExport")
LEDGERS = Request(streams=("ledgers",))
NUMBERS = ("amount", "fee", "balance")
WORTH = export.WORTH


@cache
def _generated(rows: int) -> Account:
    return generate(11, rows, end=NOW - 600)


@pytest.fixture(autouse=True)
def _few_rows_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that ask for a real history's length say so."""
    monkeypatch.setattr(export, "WORTH", 300)


def life(rows: int = 700) -> Account:
    made = _generated(rows)
    return replace(made, ledgers=list(made.ledgers), trades=list(made.trades), balances=dict(made.balances))


def quick(stage: Set, account: Account | None = None, **ways: Any) -> Stage:
    return stage(account or life(), FAST, limited=False, **ways)


def exports(on: Stage, **ways: Any) -> Exports:
    """The exchange's report office, with other ways."""
    for name, value in ways.items():
        setattr(on.exchange.exchange.exports, name, value)
    return on.exchange.exchange.exports


def calls(on: Stage, *methods: str) -> int:
    return sum(on.exchange.calls(method) for method in methods)


def assert_same_rows(on: Stage, *, trades: bool = True) -> None:
    """Every row is here, none twice, no digit differs; the time to the second, or to the exchange's last digit."""
    known, account = Assets(), on.exchange.account
    columns = ", ".join(("symbol", "refid", "type", *(f"{name}_exact" for name in NUMBERS)))
    here = {row[0]: (row[1], *row[2:5], *map(digits, row[5:])) for row in _query(on, "ledger_id", columns, "ledger")}
    there = {
        row.id: (known.symbol(f["asset"]), f["refid"], f["type"], *(f[n] for n in NUMBERS))
        for row in account.ledgers
        for f in (row.fields,)
    }
    assert {id_: row[1:] for id_, row in here.items()} == there
    assert_times({id_: row[0] for id_, row in here.items()}, {row.id: row.at for row in account.ledgers})
    if not trades:
        return
    columns = "price_exact, cost_exact, fee_exact, volume_exact"
    found = {row[0]: (row[1], *map(digits, row[2:])) for row in _query(on, "trade_id", columns, "trade")}
    filled = {row.id: tuple(row.fields[n] for n in ("price", "cost", "fee", "vol")) for row in account.trades}
    assert {id_: row[1:] for id_, row in found.items()} == filled
    assert_times({id_: row[0] for id_, row in found.items()}, {row.id: row.at for row in account.trades})


def _query(on: Stage, id_: str, columns: str, view: str) -> list[Any]:
    return rows_of(on.database_url, f"SELECT {id_}, time, {columns} FROM {view}")


def assert_times(here: dict[str, Any], there: dict[str, Decimal]) -> None:
    for id_, at in there.items():
        time = parse_iso(here[id_]) if isinstance(here[id_], str) else here[id_]
        assert floor_second(time) == floor_second(from_unix(at)), id_
        assert time <= from_unix(at), id_


def sources(on: Stage, view: str = "ledger") -> dict[str, int]:
    table = {"ledger": "raw_ledger", "trade": "raw_trade"}[view]
    return {row[0]: row[1] for row in rows_of(on.database_url, f"SELECT source, count(*) FROM {table} GROUP BY source")}


# --- what it is for ---


@pytest.mark.parametrize("generation", range(1, 7))
def test_a_history_of_any_generation_of_files_arrives_in_a_dozen_calls(stage: Set, generation: int) -> None:
    on = quick(stage, life(1_200))
    exports(on, generation=generation, pending_rows=True, queue=Decimal(8), work=Decimal(27))
    outcome = on.sync(Request(via="export"))
    assert (outcome.error, outcome.notes) == (None, [])
    assert_same_rows(on)
    assert outcome.proof == "proven"
    assert sources(on)["export"] > 1_100
    assert calls(on, *METHODS) <= 14
    assert calls(on, "Ledgers") <= 4
    assert calls(on, "TradesHistory") <= 3


def test_a_long_history_is_fetched_by_report_at_the_tier_s_pace_in_few_calls(
    stage: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "WORTH", WORTH)
    on = stage(
        life(5_500),
        {"PORTFOLIO_SYNC_SERVICE_LEASE": "3600s"},
        key_facts={"tier": "starter", "stepped": True},
        history_cost=4,
    )
    exports(on, queue=Decimal(400), work=Decimal(900))
    assert on.sync().error is None
    assert_same_rows(on)
    assert calls(on, "AddExport") == 2
    assert calls(on, *METHODS, "Ledgers", "TradesHistory") <= 30
    assert {request.outcome for request in on.exchange.requests} == {"ok"}
    assert set(sources(on)) == set(sources(on, "trade")) == {"api", "export"}


def test_reports_are_asked_for_with_both_ends_and_a_description_of_ours(stage: Set) -> None:
    on = quick(stage)
    on.sync(Request(via="export"))
    asked = [request.params for request in on.exchange.requests if request.method == "AddExport"]
    assert [params["report"] for params in asked] == ["trades", "ledgers"]
    for params in asked:
        assert params["description"].startswith("portfolio-sync main ")
        assert 0 < int(params["starttm"]) < int(on.exchange.account.ledgers[0].at)
        assert int(params["endtm"]) == int(NOW) or int(params["endtm"]) > int(NOW)
    assert on.exchange.exchange.exports.reports == {}


def test_a_short_history_is_read_by_pages(stage: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "WORTH", WORTH)
    on = quick(stage, life(1_500))
    assert on.sync().error is None
    assert calls(on, *METHODS) == 0
    assert set(sources(on)) == {"api"}


def test_everyday_syncs_ask_for_no_report(stage: Set) -> None:
    on = quick(stage)
    on.sync(LEDGERS)
    before = on.exchange.calls()
    for _ in range(3):
        on.clock.time += timedelta(hours=20)
        assert on.sync(LEDGERS).error is None
    assert calls(on, "AddExport") == 1
    assert on.exchange.calls() - before <= 3 * 7


def test_a_history_is_known_to_be_long_where_the_exchange_gives_no_count(stage: Set) -> None:
    on = quick(stage, miscount=lambda _: None)
    assert on.sync(LEDGERS).error is None
    assert calls(on, "AddExport") == 1
    assert_same_rows(on, trades=False)


def test_what_pages_brought_stays_and_a_killed_walk_is_finished_by_report(stage: Set) -> None:
    on = quick(stage)
    on.exchange.faults.append(Fault(method="Ledgers", nth=4, act=on.clock.stop))
    with pytest.raises(Stopped):
        on.sync(replace(LEDGERS, via="pages"))
    on.clock.stopped = False
    read = sources(on)["api"]
    assert on.sync(LEDGERS).error is None
    assert sources(on)["api"] >= read
    assert calls(on, "AddExport") == 1
    assert rows_of(on.database_url, "SELECT * FROM walk") == []
    assert rows_of(on.database_url, "SELECT * FROM change_log") == []
    assert_same_rows(on, trades=False)


def test_the_newest_hours_are_read_by_pages(stage: Set) -> None:
    on = quick(stage)
    exports(on, queue=Decimal(300))
    on.sync(LEDGERS)
    newest = [row for row in on.exchange.account.ledgers if from_unix(row.at) >= on.clock.now() - OVERLAP]
    by_pages = {row[0] for row in rows_of(on.database_url, "SELECT id FROM raw_ledger WHERE source = 'api'")}
    assert {row.id for row in newest} <= by_pages
    covered = rows_of(on.database_url, "SELECT covered_to FROM coverage WHERE stream = 'ledgers'")
    assert len(covered) == 1
    end = parse_iso(covered[0][0]) if isinstance(covered[0][0], str) else covered[0][0]
    assert end > from_unix(NOW) + timedelta(seconds=300)


@pytest.mark.parametrize("holds", [True, False])
def test_it_does_not_matter_whether_reports_hold_tokenized_assets(stage: Set, holds: bool) -> None:
    on = quick(stage)
    office = exports(on)
    tokenized = [row for row in on.exchange.account.ledgers if row.fields["aclass"] == "tokenized_asset"]
    assert tokenized
    if not holds:
        whole = office.retrieve

        def without(account: Account, *rest: Any) -> bytes:
            return whole(replace(account, ledgers=[r for r in account.ledgers if r not in tokenized]), *rest)

        on.exchange.exchange.exports = _Office(office, retrieve=without)  # type: ignore[assignment]
    assert on.sync(LEDGERS).notes == []
    assert_same_rows(on, trades=False)


class _Office:
    """The exchange's report office with one answer of its own."""

    def __init__(self, office: Exports, **answers: Callable[..., Any]) -> None:
        self._office = office
        self.__dict__.update(answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._office, name)


# --- windows and keys ---


def as_tokenized(row: Entry) -> Entry:
    return replace(row, fields={**row.fields, "aclass": "tokenized_asset"})


@pytest.mark.parametrize("holds", [True, False])
def test_many_tokenized_assets_cost_few_calls_where_the_report_held_them_all(
    stage: Set, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "WORTH_OF_CLASS", 3)
    account = life()
    account.ledgers[:] = [as_tokenized(row) if row.fields["asset"] == "XXBT" else row for row in account.ledgers]
    on = quick(stage, account, page_size=20)
    tokenized = [row for row in account.ledgers if row.fields["aclass"] == "tokenized_asset"]
    assert len(tokenized) > 60
    whole = Exports.retrieve

    def without_one(exports: Exports, account: Account, *rest: Any) -> bytes:
        return whole(exports, replace(account, ledgers=[r for r in account.ledgers if r is not tokenized[3]]), *rest)

    if not holds:
        monkeypatch.setattr(Exports, "retrieve", without_one)
    on.sync(Request(("ledgers",), via="auto"))
    asked = [r for r in on.exchange.requests if r.params.get("aclass") == "tokenized_asset" and r.method == "Ledgers"]
    assert (len(asked) <= 2) is holds
    assert_same_rows(on, trades=False)


def test_a_report_is_believed_where_the_exchange_counts_rows_that_it_does_not_show(stage: Set) -> None:
    on = quick(stage, miscount=lambda count: count + 3)
    assert on.sync(replace(LEDGERS, via="export")).error is None
    assert sources(on)["export"] > 500
    assert_cleared(on)
    assert_same_rows(on, trades=False)


def test_the_key_s_window_clips_the_report_and_what_counts_as_covered(stage: Set) -> None:
    account = life()
    seen_from = int(account.ledgers[70].at)
    on = quick(stage, account, key_facts={"query_from": seen_from}, window_refuses=True)
    outcome = on.sync(LEDGERS)
    assert outcome.error is None
    assert calls(on, "AddExport") == 1
    assert sources(on)["export"] > 500
    assert {r[0] for r in _query(on, "ledger_id", "refid", "ledger")} == {
        row.id for row in account.ledgers if row.at >= seen_from
    }
    covered = rows_of(on.database_url, "SELECT min(covered_from) FROM coverage WHERE stream = 'ledgers'")[0][0]
    assert str(covered)[:19].replace(" ", "T") == str(from_unix(seen_from))[:19].replace(" ", "T")
    on.exchange.facts.query_from = 0
    on.clock.time += timedelta(minutes=15)
    assert on.sync(LEDGERS).error is None
    assert_same_rows(on, trades=False)


def test_a_window_that_only_the_exchange_knows_is_not_covered_by_the_report(stage: Set) -> None:
    account = life()
    seen_from = int(account.ledgers[70].at)
    on = quick(stage, account, key_facts={"query_from": seen_from}, absent=frozenset({"GetApiKeyInfo"}))
    exports(on)
    on.exchange.faults.append(Fault(method="RetrieveExport", act=lambda: setattr(on.exchange.facts, "query_from", 0)))
    assert on.sync(replace(LEDGERS, via="export")).error is None
    assert_same_rows(on, trades=False)


def test_a_window_asked_for_brings_its_rows_and_no_others(stage: Set) -> None:
    on = quick(stage)
    rows = on.exchange.account.ledgers
    bounds = Bounds(from_unix(rows[100].at), from_unix(rows[600].at))
    assert on.sync(replace(LEDGERS, bounds=bounds)).error is None
    assert calls(on, "AddExport") == 1
    assert {r[0] for r in _query(on, "ledger_id", "refid", "ledger")} == {row.id for row in rows[100:600]}


def test_a_key_that_may_not_make_reports_reads_pages(stage: Set) -> None:
    on = quick(stage, key_facts={"permissions": ("query-funds", "query-ledger", "query-closed-trades")})
    assert on.sync().error is None
    assert calls(on, *METHODS) == 0
    assert_same_rows(on)


@pytest.mark.parametrize("told", [True, False])
def test_a_report_asked_for_by_name_must_be_permitted(stage: Set, told: bool) -> None:
    absent = frozenset[str]() if told else frozenset({"GetApiKeyInfo"})
    on = quick(stage, key_facts={"permissions": ("query-funds", "query-ledger", "query-closed-trades")}, absent=absent)
    outcome = on.sync(Request(via="export"))
    assert isinstance(outcome.error, PermissionMissing)
    assert "export-data" in str(outcome.error)
    assert sources(on) == {}


def test_pages_it_is_where_pages_were_asked_for_or_the_key_is_unverified(stage: Set) -> None:
    on = quick(stage, absent=frozenset({"GetApiKeyInfo"}))
    assert on.sync(LEDGERS).error is None
    assert on.sync(replace(LEDGERS, via="pages", full=True)).error is None
    assert calls(on, *METHODS) == 0
    assert on.sync(replace(LEDGERS, via="export")).error is None
    assert calls(on, "AddExport") == 1
    assert_same_rows(on, trades=False)


# --- when a report fails ---


def test_a_report_that_stays_in_the_queue_is_cancelled_after_the_wait_and_pages_bring_the_rows(stage: Set) -> None:
    on = quick(stage)
    exports(on, stuck=True)
    outcome = on.sync(LEDGERS)
    assert outcome.error is None
    assert any("not ready after 30 minutes" in note for note in outcome.notes)
    assert timedelta(minutes=30) <= on.clock.now() - FakeClock().now() <= timedelta(minutes=31)
    assert calls(on, *METHODS) <= 13
    assert [r.params["type"] for r in on.exchange.requests if r.method == "RemoveExport"] == ["cancel"]
    assert_cleared(on)
    assert set(sources(on)) == {"api"}
    assert_same_rows(on, trades=False)


def test_the_wait_is_a_setting(stage: Set) -> None:
    on = stage(life(), FAST | {"PORTFOLIO_SYNC_SYNC_EXPORT_WAIT": "2m"}, limited=False)
    exports(on, stuck=True)
    assert any("after 2 minutes" in note for note in on.sync(LEDGERS).notes)
    assert on.clock.now() - FakeClock().now() <= timedelta(minutes=3)


def test_a_report_that_expires_while_it_is_waited_for_is_given_up(stage: Set) -> None:
    on = quick(stage)
    exports(on, queue=Decimal(600), kept=Decimal(60))
    outcome = on.sync(LEDGERS)
    assert outcome.error is None
    assert any("no longer there" in note for note in outcome.notes)
    assert_cleared(on)
    assert_same_rows(on, trades=False)


def zipped(content: bytes, name: str = "ledgers.csv") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(name, content)
    return packed.getvalue()


def spoilt(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """The same ZIP, its one file changed."""

    def zip_of(packed: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(packed)) as bundle:
            return zipped(change(bundle.read(bundle.namelist()[0])))

    return zip_of


def damaged(packed: bytes) -> bytes:
    """Whole by its looks: only reading to the end shows that bytes are wrong."""
    middle = len(packed) // 2
    return packed[:middle] + bytes(byte ^ 0xFF for byte in packed[middle : middle + 40]) + packed[middle + 40 :]


BAD_FILES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda packed: packed[: len(packed) // 2],
    "damaged": damaged,
    "a page": lambda _: b"<html><body>Service Unavailable</body></html>",
    "nothing": lambda _: b"",
    "no file in it": lambda _: b"PK\x05\x06" + bytes(18),
    "another table": spoilt(lambda _: b'"a","b"\n"1","2"\n'),
    "the other report": spoilt(lambda _: b'"txid","ordertxid","pair","time","type","ordertype","price","cost","fee","vol"\n'),
    "header only": spoilt(lambda content: content.split(b"\n")[0] + b"\n"),
    "rows missing": spoilt(lambda content: b"\n".join(content.split(b"\n")[:-10]) + b"\n"),
    "half a line": spoilt(lambda content: content[:-40]),
    "no number": spoilt(lambda content: content.replace(b'"0.', b'"x.', 2_000)),
}  # fmt: skip


@pytest.mark.parametrize("way", BAD_FILES)
def test_a_bad_file_leaves_nothing_and_pages_bring_the_rows(stage: Set, way: str) -> None:
    on = quick(stage)
    office = exports(on)
    whole = office.retrieve
    on.exchange.exchange.exports = _Office(office, retrieve=lambda *asked: BAD_FILES[way](whole(*asked)))  # type: ignore[assignment]
    outcome = on.sync(LEDGERS)
    assert outcome.error is None
    assert any("read page by page" in note for note in outcome.notes)
    assert set(sources(on)) == {"api"}
    assert_cleared(on)
    assert_same_rows(on, trades=False)


@pytest.mark.parametrize("method", METHODS[:3])
@pytest.mark.parametrize("error", ["EExport:Too many exports", "EGeneral:Permission denied", "EGeneral:Unknown method"])
def test_an_error_of_the_exchange_is_noted_and_pages_bring_the_rows(stage: Set, method: str, error: str) -> None:
    on = quick(stage)
    on.exchange.exchange.recorded[method] = b'{"error":["%s"]}' % error.encode()
    outcome = on.sync(LEDGERS)
    assert outcome.error is None
    assert any(error in note for note in outcome.notes)
    assert_cleared(on)
    assert_same_rows(on, trades=False)


def test_a_report_that_cannot_be_removed_is_noted(stage: Set) -> None:
    on = quick(stage)
    on.exchange.exchange.recorded["RemoveExport"] = b'{"error":["EExport:Not yours"]}'
    outcome = on.sync(LEDGERS)
    assert outcome.error is None
    assert any("could not be removed" in note and "EExport:Not yours" in note for note in outcome.notes)
    assert sources(on)["export"] > 500


def test_what_fails_is_said_where_a_report_was_asked_for_by_name(stage: Set) -> None:
    on = quick(stage)
    on.exchange.exchange.recorded["AddExport"] = b'{"error":["EExport:Too many exports"]}'
    outcome = on.sync(replace(LEDGERS, via="export"))
    assert isinstance(outcome.error, Refused)
    assert "EExport:Too many exports" in str(outcome.error)
    assert sources(on) == {}


def test_one_report_that_fails_does_not_spoil_the_other(stage: Set) -> None:
    on = quick(stage, life(1_200))
    office = exports(on)
    whole = office.add

    def add(account: Account, params: dict[str, Any], *rest: Any) -> Any:
        if params["report"] == "trades":
            raise ExchangeRefusal("EExport:Sorry")
        return whole(account, params, *rest)

    on.exchange.exchange.exports = _Office(office, add=add)  # type: ignore[assignment]
    outcome = on.sync()
    assert outcome.error is None
    assert ["trades" in note for note in outcome.notes] == [True]
    assert set(sources(on, "trade")) == {"api"}
    assert sources(on)["export"] > 1_000
    assert_same_rows(on)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("trouble", [Trouble.LOST, Trouble.HTML_520, Trouble.SHORT, Trouble.TRUNCATED])
def test_passing_trouble_is_survived_and_a_request_sent_twice_leaves_no_second_report(
    stage: Set, method: str, trouble: Trouble
) -> None:
    on = quick(stage)
    exports(on, queue=Decimal(60))
    on.exchange.faults.append(Fault(trouble, method))
    outcome = on.sync(LEDGERS)
    assert outcome.error is None
    assert sources(on)["export"] > 500
    assert_cleared(on)
    assert_same_rows(on, trades=False)


def test_a_report_that_could_not_be_removed_for_lack_of_a_connection_is_removed_by_the_next_run(stage: Set) -> None:
    on = quick(stage)
    on.exchange.faults.append(Fault(Trouble.HTML_520, "RemoveExport", times=10_000))
    assert on.sync(LEDGERS).error is None
    assert len(on.exchange.exchange.exports.reports) == 1
    on.exchange.faults.clear()
    assert on.sync(LEDGERS).error is None
    assert_cleared(on)
    assert calls(on, "AddExport") == 1


# --- killed and resumed ---


def assert_cleared(on: Stage) -> None:
    """Nothing of ours is left at the exchange, nor on record."""
    office = on.exchange.exchange.exports
    for report in ("ledgers", "trades"):
        assert office.status(on.exchange.account, {"report": report}, on.clock.unix()) == []
    assert rows_of(on.database_url, "SELECT * FROM export_job") == []


@contextmanager
def death(patch: pytest.MonkeyPatch, owner: type, name: str, nth: int, *, after: bool) -> Iterator[None]:
    """The process ends at the ``nth`` call of a method: before it, or when it is done."""
    whole, seen = getattr(owner, name), [0]

    def deadly(self: Any, *given: Any, **named: Any) -> Any:
        seen[0] += 1
        if seen[0] == nth and not after:
            raise Stopped
        done = whole(self, *given, **named)
        if seen[0] == nth:
            if isinstance(done, io.IOBase):
                done.close()  # as the end of a process does
            raise Stopped
        return done

    with patch.context() as patched:
        patched.setattr(owner, name, deadly)
        yield
    assert seen[0] >= nth


STEPS = {
    "before asking": (Book, "keep_export", 1, True),
    "asked, its id not noted": (Book, "keep_export", 2, False),
    "asked and noted": (Book, "keep_export", 2, True),
    "before the file": (Client, "download", 1, False),
    "with the file": (Desk, "fetch", 1, True),
    "before the commit": (Book, "commit_report", 1, False),
    "written, not removed": (Book, "commit_report", 1, True),
    "removed, not forgotten": (Book, "forget_export", 1, False),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_step_goes_on_with_its_report(
    stage: Set, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    on = quick(stage)
    exports(on, queue=Decimal(20))
    owner, name, nth, after = STEPS[step]
    with death(monkeypatch, owner, name, nth, after=after), pytest.raises(Stopped):
        on.sync(LEDGERS)
    on.clock.time += timedelta(minutes=5)
    assert on.sync(LEDGERS).error is None
    assert calls(on, "AddExport") == 1
    assert sources(on)["export"] > 500
    assert_cleared(on)
    assert_same_rows(on, trades=False)


def test_a_run_killed_while_it_waits_takes_the_report_up_again_hours_later(stage: Set) -> None:
    on = quick(stage)
    exports(on, queue=Decimal(9_000))
    on.exchange.faults.append(Fault(method="ExportStatus", nth=3, act=on.clock.stop))
    with pytest.raises(Stopped):
        on.sync(LEDGERS)
    on.clock.stopped = False
    on.clock.time += timedelta(hours=6)
    outcome = on.sync(LEDGERS)
    assert (outcome.error, outcome.notes) == (None, [])
    assert calls(on, "AddExport") == 1
    assert sources(on)["export"] > 500
    assert_cleared(on)
    assert_same_rows(on, trades=False)


def test_a_report_that_expired_meanwhile_is_asked_for_anew(stage: Set) -> None:
    on = quick(stage)
    exports(on, queue=Decimal(60))
    on.exchange.faults.append(Fault(method="ExportStatus", nth=2, act=on.clock.stop))
    with pytest.raises(Stopped):
        on.sync(LEDGERS)
    on.clock.stopped = False
    on.clock.time += timedelta(days=4)
    assert on.sync(LEDGERS).error is None
    assert calls(on, "AddExport") == 2
    assert sources(on)["export"] > 500
    assert_cleared(on)
    assert_same_rows(on, trades=False)


def test_a_report_left_over_that_nobody_needs_any_more_is_removed(stage: Set) -> None:
    on = quick(stage)
    exports(on, queue=Decimal(60))
    on.exchange.faults.append(Fault(method="ExportStatus", nth=2, act=on.clock.stop))
    with pytest.raises(Stopped):
        on.sync(LEDGERS)
    on.clock.stopped = False
    assert on.sync(replace(LEDGERS, via="pages")).error is None
    assert len(on.exchange.exchange.exports.reports) == 1
    assert on.sync(LEDGERS).error is None
    assert calls(on, "AddExport") == 1
    assert_cleared(on)
    assert set(sources(on)) == {"api"}


def test_reports_of_others_are_never_touched(stage: Set) -> None:
    on = quick(stage)
    office = exports(on, queue=Decimal(20))
    for report in ("ledgers", "trades"):
        for words in ("for my accountant", f"portfolio-sync main {report}", f"portfolio-sync main {report} 2026-01-01"):
            office.add(on.exchange.account, {"report": report, "description": words}, NOW)
    theirs = set(office.reports)
    assert on.sync(Request(via="export")).error is None
    exports(on, stuck=True)
    on.clock.time += timedelta(hours=2)
    assert isinstance(on.sync(replace(LEDGERS, via="export")).error, Refused)
    assert set(office.reports) == theirs
    removed = {request.params["id"] for request in on.exchange.requests if request.method == "RemoveExport"}
    assert len(removed) == 3
    assert not removed & theirs


def test_an_id_that_came_round_to_somebody_else_s_report_is_not_ours(stage: Set) -> None:
    on = quick(stage)
    office = exports(on, queue=Decimal(60))
    on.exchange.faults.append(Fault(method="ExportStatus", nth=2, act=on.clock.stop))
    with pytest.raises(Stopped):
        on.sync(LEDGERS)
    on.clock.stopped = False
    (ours,) = office.reports
    on.clock.time += timedelta(days=4)
    del office.reports[ours]
    office.add(on.exchange.account, {"report": "ledgers", "description": "theirs"}, on.clock.unix())
    (theirs,) = office.reports.values()
    office.reports = {ours: replace(theirs, id=ours)}
    assert on.sync(LEDGERS).error is None
    assert [report.descr for report in office.reports.values()] == ["theirs"]
    assert calls(on, "AddExport") == 2
    assert_same_rows(on, trades=False)


def test_kill_9_while_a_report_is_made(database_url: str, tmp_path: Path) -> None:
    account = generate(11, 2_500)
    with Sandbox(account, limited=False) as exchange:
        exchange.exchange.exports.queue = Decimal(3_600)
        only = ("--stream", "ledgers")
        with start(exchange, database_url, tmp_path, *only) as process:
            while exchange.calls("AddExport") < 1 and process.poll() is None:
                threading.Event().wait(0.002)
            process.send_signal(signal.SIGKILL)
        exchange.exchange.exports.queue = Decimal(0)
        with start(exchange, database_url, tmp_path, *only) as process:
            assert process.wait(timeout=PATIENCE) == 0
        assert exchange.calls("AddExport") == 1
        assert exchange.exchange.exports.reports == {}
        there = len(account.ledgers)
        assert rows_of(database_url, "SELECT count(*) FROM raw_ledger WHERE source = 'export'")[0][0] > there - 500
        assert rows_of(database_url, "SELECT count(*) FROM raw_ledger")[0][0] == there


def test_the_command_ends_with_3_where_the_key_may_not_make_the_reports_it_asks_for(tmp_path: Path) -> None:
    with Sandbox(life(50), limited=False, key_facts={"permissions": ("query-ledger",)}) as exchange:
        database_url = f"sqlite:///{tmp_path / 'portfolio.db'}"
        with start(exchange, database_url, tmp_path, "--via", "export", "--stream", "ledgers") as process:
            assert process.wait(timeout=PATIENCE) == 3
        with start(exchange, database_url, tmp_path, "--via", "pages", "--stream", "ledgers") as process:
            assert process.wait(timeout=PATIENCE) == 0
