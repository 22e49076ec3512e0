"""``python -m portfolio_sync``."""

from portfolio_sync.cli.main import run

run()
