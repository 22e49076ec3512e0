"""The classification table as the settings have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.errors import SettingsError
from portfolio_sync.normalize.rules import STANDARD, Rules, kind_of_row
from portfolio_sync.settings.model import Settings
from portfolio_sync.store.schema import raw_ledger

Stated = tuple[tuple[str, ...], ...]


def stated_rules(settings: Settings) -> Stated:
    """``[rules]`` as a profile carries them into the manifest. Raises SettingsError for a word that is not known."""
    stated = tuple((name, rule.treatment, rule.reason, rule.income_type) for name, rule in settings.rules.items())
    rules_with(stated)
    return stated


def rules_with(stated: Stated) -> Rules:
    try:
        return STANDARD.with_(stated)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def idle_rules(connection: Connection, account_ids: Sequence[int], stated: Stated, seq: int) -> Iterator[Finding]:
    """Stated rules that speak of no row: a word may be misspelt, and nothing would say so."""
    r = raw_ledger.c
    query = select(r.type, r.subtype).distinct().where(r.account_id.in_(account_ids), r.seq <= seq)
    known = {(row.type, row.subtype) for row in connection.execute(query)} if stated else set()
    for name, *_ in stated:
        if kind_of_row(name) not in known:
            message = (
                f'[rules] "{name}" of the settings is about no ledger row: `rules list` shows how types are written'
            )
            yield Finding(Severity.INFO, "rule_without_rows", message)
