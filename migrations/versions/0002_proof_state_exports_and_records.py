"""Where the proof stands, export jobs under way, and what a taxpayer records: standing orders, lot picks, filed years.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portfolio_sync.store import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# in the order in which they are made
TABLES = ("chain_state", "export_job", "standing_order", "lot_pick", "closed_year")


def upgrade() -> None:
    op.create_table(
        "chain_state",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("touched_from", types.UtcDateTime(), nullable=True),
        sa.Column("state", types.JsonText(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_chain_state_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_chain_state")),
    )
    op.create_table(
        "export_job",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("report", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("export_id", sa.Text(), nullable=True),
        sa.Column("requested_at", types.UtcDateTime(), nullable=False),
        sa.Column("covered_from", types.UtcDateTime(), nullable=False),
        sa.Column("covered_to", types.UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_export_job_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "report", name=op.f("pk_export_job")),
    )
    op.create_table(
        "standing_order",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("taxpayer", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("effective_from", types.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_order")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lot_pick",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("taxpayer", sa.Text(), nullable=False),
        sa.Column("sale", types.Identifier, nullable=False),
        sa.Column("lot", types.Identifier, nullable=False),
        sa.Column("amount", types.ExactDecimal(), nullable=False),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_pick")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "closed_year",
        sa.Column("taxpayer", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("profile", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("year", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("input_seq", sa.Integer(), nullable=False),
        sa.Column("input_digest", types.Identifier, nullable=False),
        sa.Column("closed_at", types.UtcDateTime(), nullable=False),
        sa.Column("document", types.JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer", "profile", "year", name=op.f("pk_closed_year")),
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
