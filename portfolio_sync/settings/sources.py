"""Where settings come from, weakest first: TOML file, ``.env``, environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portfolio_sync.errors import SettingsError
from portfolio_sync.settings.environ import Environ
from portfolio_sync.settings.model import Account, Settings
from portfolio_sync.settings.secret_file import check_private, place_of, read_private, read_secret

PREFIX = "PORTFOLIO_SYNC_"
# Names of the environment that do not follow PORTFOLIO_SYNC_<SECTION>_<KEY>.
ALIASES = {"KRAKEN_URL": ("exchange", "url")}
SECTIONS = ("database", "exchange", "sync", "service", "log", "tax")
DATABASE_URL = "DATABASE_URL"  # may hold a password
# One key from the environment makes (or overrides) the account named "main".
MAIN = {
    "KRAKEN_API_KEY": "key",
    "KRAKEN_API_SECRET": "secret",
    "KRAKEN_API_OTP": "otp",
    "KRAKEN_API_TOTP_SECRET": "totp_secret",
}


Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Checked settings, the file they came from (if any), and where secrets are looked up.

    ``origins``: ``section.key`` -> where its value comes from, for what is not the default.
    """

    settings: Settings
    path: Path | None
    folder: Path  # relative paths of secret files start here
    environ: Environ = field(repr=False)
    origins: Mapping[str, str] = field(default_factory=dict)
    started_in: Path = Path()

    @property
    def files(self) -> list[Path]:
        """The files whose change means other settings, whether they are there or not."""
        return [self.path or self.started_in / "portfolio-sync.toml", self.started_in / ".env"]

    def again(self, warn: Warn) -> Loaded:
        """What the files say now. Raises SettingsError."""
        return load(self.path, environ=self.environ.process, folder=self.started_in, warn=warn)


def load(
    config: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    warn: Warn = lambda _: None,
) -> Loaded:
    """Read and check all settings. Raises SettingsError with one line that names the file and the setting.

    ``warn`` hears of files with secrets that their group can read; those that everybody can read are refused.
    """
    folder = folder or Path.cwd()
    env = Environ(os.environ if environ is None else environ, _dotenv(folder / ".env"))
    path = config_path(config, env, folder)
    data = _read_toml(path) if path else {}
    try:
        origins = {f"{s}.{key}": str(path) for s in SECTIONS if isinstance(data.get(s), dict) for key in data[s]}
        if path and _has_password(data.get("database")):
            check_private(path, "[database] url with a password", warn)
        _resolve_sqlite(data, path)
        origins |= _overlay(data, env, warn)
        _main_account(data, env)
        settings = _validate(data, path)
        _check_dotenv(settings, env, folder / ".env", warn)
    except SettingsError:
        data.clear()  # no list of locals shows what stood in it
        raise
    return Loaded(settings, path, path.parent if path else folder, env, origins, folder)


def config_path(config: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """The file to read: asked for by name, else ``portfolio-sync.toml`` here, else none."""
    named = config or (Path(environ[f"{PREFIX}CONFIG"]) if environ.get(f"{PREFIX}CONFIG") else None)
    if named is not None:
        return folder / named
    here = folder / "portfolio-sync.toml"
    return here if here.exists() else None


def _dotenv(path: Path) -> dict[str, str]:
    """What ``.env`` says; nothing where there is none."""
    if not path.is_file():
        return {}
    from io import StringIO

    from dotenv import dotenv_values

    values = dotenv_values(stream=StringIO(read_private(path, ".env").reveal()), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def _check_dotenv(settings: Settings, env: Environ, path: Path, warn: Warn) -> None:
    """A ``.env`` with a secret in it must be as private as any key file."""
    secret = {*MAIN, *(name for account in settings.accounts for name in _names_of(account))}
    secret |= {place.env for place in settings.notify.urls if place.env}
    if _has_password({"url": env.get(f"{PREFIX}{DATABASE_URL}")}):
        secret.add(f"{PREFIX}{DATABASE_URL}")
    if secret & env.from_dotenv():
        check_private(path, "secrets in .env", warn)


def _names_of(account: Account) -> list[str]:
    references = (account.key, account.secret, account.otp, account.totp_secret)
    return [reference.env for reference in references if reference and reference.env]


def _has_password(database: object) -> bool:
    url = database.get("url") if isinstance(database, dict) else None
    with suppress(ValueError):
        return isinstance(url, str) and bool(urlsplit(url).password or "password=" in urlsplit(url).query)
    return True


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise SettingsError(f"no settings file {path}; write one with: portfolio-sync init")
    text = read_private(path, "settings")
    try:
        return tomllib.loads(text.reveal())
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    raise SettingsError(f"{path} is not valid TOML: {reason}")


def _resolve_sqlite(data: dict[str, Any], path: Path | None) -> None:
    """A relative SQLite file named in the TOML lies beside that TOML file, wherever the command is run."""
    section = data.get("database")
    url = section.get("url") if isinstance(section, dict) else None
    if path and isinstance(url, str) and url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        assert isinstance(section, dict)
        section["url"] = f"sqlite:///{(path.parent / url.removeprefix('sqlite:///')).resolve()}"


def _overlay(data: dict[str, Any], environ: Environ, warn: Warn) -> dict[str, str]:
    """Lay the environment over ``data``; returns which settings came from there."""
    origins = {}
    for name in environ:
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG" or not environ[name]:
            continue
        rest = name.removeprefix(PREFIX).removesuffix("_FILE")
        section, key = ALIASES.get(rest) or _section_and_key(name, rest)
        table = data.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = _content(name, environ, warn)
            origins[f"{section}.{key}"] = environ.origin(name)
    return origins


def _content(name: str, environ: Environ, warn: Warn) -> str:
    """``..._FILE`` holds the path of a file with the value, as container platforms mount secrets."""
    if not name.endswith("_FILE"):
        return environ[name]
    path = place_of(Path(environ[name]), Path(), environ)
    if name == f"{PREFIX}{DATABASE_URL}_FILE":
        return read_secret(path, name, warn).reveal()
    return read_private(path, name).reveal().strip()


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
    raise SettingsError(f"{path or 'environment'}: {where}{reason}")


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
