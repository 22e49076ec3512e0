"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}

Views are dropped before and recreated after (store/views.py). Add the revision to store/migrate.py REVISIONS.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portfolio_sync.store import types
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
