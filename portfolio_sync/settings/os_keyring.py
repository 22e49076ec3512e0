"""The operating system's keyring, where a settings file asks for it: ``{ keyring = "service/name" }``."""

from __future__ import annotations

from typing import Any

from portfolio_sync.core.secret import Secret
from portfolio_sync.errors import SettingsError

LEAST_PRIORITY = 1  # of a backend; below it keyring's own authors advise against its use


def from_keyring(place: str, setting: str) -> Secret:
    """The secret kept as ``service/name``. Raises SettingsError: no keyring here, an unsafe one, a locked one, nothing in it."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise SettingsError(f"{setting}: {{ keyring }} needs: pip install 'portfolio-sync[keyring]'") from None
    service, _, name = place.rpartition("/")
    try:
        ring: Any = keyring.get_keyring()
        trusted = [each for each in getattr(ring, "backends", (ring,)) if _is_safe(each)]
        if not trusted:
            raise SettingsError(
                f"{setting}: no safe keyring on this computer (found: {ring.name}); a service without a desktop takes its "
                "key from a file or the environment"
            )
        found = next((text for each in trusted if (text := each.get_password(service, name))), None)
    except KeyringError as error:
        raise SettingsError(f"{setting}: the keyring does not open: {type(error).__name__}") from None
    if found is None:
        raise SettingsError(f"{setting}: nothing in the keyring; put it there with: keyring set {service} {name}")
    return Secret(found.strip())


def _is_safe(backend: Any) -> bool:
    """A file in clear text is no keyring, whatever priority it claims."""
    return float(backend.priority) >= LEAST_PRIORITY and "plaintext" not in type(backend).__name__.lower()
