"""Follow the references of an account to its secrets. Messages name the setting and the place, never the content."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from portfolio_sync.errors import SettingsError
from portfolio_sync.settings.model import Account, Reference


@dataclass(frozen=True, slots=True)
class Secrets:
    """One account's key material; nothing of it shows in ``repr``."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    otp: str | None = field(default=None, repr=False)
    totp_secret: str | None = field(default=None, repr=False)


def secrets_of(account: Account, environ: Mapping[str, str], folder: Path, warn: Callable[[str], None]) -> Secrets:
    """Raises SettingsError where a reference leads nowhere. ``warn`` hears of files that others can read."""

    def follow(reference: Reference | None, what: str) -> str | None:
        if reference is None:
            return None
        setting = f"account {account.name}: {what}"
        if reference.env is not None:
            return _from_environment(reference.env, environ, setting)
        assert reference.file is not None
        return _from_file(folder / reference.file.expanduser(), setting, warn)

    if account.key_file is not None:
        key, secret = _key_file(folder / account.key_file.expanduser(), account.name, warn)
    else:
        key, secret = follow(account.key, "key") or "", follow(account.secret, "secret") or ""
    if not key or not secret:
        raise SettingsError(
            f"account {account.name} has no API key; set KRAKEN_API_KEY and KRAKEN_API_SECRET, or key and secret in the settings file"
        )
    return Secrets(key, secret, follow(account.otp, "otp"), follow(account.totp_secret, "totp_secret"))


def _from_environment(name: str, environ: Mapping[str, str], setting: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{setting}: environment variable {name} is empty or not set")
    return value


def _from_file(path: Path, setting: str, warn: Callable[[str], None]) -> str:
    value = read_secret_file(path, setting, warn)
    if not value:
        raise SettingsError(f"{setting}: {path} is empty")
    return value


def _key_file(path: Path, account: str, warn: Callable[[str], None]) -> tuple[str, str]:
    lines = [
        line.strip()
        for line in read_secret_file(path, f"account {account}: key_file", warn).splitlines()
        if line.strip()
    ]
    if len(lines) != 2:
        raise SettingsError(f"account {account}: key_file {path} must hold two lines, the key and the secret")
    return lines[0], lines[1]


def read_secret_file(path: Path, setting: str, warn: Callable[[str], None]) -> str:
    """The text of a secret file without its last line end."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise SettingsError(f"{setting}: cannot read {path}: {reason}") from None
    if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        warn(f"{setting}: {path} can be read by others; make it private with: chmod 600 {path}")
    return text
