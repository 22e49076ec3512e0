"""What was recorded, when, and which sales it has a say in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from portfolio_sync.core.event import Event, Kind, Leg
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.record import Recorded, RecordedOrder, RecordedPick
from portfolio_sync.normalize.transactions import to_event
from portfolio_sync.tax.profile import Method, Profile, with_settings
from portfolio_sync.tax.profiles import GENERIC, IE, UK, US
from portfolio_sync.tax.recorded import not_filled, standing, undated, with_picks
from tests.law.published import figures, transaction


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def order(method: str, start: str, recorded: str, account: str = "") -> RecordedOrder:
    return RecordedOrder(method, at(start), at(recorded), account)


def stood(recorded: Recorded, day: str) -> Method:
    """As ``tax.methods.in_order`` reads standing orders, under the US profile."""
    found = US.method
    for one in sorted(standing(recorded, US), key=lambda s: (s.start, s.account is not None)):
        if one.start and one.start <= at(day):
            found = one.method
    return found


@pytest.mark.parametrize(
    ("day", "method"),
    [
        ("2023-06-01", "fifo"),
        ("2024-06-01", "hifo"),  # before 2025 as it says, whenever it was recorded
        ("2025-01-01", "fifo"),  # not yet recorded
        ("2025-05-31", "fifo"),
        ("2025-06-01", "hifo"),
        ("2026-03-01", "lofo"),
    ],
)
def test_from_2025_on_an_order_stands_no_earlier_than_it_was_recorded(day: str, method: str) -> None:
    recorded = Recorded(
        (order("hifo", "2024-01-01", "2025-06-01"), order("lofo", "2026-02-01", "2025-12-01")),
    )
    assert stood(recorded, day) == method


def test_an_order_recorded_in_advance_goes_on_over_the_turn() -> None:
    recorded = Recorded((order("hifo", "2024-01-01", "2023-12-01"),))
    assert [stood(recorded, day) for day in ("2024-12-31", "2025-01-01")] == ["hifo", "hifo"]


def test_without_dates_in_the_law_effective_dates_count() -> None:
    late = Recorded((order("lifo", "2024-01-01", "2026-01-01"),))
    assert [one.start for one in standing(late, GENERIC)] == [at("2024-01-01")]
    lifted = with_settings(US, {"dated_methods_from": ""})
    assert [one.start for one in standing(late, lifted)] == [at("2024-01-01")]
    assert standing(late, UK) == ()


def event(name: str, time: str, legs: dict[str, str], kind: Kind = Kind.SELL) -> Event:
    parts = tuple(Leg(Decimal(number), asset, (f"{name}-{asset}",)) for asset, number in legs.items())
    return Event(f"E{name}", "main", at(time), kind, parts, source=tuple(f"{name}-{asset}" for asset in legs))


BUY = event("b1", "2024-01-01", {"USD": "-10", "BTC": "5"}, Kind.BUY)
FILLS = [
    event("f1", "2025-03-01T00:00:00", {"BTC": "-1", "USD": "30"}),
    event("f2", "2025-03-01T00:00:05", {"BTC": "-2", "USD": "60"}),
]
ROWS = {"ORDER": ("f1-BTC", "f1-USD", "f2-BTC", "f2-USD"), "b1": ("b1-USD", "b1-BTC"), "b1-BTC": ("b1-BTC",)}


def pick(lot: str, amount: str, recorded: str = "2025-02-01") -> RecordedPick:
    return RecordedPick("ORDER", lot, Decimal(amount), at(recorded))


def lots(picks: list[RecordedPick]) -> list[tuple[tuple[str, Decimal], ...]]:
    return [found.facts.lots for found in with_picks([BUY, *FILLS], picks, ROWS, US).events[1:]]


def test_lots_picked_for_an_order_are_spread_over_its_fills() -> None:
    assert lots([pick("b1", "1.5")]) == [(("b1-BTC", Decimal(1)),), (("b1-BTC", Decimal("0.5")),)]


def test_of_several_lists_the_last_that_came_in_time_counts() -> None:
    early, late = pick("b1-BTC", "0.25"), pick("b1-BTC", "0.75", "2025-04-01")
    found = with_picks([BUY, *FILLS], [early, late], ROWS, US)
    assert found.events[1].facts.lots == (("b1-BTC", Decimal("0.25")),)
    assert {finding.code for finding in found.findings} == {"pick_recorded_late"}
    assert with_picks([BUY, *FILLS], [early, late], ROWS, GENERIC).events[1].facts.lots == (
        ("b1-BTC", Decimal("0.75")),
    )


def test_picks_have_no_effect_where_no_lot_is_chosen() -> None:
    found = with_picks([BUY, *FILLS], [pick("b1", "1")], ROWS, UK)
    assert found.events == (BUY, *FILLS)
    assert [finding.code for finding in found.findings] == ["pick_without_effect"]


def test_a_purchase_is_no_sale_and_money_no_lot() -> None:
    buy = RecordedPick("b1", "b1", Decimal(1), at("2020-01-01"))
    assert [f.code for f in with_picks([BUY, *FILLS], [buy], ROWS, US).findings] == ["pick_of_unknown_sale"]
    sold = with_picks([BUY, *FILLS], [pick("ORDER", "1")], ROWS, US)
    assert {f.code for f in sold.findings} == {"pick_of_unknown_lot"}


HISTORY = [
    {"id": "a", "time": "2024-01-01T00:00:00Z", "kind": "buy", "asset": "BTC", "amount": "1", "value": "100"},
    {"id": "s", "time": "2024-03-01T00:00:00Z", "kind": "sell", "asset": "BTC", "amount": "1", "value": "300"},
    {"id": "b", "time": "2024-05-01T00:00:00Z", "kind": "buy", "asset": "BTC", "amount": "1", "value": "200"},
]


def said_of(lot: str, amount: str, profile: Profile) -> list[Finding]:
    """What is said of a sale that names a lot in its own line of a file."""
    lots = [{"lot": lot, "amount": amount}]
    rows = [transaction(row | ({"lots": lots} if row["id"] == "s" else {})) for row in HISTORY]
    events = [to_event(row, "main") for row in rows]
    return list(not_filled(events, figures(rows, profile).disposals, profile))


@pytest.mark.parametrize(("lot", "taken"), [("zz", "0"), ("b", "0")])
def test_a_lot_named_in_a_file_that_is_not_there_at_the_sale_is_named(lot: str, taken: str) -> None:
    (found,) = said_of(lot, "1", with_settings(GENERIC, {"method": "spec_id"}))
    assert (found.code, found.source) == ("pick_not_filled", ("s",))
    assert f"1 of lot {lot} were picked, {taken} were there" in found.message
    assert said_of("a", "1", with_settings(GENERIC, {"method": "spec_id"})) == []


@pytest.mark.parametrize("profile", [UK, IE])
def test_where_the_law_names_the_lots_a_person_cannot_and_is_told_so(profile: Profile) -> None:
    (found,) = said_of("b", "0.5", profile)
    assert found.code == "pick_without_effect"


def test_units_for_which_no_lot_was_named_are_told() -> None:
    (found,) = said_of("a", "0.4", with_settings(GENERIC, {"method": "spec_id"}))
    assert (found.code, found.severity) == ("lots_partly_named", Severity.INFO)
    assert "all but 0.6 units" in found.message


# 26 CFR 1.1012-1(j)(2): no later than the sale. A file is read long after it, and has no date of its own.
@pytest.mark.parametrize(("profile", "said"), [(US, ["s2"]), (GENERIC, []), (UK, [])])
def test_lots_named_in_a_file_are_followed_but_their_date_is_asked_for_from_2025_on(
    profile: Profile, said: list[str]
) -> None:
    named = {"lots": [{"lot": "a", "amount": "0.5"}]}
    sale = {"id": "s2", "time": "2025-03-01T00:00:00Z", "kind": "sell", "asset": "BTC", "amount": "0.5", "value": "90"}
    many = {"amount": "9", "value": "900"}
    rows = [transaction(row) for row in (HISTORY[0] | many, HISTORY[1] | named, sale | named)]
    events, disposals = [to_event(row, "main") for row in rows], figures(rows, profile).disposals
    found = list(undated(events, events, disposals, profile))
    assert [(finding.code, finding.source[0]) for finding in found] == [("lots_undated", name) for name in said]
    recorded = [RecordedPick("s2", "a", Decimal("0.5"), at("2025-02-01"))]
    picked = with_picks(events, recorded, {"s2": ("s2",), "a": ("a",)}, profile)
    assert not list(undated(events, picked.events, disposals, profile))
