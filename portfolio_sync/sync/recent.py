"""Read a status list (deposits, withdrawals), newest first, as far back as something in it can still change.

The exchange keeps these rows for about 90 days only. With ``cursor`` it pages; a server that does not know cursors sends
one bare list, which is then paged by its oldest time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from portfolio_sync.core.instant import ceil_second, to_unix
from portfolio_sync.sync.pages import StatusPage
from portfolio_sync.sync.streams import Record

FULL_LIST = 25  # rows; a bare list at least this long may have been cut

FetchStatus = Callable[[dict[str, str]], StatusPage]
Settled = Callable[[list[Record]], bool]


def read_recent(fetch: FetchStatus, settled: Settled) -> Iterator[list[Record]]:
    """Pages of rows until the list ends or ``settled(rows)``: nothing new on the page and nothing open behind it."""
    params: dict[str, str] | None = {"cursor": "true"}
    sent: set[str] = set()
    known: set[tuple[object, ...]] = set()
    while params is not None:
        page = fetch(params)
        fresh = [row for row in page.rows if _key(row) not in known]
        known.update(_key(row) for row in fresh)
        if fresh:
            yield fresh
            if settled(fresh):  # asked after the caller has stored the page
                return
        params = _next(page, fresh, sent)


def _next(page: StatusPage, fresh: list[Record], sent: set[str]) -> dict[str, str] | None:
    """What to ask next; None at the end, and where the exchange repeats a cursor."""
    if page.paged:
        if page.cursor is None or page.cursor in sent:
            return None
        sent.add(page.cursor)
        return {"cursor": page.cursor}
    if not fresh or len(page.rows) < FULL_LIST:
        return None
    oldest = ceil_second(min(row.time for row in page.rows))
    return {"end": str(int(to_unix(oldest)))}


def _key(row: Record) -> tuple[object, ...]:
    return (row.id, row.columns["asset"], row.columns["amount"])
