from __future__ import annotations

from portfolio_sync.normalize.events import normalize
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.report import rows
from portfolio_sync.store import schema
from portfolio_sync.tax.compute import Options, compute
from portfolio_sync.tax.profiles import US
from tests.ledgers import Ledger
from tests.shown import shown

ADDED_BY_THE_STORE = {"run_id", "taxpayer"}


def test_rows_fit_the_derived_tables() -> None:
    ledger = Ledger()
    ledger.trade("100 USD", "3 BTC", refid="T1", fee="0.26")
    ledger.trade("1 BTC", "80 USD", refid="T2", after=9)
    ledger.add("earn", "USD", "5", refid="E1", subtype="reward")
    ledger.add("earn", "BTC", "-1", refid="E2", subtype="allocation")
    lookup = Lookup(PriceTable(), "USD")
    events = value_all(normalize(ledger.rows).events, lookup).events
    computation = compute(events, US, Options(), lookup)
    made = {
        schema.event_row: list(rows.event_rows(events, "USD")), schema.disposal_row: list(rows.disposal_rows(computation, "USD")),
        schema.income_row: list(rows.income_rows(computation, "USD")), schema.lot_row: list(rows.lot_rows(computation, "USD")),
        schema.holding_row: list(rows.holding_rows(computation, "USD")),
    }  # fmt: skip
    for table, found in made.items():
        assert found, table.name
        needed = {column.name for column in table.columns if not column.nullable} - ADDED_BY_THE_STORE
        for row in found:
            assert row.keys() == {column.name for column in table.columns} - ADDED_BY_THE_STORE
            assert not {name for name in needed if row[name] is None}, table.name
    buy = made[schema.event_row][0]
    named = "kind asset quantity counter_asset counter_quantity fee_asset fee_quantity value ledger_ids"
    assert shown(*(buy[name] for name in named.split())) == "buy BTC 3 USD 100 USD 0.26 100 L1;L2"
