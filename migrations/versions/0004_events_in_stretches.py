"""Whence the events shown of an account must be derived anew, and an index to replace those of a stretch of time.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portfolio_sync.store import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_state",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("touched_from", types.UtcDateTime(), nullable=True),
        sa.Column("state", types.JsonText(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_event_state_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_event_state")),
    )
    op.create_index(op.f("ix_event_row_account_time"), "event_row", ["account", "time"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_event_row_account_time"), table_name="event_row")
    op.drop_table("event_state")
