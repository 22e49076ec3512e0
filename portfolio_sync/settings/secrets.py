"""Follow the references of an account to its secrets. Messages name the setting and the place, never the content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from portfolio_sync.core.secret import Secret
from portfolio_sync.errors import SettingsError
from portfolio_sync.settings.model import Account, Reference
from portfolio_sync.settings.secret_file import place_of, read_key_file, read_secret


@dataclass(frozen=True, slots=True)
class Secrets:
    """One account's key material."""

    key: Secret
    secret: Secret
    otp: Secret | None = None
    totp_secret: Secret | None = None


def secrets_of(account: Account, environ: Mapping[str, str], folder: Path, warn: Callable[[str], None]) -> Secrets:
    """Raises SettingsError where a reference leads nowhere, or to a file that others can read or change."""

    def follow(name: str) -> Secret | None:
        reference: Reference | None = getattr(account, name)
        setting = f"account {account.name}: {name}"
        return None if reference is None else secret_at(reference, setting, environ, folder, warn)

    if account.key_file is not None:
        place = place_of(account.key_file, folder, environ)
        key, secret = read_key_file(place, f"account {account.name}: key_file", warn)
    else:
        key, secret = follow("key") or Secret(""), follow("secret") or Secret("")
    if not key or not secret:
        raise SettingsError(
            f"account {account.name} has no API key; set KRAKEN_API_KEY and KRAKEN_API_SECRET, or key and secret in the settings file"
        )
    return Secrets(key, secret, follow("otp"), follow("totp_secret"))


def secret_at(
    reference: Reference, setting: str, environ: Mapping[str, str], folder: Path, warn: Callable[[str], None]
) -> Secret:
    """The secret that a reference leads to. Raises SettingsError that names ``setting``."""
    if reference.env is not None:
        return _from_environment(reference.env, environ, setting)
    if reference.keyring is not None:
        from portfolio_sync.settings.os_keyring import from_keyring

        return from_keyring(reference.keyring, setting)
    assert reference.file is not None
    return read_secret(place_of(reference.file, folder, environ), setting, warn)


def files_of(account: Account, environ: Mapping[str, str], folder: Path) -> list[Path]:
    """The files that the account's secrets come from, so that a change of one can be noticed."""
    references = (account.key, account.secret, account.otp, account.totp_secret)
    named = [account.key_file, *(reference.file for reference in references if reference)]
    return [place_of(path, folder, environ) for path in named if path is not None]


def _from_environment(name: str, environ: Mapping[str, str], setting: str) -> Secret:
    value = Secret(environ.get(name, "").strip())
    if not value:
        raise SettingsError(f"{setting}: environment variable {name} is empty or not set")
    return value
