"""Where settings come from, weakest first: TOML file, ``.env``, environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portfolio_sync.errors import SettingsError
from portfolio_sync.settings.model import Settings
from portfolio_sync.settings.secrets import read_secret_file

PREFIX = "PORTFOLIO_SYNC_"
# Names of the environment that do not follow PORTFOLIO_SYNC_<SECTION>_<KEY>.
ALIASES = {"KRAKEN_URL": ("exchange", "url")}
SECTIONS = ("database", "exchange", "sync", "service", "tax")
# One key from the environment makes (or overrides) the account named "main".
MAIN = {
    "KRAKEN_API_KEY": "key",
    "KRAKEN_API_SECRET": "secret",
    "KRAKEN_API_OTP": "otp",
    "KRAKEN_API_TOTP_SECRET": "totp_secret",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Checked settings, the file they came from (if any), and where secrets are looked up."""

    settings: Settings
    path: Path | None
    folder: Path  # relative paths of secret files start here
    environ: Mapping[str, str] = field(repr=False)


def load(config: Path | None = None, *, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Loaded:
    """Read and check all settings. Raises SettingsError with one line that names the file and the setting."""
    folder = folder or Path.cwd()
    env = _with_dotenv(os.environ if environ is None else environ, folder)
    path = config_path(config, env, folder)
    data = _read_toml(path) if path else {}
    _resolve_sqlite(data, path)
    _overlay(data, env)
    _main_account(data, env)
    return Loaded(_validate(data, path), path, path.parent if path else folder, env)


def config_path(config: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """The file to read: asked for by name, else ``portfolio-sync.toml`` here, else none."""
    named = config or (Path(environ[f"{PREFIX}CONFIG"]) if environ.get(f"{PREFIX}CONFIG") else None)
    if named is not None:
        return folder / named
    here = folder / "portfolio-sync.toml"
    return here if here.exists() else None


def _with_dotenv(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    path = folder / ".env"
    try:
        values = dotenv_values(path, interpolate=False) if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from None
    return {name: value for name, value in values.items() if value is not None} | dict(environ)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"no settings file {path}; write one with: portfolio-sync init") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _resolve_sqlite(data: dict[str, Any], path: Path | None) -> None:
    """A relative SQLite file named in the TOML lies beside that TOML file, wherever the command is run."""
    section = data.get("database")
    url = section.get("url") if isinstance(section, dict) else None
    if path and isinstance(url, str) and url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        assert isinstance(section, dict)
        section["url"] = f"sqlite:///{(path.parent / url.removeprefix('sqlite:///')).resolve()}"


def _overlay(data: dict[str, Any], environ: Mapping[str, str]) -> None:
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG" or not value:
            continue
        rest, content = _from_file(name.removeprefix(PREFIX), value)
        section, key = ALIASES.get(rest) or _section_and_key(name, rest)
        table = data.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = content


def _from_file(name: str, value: str) -> tuple[str, str]:
    """``..._FILE`` holds the path of a file with the value, as container platforms mount secrets."""
    if not name.endswith("_FILE"):
        return name, value
    return name.removesuffix("_FILE"), read_secret_file(Path(value).expanduser(), name, lambda _: None)


def _section_and_key(name: str, rest: str) -> tuple[str, str]:
    section, _, key = rest.lower().partition("_")
    if section not in SECTIONS or not key:
        raise SettingsError(f"unknown setting {name} in the environment; names are {PREFIX}<SECTION>_<KEY>")
    return section, key


def _main_account(data: dict[str, Any], environ: Mapping[str, str]) -> None:
    found: dict[str, dict[str, str]] = {}
    for name, setting in MAIN.items():
        if environ.get(name):
            found[setting] = {"env": name}
        elif environ.get(f"{name}_FILE"):
            found[setting] = {"file": environ[f"{name}_FILE"]}
    if not found:
        return
    accounts = data.setdefault("accounts", [])
    if not isinstance(accounts, list):
        return
    main = next((a for a in accounts if isinstance(a, dict) and a.get("name") == "main"), None)
    if main is None:
        main = {"name": "main"}
        accounts.append(main)
    if "key" in found or "secret" in found:
        main.pop("key_file", None)
    main.update(found)


def _validate(data: dict[str, Any], path: Path | None) -> Settings:
    from pydantic import ValidationError

    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = _words(data, first["loc"])
        reason = "unknown setting" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{path or 'environment'}: {where}{reason}") from None


def _words(data: dict[str, Any], location: tuple[int | str, ...]) -> str:
    """``[accounts "main"] tier: `` from pydantic's path."""
    if not location:
        return ""
    parts = list(location)
    section = f"[{parts[0]}]"
    if parts[0] == "accounts" and len(parts) > 1 and isinstance(parts[1], int):
        entry = data["accounts"][parts[1]]
        name = entry.get("name", parts[1]) if isinstance(entry, dict) else parts[1]
        section, parts = f"[[accounts]] {name}", parts[1:]
    rest = ".".join(str(part) for part in parts[1:] if part not in ("exchange", "sync"))
    return f"{section} {rest}: " if rest else f"{section}: "
