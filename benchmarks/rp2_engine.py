"""rp2's tax engine alone on one asset: a process of its own, since importing rp2 changes the decimal context of all.

``python -m benchmarks.rp2_engine DEALS`` prints CPU seconds; what is measured is ``compute_tax`` on objects in memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any

from benchmarks.deals import ASSETS, Deal, deals

CONFIGURATION = """\
[general]
assets = {assets}
exchanges = Kraken
holders = Me

[in_header]
timestamp = 0
asset = 1
exchange = 2
holder = 3
transaction_type = 4
spot_price = 5
crypto_in = 6
fiat_fee = 7

[out_header]
timestamp = 0
asset = 1
exchange = 2
holder = 3
transaction_type = 4
spot_price = 5
crypto_out_no_fee = 6
crypto_fee = 7

[intra_header]
timestamp = 0
asset = 1
from_exchange = 2
from_holder = 3
to_exchange = 4
to_holder = 5
spot_price = 6
crypto_sent = 7
crypto_received = 8
"""


def write_configuration(folder: Path, assets: Sequence[str] = ASSETS) -> Path:
    path = folder / "rp2.ini"
    path.write_text(CONFIGURATION.format(assets=", ".join(assets)), encoding="utf-8")
    return path


def engine(history: Sequence[Deal]) -> float:
    """CPU seconds of ``compute_tax``."""
    from prezzemolo.avl_tree import AVLTree
    from rp2.accounting_engine import AccountingEngine
    from rp2.configuration import MAX_DATE, MIN_DATE, Configuration
    from rp2.entry_types import EntrySetType
    from rp2.in_transaction import InTransaction
    from rp2.input_data import InputData
    from rp2.out_transaction import OutTransaction
    from rp2.plugin.accounting_method.fifo import AccountingMethod
    from rp2.plugin.country.us import US
    from rp2.rp2_decimal import ZERO, RP2Decimal
    from rp2.tax_engine import compute_tax
    from rp2.transaction_set import TransactionSet

    asset = history[0].asset
    with tempfile.TemporaryDirectory() as name:
        configuration = Configuration(str(write_configuration(Path(name), [asset])), US())
    sets = {kind: TransactionSet(configuration, kind, asset, MIN_DATE, MAX_DATE) for kind in ("IN", "OUT", "INTRA")}
    for deal in history:
        at, price = deal.time.astimezone(UTC).isoformat(), RP2Decimal(deal.money / deal.units)
        common = configuration, at, asset, "Kraken", "Me", "Buy" if deal.buys else "Sell", price, RP2Decimal(deal.units)
        made = (
            InTransaction(*common, fiat_fee=RP2Decimal(deal.fee), row=deal.number + 1)
            if deal.buys
            else OutTransaction(*common, ZERO, row=deal.number + 1)  # it knows fees of a sale in coins alone
        )
        sets["IN" if deal.buys else "OUT"].add_entry(made)
    methods: Any = AVLTree()
    methods.insert_node(date.min.year, AccountingMethod())
    assert EntrySetType.IN.value == "in"
    data = InputData(asset, sets["IN"], sets["OUT"], sets["INTRA"])
    start = time.process_time()
    found = compute_tax(configuration, AccountingEngine(years_2_methods=methods), data)
    taken = time.process_time() - start
    assert found.gain_loss_set.count
    return taken


if __name__ == "__main__":
    print(json.dumps({"cpu": engine(deals(int(sys.argv[1]), ["BTC"]))}))
