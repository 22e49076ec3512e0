"""All tables of the first release.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portfolio_sync.store import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# in the order in which they are made
TABLES = (
    "account",
    "event_row",
    "finding_row",
    "key_state",
    "price_row",
    "raw_balance",
    "raw_earn",
    "raw_ledger",
    "raw_trade",
    "raw_transaction",
    "raw_transfer",
    "reference_asset",
    "reference_pair",
    "report_row",
    "change_row",
    "coverage",
    "disposal_row",
    "holding_row",
    "income_row",
    "lease",
    "lot_row",
    "proof",
    "stream_state",
    "sync_run",
    "walk",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # SQLite has it from its shell, and from store/decimal_sum.py on our own connections
        op.execute(
            "CREATE AGGREGATE decimal_sum(numeric) (SFUNC = numeric_add, STYPE = numeric, PARALLEL = SAFE, COMBINEFUNC = numeric_add)"
        )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", types.Identifier, nullable=False),
        sa.Column("taxpayer", sa.Text(), nullable=False),
        sa.Column("kraken_id", sa.Text(), nullable=True),
        sa.Column("query_from", types.UtcDateTime(), nullable=True),
        sa.Column("query_to", types.UtcDateTime(), nullable=True),
        sa.Column("valid_until", types.UtcDateTime(), nullable=True),
        sa.Column("key_state", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "event_row",
        sa.Column("account", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("time", types.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("quantity", types.ExactDecimal(), nullable=True),
        sa.Column("counter_asset", sa.Text(), nullable=True),
        sa.Column("counter_quantity", types.ExactDecimal(), nullable=True),
        sa.Column("fee_asset", sa.Text(), nullable=True),
        sa.Column("fee_quantity", types.ExactDecimal(), nullable=True),
        sa.Column("value", types.ExactDecimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("price_source", sa.Text(), nullable=True),
        sa.Column("ledger_ids", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_event_row")),
    )
    op.create_table(
        "finding_row",
        sa.Column("scope", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("time", types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("scope", "id", name=op.f("pk_finding_row")),
    )
    op.create_table(
        "key_state",
        sa.Column("fingerprint", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("last_nonce", types.ExactDecimal(), nullable=False),
        sa.Column("level", types.ExactDecimal(), nullable=False),
        sa.Column("level_at", types.UtcDateTime(), nullable=True),
        sa.Column("parked_until", types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_key_state")),
    )
    op.create_table(
        "price_row",
        sa.Column("symbol", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("currency", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("time", types.UtcDateTime(), autoincrement=False, nullable=False),
        sa.Column("source", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("fetched_at", types.UtcDateTime(), autoincrement=False, nullable=False),
        sa.Column("rate", types.ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "currency", "time", "source", "fetched_at", name=op.f("pk_price_row")),
    )
    op.create_table(
        "raw_balance",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("taken_at", types.UtcDateTime(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("amount", types.ExactDecimal(), nullable=False),
        sa.Column("hold", types.ExactDecimal(), nullable=True),
        sa.Column("extra", types.JsonText(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "asset", "taken_at", name=op.f("pk_raw_balance")),
    )
    op.create_table(
        "raw_earn",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("strategy_id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("taken_at", types.UtcDateTime(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("amount", types.ExactDecimal(), nullable=False),
        sa.Column("rewarded", types.ExactDecimal(), nullable=True),
        sa.Column("extra", types.JsonText(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "strategy_id", "taken_at", name=op.f("pk_raw_earn")),
    )
    op.create_table(
        "raw_ledger",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("refid", types.Identifier, nullable=False),
        sa.Column("time", types.UtcDateTime(), nullable=False),
        sa.Column("time_text", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subtype", sa.Text(), nullable=False),
        sa.Column("aclass", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("amount", types.ExactDecimal(), nullable=False),
        sa.Column("fee", types.ExactDecimal(), nullable=False),
        sa.Column("balance", types.ExactDecimal(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("extra", types.JsonText(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_raw_ledger")),
    )
    op.create_index(op.f("ix_raw_ledger_account_id_time_id"), "raw_ledger", ["account_id", "time", "id"], unique=False)
    op.create_index(op.f("ix_raw_ledger_refid"), "raw_ledger", ["refid"], unique=False)
    op.create_table(
        "raw_trade",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("order_id", types.Identifier, nullable=False),
        sa.Column("position_id", types.Identifier, nullable=False),
        sa.Column("time", types.UtcDateTime(), nullable=False),
        sa.Column("time_text", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("order_type", sa.Text(), nullable=False),
        sa.Column("price", types.ExactDecimal(), nullable=False),
        sa.Column("cost", types.ExactDecimal(), nullable=False),
        sa.Column("fee", types.ExactDecimal(), nullable=False),
        sa.Column("volume", types.ExactDecimal(), nullable=False),
        sa.Column("margin", types.ExactDecimal(), nullable=False),
        sa.Column("misc", sa.Text(), nullable=False),
        sa.Column("maker", sa.Boolean(), nullable=True),
        sa.Column("ledgers", types.JsonText(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("extra", types.JsonText(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_raw_trade")),
    )
    op.create_index(op.f("ix_raw_trade_account_id_time_id"), "raw_trade", ["account_id", "time", "id"], unique=False)
    op.create_table(
        "raw_transaction",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("time", types.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", types.ExactDecimal(), nullable=True),
        sa.Column("value", types.ExactDecimal(), nullable=True),
        sa.Column("counter_asset", sa.Text(), nullable=False),
        sa.Column("counter_amount", types.ExactDecimal(), nullable=True),
        sa.Column("counter_value", types.ExactDecimal(), nullable=True),
        sa.Column("fee", types.ExactDecimal(), nullable=True),
        sa.Column("fee_asset", sa.Text(), nullable=False),
        sa.Column("fee_value", types.ExactDecimal(), nullable=True),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("to_wallet", sa.Text(), nullable=False),
        sa.Column("income_type", sa.Text(), nullable=False),
        sa.Column("cost", types.ExactDecimal(), nullable=True),
        sa.Column("acquired", types.UtcDateTime(), nullable=True),
        sa.Column("lots", types.JsonText(), nullable=False),
        sa.Column("portfolio_value", types.ExactDecimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_raw_transaction")),
    )
    op.create_table(
        "raw_transfer",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("direction", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("refid", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("asset", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("amount", types.ExactDecimal(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("fee", types.ExactDecimal(), nullable=True),
        sa.Column("time", types.UtcDateTime(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_prop", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("txid", types.Identifier, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("extra", types.JsonText(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "direction", "refid", "asset", "amount", name=op.f("pk_raw_transfer")),
    )
    op.create_table(
        "reference_asset",
        sa.Column("code", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("aclass", sa.Text(), nullable=False),
        sa.Column("altname", sa.Text(), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=True),
        sa.Column("extra", types.JsonText(), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_reference_asset")),
    )
    op.create_table(
        "reference_pair",
        sa.Column("name", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("altname", sa.Text(), nullable=False),
        sa.Column("wsname", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("pair_decimals", sa.Integer(), nullable=True),
        sa.Column("lot_decimals", sa.Integer(), nullable=True),
        sa.Column("extra", types.JsonText(), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reference_pair")),
    )
    op.create_table(
        "report_row",
        sa.Column("run_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("taxpayer", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("year", sa.Text(), nullable=False),
        sa.Column("input_seq", sa.Integer(), nullable=False),
        sa.Column("input_digest", types.Identifier, nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("manifest", types.JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_report_row")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_report_row_input_digest"), "report_row", ["input_digest"], unique=False)
    op.create_table(
        "change_row",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", types.Identifier, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("seen_at", types.UtcDateTime(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_change_row_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_row")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_change_row_account_id_table_name_seq"), "change_row", ["account_id", "table_name", "seq"], unique=False
    )
    op.create_table(
        "coverage",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("covered_from", types.UtcDateTime(), autoincrement=False, nullable=False),
        sa.Column("covered_to", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_coverage_account_id")),
        sa.PrimaryKeyConstraint("account_id", "stream", "covered_from", name=op.f("pk_coverage")),
    )
    op.create_table(
        "disposal_row",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("taxpayer", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", types.ExactDecimal(), nullable=False),
        sa.Column("acquired_at", types.UtcDateTime(), nullable=True),
        sa.Column("disposed_at", types.UtcDateTime(), nullable=False),
        sa.Column("proceeds", types.ExactDecimal(), nullable=True),
        sa.Column("cost", types.ExactDecimal(), nullable=True),
        sa.Column("gain", types.ExactDecimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("matched_date", sa.Text(), nullable=True),
        sa.Column("denied_loss", types.ExactDecimal(), nullable=True),
        sa.Column("tax_year", sa.Text(), nullable=False),
        sa.Column("acquired_id", sa.Text(), nullable=True),
        sa.Column("disposed_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["report_row.run_id"], name=op.f("fk_disposal_row_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "id", name=op.f("pk_disposal_row")),
    )
    op.create_table(
        "holding_row",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("symbol", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("taxpayer", sa.Text(), nullable=False),
        sa.Column("quantity", types.ExactDecimal(), nullable=False),
        sa.Column("cost", types.ExactDecimal(), nullable=True),
        sa.Column("value", types.ExactDecimal(), nullable=True),
        sa.Column("unrealised", types.ExactDecimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("priced_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["report_row.run_id"], name=op.f("fk_holding_row_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "account", "symbol", name=op.f("pk_holding_row")),
    )
    op.create_table(
        "income_row",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("taxpayer", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("time", types.UtcDateTime(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("quantity", types.ExactDecimal(), nullable=False),
        sa.Column("value", types.ExactDecimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("income_type", sa.Text(), nullable=False),
        sa.Column("tax_year", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["report_row.run_id"], name=op.f("fk_income_row_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "id", name=op.f("pk_income_row")),
    )
    op.create_table(
        "lease",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("until", types.UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("next_run_at", types.UtcDateTime(), nullable=True),
        sa.Column("last_run_at", types.UtcDateTime(), nullable=True),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_lease_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_lease")),
    )
    op.create_table(
        "lot_row",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("taxpayer", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("acquired_at", types.UtcDateTime(), nullable=True),
        sa.Column("quantity", types.ExactDecimal(), nullable=False),
        sa.Column("remaining", types.ExactDecimal(), nullable=False),
        sa.Column("cost", types.ExactDecimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["report_row.run_id"], name=op.f("fk_lot_row_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "id", name=op.f("pk_lot_row")),
    )
    op.create_table(
        "proof",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("wallet", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", types.JsonText(), nullable=False),
        sa.Column("proven_to", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_proof_account_id")),
        sa.PrimaryKeyConstraint("account_id", "asset", "wallet", name=op.f("pk_proof")),
    )
    op.create_table(
        "stream_state",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("last_success_at", types.UtcDateTime(), nullable=True),
        sa.Column("last_deep_at", types.UtcDateTime(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_stream_state_account_id")),
        sa.PrimaryKeyConstraint("account_id", "stream", name=op.f("pk_stream_state")),
    )
    op.create_table(
        "sync_run",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", types.UtcDateTime(), nullable=False),
        sa.Column("ended_at", types.UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("rows_new", sa.Integer(), nullable=False),
        sa.Column("rows_changed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sync_run_account_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_sync_run")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sync_run_account_id"), "sync_run", ["account_id"], unique=False)
    op.create_table(
        "walk",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("anchor", types.UtcDateTime(), nullable=False),
        sa.Column("ofs", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=True),
        sa.Column("covered_from", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_walk_account_id")),
        sa.PrimaryKeyConstraint("account_id", "stream", name=op.f("pk_walk")),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP AGGREGATE decimal_sum(numeric)")
