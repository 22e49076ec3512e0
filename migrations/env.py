"""What alembic runs: ``alembic upgrade head`` in the repository and ``portfolio-sync db upgrade`` from a wheel are the same."""

import os
from typing import cast

from alembic import context
from alembic.runtime.environment import EnvironmentContext

from portfolio_sync.errors import UsageError
from portfolio_sync.store import migrate

if context.is_offline_mode():
    raise UsageError("migrations look at the database they change: --sql is not supported")

migrate.run(
    cast("EnvironmentContext", context),  # the module alembic.context stands in for the object
    context.config.attributes.get("url")
    or os.environ.get("PORTFOLIO_SYNC_DATABASE_URL")
    or context.config.get_main_option("sqlalchemy.url")
    or "sqlite:///portfolio.db",
)
