"""Read the streams without a history: the state of this moment (balances, Earn) and the lists of recent transfers."""

from __future__ import annotations

from portfolio_sync.errors import Refused
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.refusal import is_unknown_method
from portfolio_sync.sync.pages import StatusPage, snapshot, status_page
from portfolio_sync.sync.reading import Reading
from portfolio_sync.sync.recent import read_recent
from portfolio_sync.sync.streams import FINAL_STATES, Record


def read_snapshot(reading: Reading) -> None:
    """Stored on change only; an asset that is no longer listed is stored once more, as zero."""
    records = snapshot(reading.stream, _answer(reading), reading.assets)
    changed = reading.job.book.snapshot(reading.stream, records, reading.now)
    reading.advance(changed, None, 0)


def _answer(reading: Reading) -> object:
    """BalanceEx, or Balance where the server does not have it."""
    try:
        return reading.call(dict(reading.stream.params))
    except Refused as error:
        if reading.stream.endpoint is not Endpoint.BALANCE_EX or not is_unknown_method(error):
            raise
        return reading.job.client.call(Endpoint.BALANCE)


def read_status(reading: Reading) -> None:
    """Every status row there is at first and once a day; else back to the oldest that can still change."""
    stream, book = reading.stream, reading.job.book
    changed = 0

    def settled(rows: list[Record]) -> bool:
        oldest = min(row.time for row in rows)
        return (
            not reading.deep and changed == 0 and not book.open_transfer_before(stream.container, oldest, FINAL_STATES)
        )

    def fetch(params: dict[str, str]) -> StatusPage:
        return status_page(stream, reading.call({**stream.params, **params}), reading.assets)

    for rows in read_recent(fetch, settled):
        changed = book.commit(stream, rows)
        reading.advance(len(rows), None, 0)
