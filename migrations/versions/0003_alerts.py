"""What is told about an account, so that several processes and restarts tell it once.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portfolio_sync.store import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_state",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("alert", types.Identifier, autoincrement=False, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("since", types.UtcDateTime(), nullable=False),
        sa.Column("ended_at", types.UtcDateTime(), nullable=True),
        sa.Column("told", types.JsonText(), nullable=False),
        sa.Column("told_at", types.UtcDateTime(), nullable=True),
        sa.Column("next_try_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alert_state_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "alert", name=op.f("pk_alert_state")),
    )


def downgrade() -> None:
    op.drop_table("alert_state")
