"""The views that analysts query, one declaration for both databases.

A number ``x`` becomes two columns: ``x`` (REAL on SQLite, for charts and quick sums) and ``x_exact`` (TEXT there, for
``decimal_sum``); both are NUMERIC on PostgreSQL. The columns are a contract: docs and users' own queries rely on them.
"""

# ruff: noqa: S608 - names in SQL text come from schema.py; every value is bound

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A column that is shown twice, rounded and exact."""

    expression: str


@dataclass(frozen=True, slots=True)
class View:
    """``columns``: name -> SQL expression over ``source`` (a FROM clause and what follows it)."""

    name: str
    about: str
    columns: Mapping[str, str | Number]
    source: str

    def select(self, *, sqlite: bool) -> str:
        return f"SELECT {', '.join(self._columns(sqlite=sqlite))} FROM {self.source}"

    def _columns(self, *, sqlite: bool) -> Iterator[str]:
        for name, column in self.columns.items():
            if isinstance(column, Number):
                yield f"CAST({column.expression} AS REAL) AS {name}" if sqlite else f"{column.expression} AS {name}"
                yield f"{column.expression} AS {name}_exact"
            else:
                yield f"{column} AS {name}"


def _of(table: str, names: str, numbers: str = "") -> dict[str, str | Number]:
    """Columns taken over by name; those in ``numbers`` twice."""
    return {name: Number(f"{table}.{name}") if name in numbers.split() else f"{table}.{name}" for name in names.split()}


# A run stands for a tax year until a later one of the same taxpayer (and profile) covers that year too.
def _latest(alias: str, *, same_profile: bool) -> str:
    profile = " AND later.profile = run.profile" if same_profile else ""
    return (
        f"{alias} JOIN report_row AS run ON run.run_id = r.run_id WHERE run.year IN ('all', r.tax_year) "
        "AND NOT EXISTS (SELECT 1 FROM report_row AS later WHERE later.taxpayer = run.taxpayer"
        f"{profile} AND later.year IN ('all', r.tax_year) AND later.run_id > run.run_id)"
    )


_NEWEST_RUN = "r.run_id = (SELECT max(run.run_id) FROM report_row AS run WHERE run.taxpayer = r.taxpayer)"
_ACCOUNT: dict[str, str | Number] = {"account": "a.name"}
_DISPOSAL = _of(
    "r",
    "id taxpayer account asset kind quantity acquired_at disposed_at proceeds cost gain currency term rule matched_date "
    "denied_loss tax_year acquired_id disposed_id",
    "quantity proceeds cost gain denied_loss",
)
_BALANCE = _ACCOUNT | _of("r", "taken_at asset symbol amount", "amount")

VIEWS = (
    View(
        "ledger",
        "Every change of every balance, as Kraken booked it",
        _ACCOUNT
        | {"ledger_id": "r.id"}
        | _of("r", "refid time type subtype aclass asset symbol wallet amount fee balance source", "amount fee balance")
        | {"first_seen": "s.started_at"},
        "raw_ledger AS r JOIN account AS a ON a.id = r.account_id LEFT JOIN sync_run AS s ON s.seq = r.seq",
    ),
    View(
        "trade",
        "Every fill; the fee is Kraken's estimate, the ledger has what was charged",
        _ACCOUNT
        | {"trade_id": "r.id"}
        | _of(
            "r",
            "order_id position_id time pair base quote side order_type price cost fee volume margin misc maker",
            "price cost fee volume margin",
        ),
        "raw_trade AS r JOIN account AS a ON a.id = r.account_id",
    ),
    View(
        "balance",
        "The latest balance of each asset",
        _BALANCE,
        "raw_balance AS r JOIN account AS a ON a.id = r.account_id WHERE r.taken_at = (SELECT max(l.taken_at) "
        "FROM raw_balance AS l WHERE l.account_id = r.account_id AND l.asset = r.asset)",
    ),
    View(
        "balance_history",
        "Balances, a row for each change",
        _BALANCE,
        "raw_balance AS r JOIN account AS a ON a.id = r.account_id",
    ),
    View(
        "event",
        "What the ledger rows mean",
        _of(
            "r",
            "id account time kind asset quantity counter_asset counter_quantity fee_asset fee_quantity value currency "
            "price_source ledger_ids",
            "quantity counter_quantity fee_quantity value",
        ),
        "event_row AS r",
    ),
    View(
        "lot",
        "Lots of the newest report of each taxpayer",
        _of(
            "r",
            "id taxpayer account asset acquired_at quantity remaining cost currency event_id",
            "quantity remaining cost",
        ),
        f"lot_row AS r WHERE {_NEWEST_RUN}",
    ),
    View(
        "disposal",
        "Disposals of the latest report run of each taxpayer, profile and year",
        _DISPOSAL,
        _latest("disposal_row AS r", same_profile=True),
    ),
    View("disposal_all", "Disposals of every report run", {"run_id": "r.run_id"} | _DISPOSAL, "disposal_row AS r"),
    View(
        "income",
        "Income of the latest report run of each taxpayer and year",
        _of(
            "r",
            "id taxpayer account time asset quantity value currency income_type tax_year event_id",
            "quantity value",
        ),
        _latest("income_row AS r", same_profile=False),
    ),
    View(
        "holding",
        "What the newest report of each taxpayer ends with",
        _of(
            "r",
            "taxpayer account symbol quantity cost value unrealised currency priced_at",
            "quantity cost value unrealised",
        ),
        f"holding_row AS r WHERE {_NEWEST_RUN}",
    ),
    View(
        "price",
        "Known prices; where a rate was corrected, the corrected one",
        _of("r", "symbol currency time rate source fetched_at", "rate"),
        "price_row AS r WHERE r.fetched_at = (SELECT max(l.fetched_at) FROM price_row AS l WHERE l.symbol = r.symbol "
        "AND l.currency = r.currency AND l.time = r.time AND l.source = r.source)",
    ),
    View(
        "finding",
        "What needs a person",
        _of("r", "id account severity code message source_id time"),
        "(SELECT DISTINCT id, account, severity, code, message, source_id, time FROM finding_row) AS r",
    ),
    View(
        "change_log",
        "Old versions of rows that came back different",
        _ACCOUNT | _of("r", "table_name row_id field old new seen_at"),
        "change_row AS r LEFT JOIN account AS a ON a.id = r.account_id",
    ),
    View(
        "sync_status",
        "How far each stream is read; covered_from and covered_to bound the newest stretch without a gap",
        _ACCOUNT
        | {"stream": "r.stream", "covered_from": "c.covered_from", "covered_to": "c.covered_to"}
        | _of("r", "rows last_success_at")
        | {"proof": "p.state", "error": "r.error"},
        "stream_state AS r JOIN account AS a ON a.id = r.account_id "
        "LEFT JOIN coverage AS c ON c.account_id = r.account_id AND c.stream = r.stream AND c.covered_to = "
        "(SELECT max(l.covered_to) FROM coverage AS l WHERE l.account_id = r.account_id AND l.stream = r.stream) "
        # the proof of the account as a whole stands under no asset; it speaks about ledger, trades and balances
        "LEFT JOIN proof AS p ON p.account_id = r.account_id AND p.asset = '' AND p.wallet = '' "
        "AND r.stream IN ('ledgers', 'trades', 'balances') "
        # parts of a stream that the exchange keeps apart have rows of their own
        "WHERE r.stream IN ('balances', 'ledgers', 'trades', 'earn', 'deposits', 'withdrawals')",
    ),
    View(
        "report_run",
        "Reports made, and the input each one rests on",
        _of("r", "run_id taxpayer profile method year input_seq input_digest created_at"),
        "report_row AS r",
    ),
)
