"""Every table. Raw rows keep all that Kraken sent; ``*_row`` tables stand behind the view of that name; derived ones can be rebuilt.

``seq`` is the number of the sync or import that first brought a row: a frozen input is "all rows up to sequence n".
``account_id`` of a raw table is no foreign key: PostgreSQL would look the account up once a row.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, Text

from portfolio_sync.store.types import ExactDecimal, Identifier, JsonText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def key(name: str, type_: Any = Identifier) -> Column[Any]:
    return Column(name, type_, primary_key=True, autoincrement=False)


def id_(name: str) -> Column[Any]:
    return Column(name, Identifier, nullable=False)


def text(name: str) -> Column[Any]:
    """Text that is empty where Kraken left it out."""
    return Column(name, Text, nullable=False)


def words(name: str) -> Column[Any]:
    """Text that may be unknown."""
    return Column(name, Text)


def money(name: str) -> Column[Any]:
    return Column(name, ExactDecimal, nullable=False)


def perhaps_money(name: str) -> Column[Any]:
    return Column(name, ExactDecimal)


def instant(name: str) -> Column[Any]:
    return Column(name, UtcDateTime, nullable=False)


def perhaps_instant(name: str) -> Column[Any]:
    return Column(name, UtcDateTime)


def number(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def json(name: str) -> Column[Any]:
    return Column(name, JsonText, nullable=False)


def account_key() -> Column[Any]:
    return Column("account_id", ForeignKey("account.id"), primary_key=True, autoincrement=False)


def raw_account_key() -> Column[Any]:
    return key("account_id", Integer)


def counter(name: str) -> Column[Any]:
    """A number that the database gives, never used twice."""
    return Column(name, Integer, primary_key=True, autoincrement=True)


NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True}

# --- who -------------------------------------------------------------------------------------------------------------

account = Table(
    "account", metadata, Column("id", Integer, primary_key=True), Column("name", Identifier, nullable=False, unique=True),
    text("taxpayer"), words("kraken_id"), perhaps_instant("query_from"), perhaps_instant("query_to"),
    perhaps_instant("valid_until"), words("key_state"),
)  # fmt: skip
# ``fingerprint`` names an API key without being it. Nonces are unsigned 64-bit: too wide for both databases' integers.
key_state = Table(
    "key_state", metadata, key("fingerprint"), money("last_nonce"), money("level"), perhaps_instant("level_at"),
    perhaps_instant("parked_until"),
)  # fmt: skip
lease = Table(
    "lease", metadata, account_key(), words("owner"), perhaps_instant("until"), number("fence"),
    perhaps_instant("next_run_at"), perhaps_instant("last_run_at"), words("last_outcome"),
)  # fmt: skip

# What is the matter with an account. ``told``: the channels that believe so, by the names of their settings; a row is
# gone once it has ended and all of them know. ``next_try_at``: nobody tells it before (somebody is, or it failed).
alert_state = Table(
    "alert_state", metadata, account_key(), key("alert"), text("message"), instant("since"), perhaps_instant("ended_at"),
    json("told"), perhaps_instant("told_at"), perhaps_instant("next_try_at"),
)  # fmt: skip

# --- what was read ---------------------------------------------------------------------------------------------------

sync_run = Table(
    "sync_run", metadata, counter("seq"), Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    text("kind"), instant("started_at"), perhaps_instant("ended_at"), words("outcome"), words("error"), number("calls"),
    number("rows_new"), number("rows_changed"), **NEVER_REUSED,
)  # fmt: skip
stream_state = Table(
    "stream_state", metadata, account_key(), key("stream"), perhaps_instant("last_success_at"),
    perhaps_instant("last_deep_at"), number("rows"), Column("counted", Integer), words("error"),
    perhaps_instant("error_at"),
)  # fmt: skip
coverage = Table(
    "coverage", metadata, account_key(), key("stream"), key("covered_from", UtcDateTime), instant("covered_to")
)
walk = Table(
    "walk", metadata, account_key(), key("stream"), instant("anchor"), number("ofs"), words("last_id"),
    perhaps_instant("covered_from"),
)  # fmt: skip
change_row = Table(
    "change_row", metadata, counter("id"), Column("account_id", ForeignKey("account.id")), text("table_name"),
    id_("row_id"), text("field"), words("old"), words("new"), instant("seen_at"), number("seq"),
    Index(None, "account_id", "table_name", "seq"), **NEVER_REUSED,
)  # fmt: skip
proof = Table(
    "proof", metadata, account_key(), key("asset"), key("wallet"), text("state"), json("detail"),
    perhaps_instant("proven_to"),
)  # fmt: skip
# What the last proof left, for the next one to go on from. ``touched_from``: the earliest row written since; NULL: none.
chain_state = Table("chain_state", metadata, account_key(), perhaps_instant("touched_from"), json("state"))
# What the rows of a month said when they were proven.
month_seal = Table(
    "month_seal", metadata, account_key(), key("kind"), key("month"), number("rows"), text("digest"), text("marks")
)
# The same of the events shown: whence they must be derived anew.
event_state = Table("event_state", metadata, account_key(), perhaps_instant("touched_from"), json("state"))
# An export report asked of the exchange and not yet fetched and removed; kept so that a restart goes on with it.
export_job = Table(
    "export_job", metadata, account_key(), key("report"), words("export_id"), instant("requested_at"),
    instant("covered_from"), instant("covered_to"), text("state"),
)  # fmt: skip

# --- raw rows --------------------------------------------------------------------------------------------------------

raw_ledger = Table(
    "raw_ledger", metadata, raw_account_key(), key("id"), id_("refid"), instant("time"), text("time_text"), text("type"),
    text("subtype"), text("aclass"), text("asset"), text("symbol"), text("wallet"), money("amount"), money("fee"),
    money("balance"), text("source"), json("extra"), number("seq"),
    Index(None, "account_id", "time", "id"), Index(None, "refid"),
)  # fmt: skip
raw_trade = Table(
    "raw_trade", metadata, raw_account_key(), key("id"), id_("order_id"), id_("position_id"), instant("time"),
    text("time_text"), text("pair"), text("base"), text("quote"), text("side"), text("order_type"), money("price"),
    money("cost"), money("fee"), money("volume"), money("margin"), text("misc"), Column("maker", Boolean),
    json("ledgers"), text("source"), json("extra"), number("seq"), Index(None, "account_id", "time", "id"),
)  # fmt: skip
raw_transfer = Table(
    "raw_transfer", metadata, raw_account_key(), key("direction"), key("refid"), key("asset"), key("amount", ExactDecimal),
    text("symbol"), perhaps_money("fee"), instant("time"), text("status"), text("status_prop"), text("method"),
    text("network"), id_("txid"), text("address"), json("extra"), number("seq"),
)  # fmt: skip
raw_balance = Table(
    "raw_balance", metadata, raw_account_key(), key("asset"), key("taken_at", UtcDateTime), text("symbol"),
    money("amount"), perhaps_money("hold"), json("extra"), number("seq"),
)  # fmt: skip
raw_earn = Table(
    "raw_earn", metadata, raw_account_key(), key("strategy_id"), key("taken_at", UtcDateTime), text("asset"),
    text("symbol"), money("amount"), perhaps_money("rewarded"), json("extra"), number("seq"),
)  # fmt: skip
# Imported transactions as written by the user, in the words of the transactions CSV. ``place``: its ``seq`` column or line.
raw_transaction = Table(
    "raw_transaction", metadata, raw_account_key(), key("id"), instant("time"), text("kind"), text("asset"),
    perhaps_money("amount"), perhaps_money("value"), text("counter_asset"), perhaps_money("counter_amount"),
    perhaps_money("counter_value"), perhaps_money("fee"), text("fee_asset"), perhaps_money("fee_value"), text("wallet"),
    text("to_wallet"), text("income_type"), perhaps_money("cost"), perhaps_instant("acquired"), json("lots"),
    perhaps_money("portfolio_value"), text("currency"), text("note"), number("place"), number("seq"),
)  # fmt: skip
# What the law wants recorded before a sale: append-only, with the time it was recorded. ``account`` empty: all accounts.
standing_order = Table(
    "standing_order", metadata, counter("id"), text("taxpayer"), text("account"), text("method"),
    instant("effective_from"), instant("recorded_at"), **NEVER_REUSED,
)  # fmt: skip
lot_pick = Table(
    "lot_pick", metadata, counter("id"), text("taxpayer"), id_("sale"), id_("lot"), money("amount"),
    instant("recorded_at"), **NEVER_REUSED,
)  # fmt: skip
# A filed year: settings, digests and the tables as they were printed.
closed_year = Table(
    "closed_year", metadata, key("taxpayer"), key("profile"), key("year"), text("method"), number("input_seq"),
    Column("input_digest", Identifier, nullable=False), instant("closed_at"), json("document"),
)  # fmt: skip
reference_asset = Table(
    "reference_asset", metadata, key("code"), text("aclass"), text("altname"), Column("decimals", Integer), json("extra"),
    instant("seen_at"),
)  # fmt: skip
reference_pair = Table(
    "reference_pair", metadata, key("name"), text("altname"), text("wsname"), text("base"), text("quote"),
    Column("pair_decimals", Integer), Column("lot_decimals", Integer), json("extra"), instant("seen_at"),
)  # fmt: skip
# Append-only: a corrected rate is a later row of the same symbol, currency, time and source.
price_row = Table(
    "price_row", metadata, key("symbol"), key("currency"), key("time", UtcDateTime), key("source"),
    key("fetched_at", UtcDateTime), money("rate"),
)  # fmt: skip

# --- derived: dropped and rebuilt at will ----------------------------------------------------------------------------

report_row = Table(
    "report_row", metadata, counter("run_id"), text("taxpayer"), text("profile"), text("method"), text("year"),
    number("input_seq"), Column("input_digest", Identifier, nullable=False, index=True), instant("created_at"),
    json("manifest"), **NEVER_REUSED,
)  # fmt: skip


def run_key() -> Column[Any]:
    return Column("run_id", ForeignKey("report_row.run_id", ondelete="CASCADE"), primary_key=True, autoincrement=False)


event_row = Table(
    "event_row", metadata, key("account"), key("id"), instant("time"), text("kind"), text("asset"),
    perhaps_money("quantity"), words("counter_asset"), perhaps_money("counter_quantity"), words("fee_asset"),
    perhaps_money("fee_quantity"), perhaps_money("value"), words("currency"), words("price_source"), text("ledger_ids"),
    Index(None, "account", "time"),
)  # fmt: skip
lot_row = Table(
    "lot_row", metadata, run_key(), key("id"), text("taxpayer"), text("account"), text("asset"),
    perhaps_instant("acquired_at"), money("quantity"), money("remaining"), perhaps_money("cost"), text("currency"),
    words("event_id"),
)  # fmt: skip
disposal_row = Table(
    "disposal_row", metadata, run_key(), key("id"), text("taxpayer"), text("account"), text("asset"), text("kind"),
    money("quantity"), perhaps_instant("acquired_at"), instant("disposed_at"), perhaps_money("proceeds"),
    perhaps_money("cost"), perhaps_money("gain"), text("currency"), words("term"), text("rule"), words("matched_date"),
    perhaps_money("denied_loss"), text("tax_year"), words("acquired_id"), words("disposed_id"),
)  # fmt: skip
income_row = Table(
    "income_row", metadata, run_key(), key("id"), text("taxpayer"), text("account"), instant("time"), text("asset"),
    money("quantity"), perhaps_money("value"), text("currency"), text("income_type"), text("tax_year"), words("event_id"),
)  # fmt: skip
holding_row = Table(
    "holding_row", metadata, run_key(), key("account"), key("symbol"), text("taxpayer"), money("quantity"),
    perhaps_money("cost"), perhaps_money("value"), perhaps_money("unrealised"), text("currency"),
    perhaps_instant("priced_at"),
)  # fmt: skip
# ``scope`` is whose findings these are (``sync``, ``verify``, ``report 7``): each writer replaces its own alone.
finding_row = Table(
    "finding_row", metadata, key("scope"), key("id"), words("account"), text("severity"), text("code"), text("message"),
    text("source_id"), perhaps_instant("time"),
)  # fmt: skip
