"""The classification table as the settings have it."""

from __future__ import annotations

from portfolio_sync.errors import SettingsError
from portfolio_sync.normalize.rules import STANDARD, Rules
from portfolio_sync.settings.model import Settings

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
