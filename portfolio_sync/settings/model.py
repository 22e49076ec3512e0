"""Settings: a TOML file, overridden by ``.env``, overridden by the environment. Secrets hide in ``repr``.

The models below *are* the documentation of every key; ``portfolio-sync init`` writes them out with comments.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from portfolio_sync.core.duration import parse_duration
from portfolio_sync.core.instant import parse_iso
from portfolio_sync.core.loopback import is_loopback

StreamName = Literal["balances", "ledgers", "trades", "earn", "deposits", "withdrawals"]
STREAMS: tuple[StreamName, ...] = ("balances", "ledgers", "trades", "earn", "deposits", "withdrawals")


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _length(text: str) -> str:
    parse_duration(text)
    return text


def _instant(value: object) -> object:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return parse_iso(value) if isinstance(value, str) else parse_iso(str(value))


def _names(value: object) -> object:
    """A list from the TOML file, or ``a,b`` from the environment."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Instant = Annotated[datetime, BeforeValidator(_instant)]


class Section(BaseModel):
    """Unknown keys are refused by name; error texts never repeat the value (it may be a secret)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Database(Section):
    url: str = Field("", repr=False)  # may hold a password; empty: a SQLite file in the user's data folder


class Exchange(Section):
    url: str = "https://api.kraken.com"
    tier: Literal["starter", "intermediate", "pro"] = "starter"
    history_call_cost: int = Field(4, ge=1, le=20)
    pace: bool = True
    give_up_after: Duration = timedelta(minutes=2)

    @field_validator("url")
    @classmethod
    def _only_https_or_loopback(cls, url: str) -> str:
        scheme = urlsplit(url).scheme
        if scheme != "https" and not (scheme == "http" and is_loopback(url)):
            raise ValueError("must be https://..., or http:// on loopback only")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _pacing_off_only_on_loopback(self) -> Self:
        if not self.pace and not is_loopback(self.url):
            raise ValueError("pace = false is accepted on loopback only")
        return self


class Sync(Section):
    schedule: str = "every 15m"
    jitter: Duration = timedelta(seconds=30)
    overlap: Duration = timedelta(hours=1)
    deep_overlap: Duration = timedelta(days=14)
    start: Instant | None = None
    end: Instant | None = None
    streams: Annotated[tuple[StreamName, ...], BeforeValidator(_names)] = STREAMS
    export_wait: Duration = timedelta(minutes=30)

    @field_validator("schedule")
    @classmethod
    def _readable(cls, schedule: str) -> str:
        words = schedule.split()
        if words[:1] == ["every"] and len(words) == 2:
            if not parse_duration(words[1]):
                raise ValueError("'every' needs a length above zero")
        elif len(words) != 5:
            raise ValueError("must be 'every 15m' or a cron line of five fields")
        return schedule

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.start >= self.end:
            raise ValueError("start must be before end")
        return self


def address_of(listen: str) -> tuple[str, int] | None:
    """Host and port of ``host:port``, ``[::1]:port`` or ``:port`` (loopback); None for ``off`` or nothing. Raises ValueError."""
    if listen.strip().lower() in ("", "off"):
        return None
    host, colon, port = listen.strip().rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) < 65536) or (
        ":" in host and not host.startswith("[")
    ):
        raise ValueError('must be "host:port" such as "127.0.0.1:8731", or "off"')
    return host.strip("[]") or "127.0.0.1", int(port)


class Service(Section):
    listen: str = "127.0.0.1:8731"
    workers: int = Field(4, ge=1, le=64)
    lease: Duration = Field(timedelta(seconds=60), ge=timedelta(seconds=3))  # its heartbeats are ticks, one a second
    keep_runs: Duration = timedelta(days=90)
    stale_after: int = Field(3, ge=1, le=1000)  # runs missed

    @field_validator("listen")
    @classmethod
    def _readable(cls, listen: str) -> str:
        address_of(listen)
        return listen


class Tax(Section):
    profile: str = "generic"
    currency: str | None = None
    timezone: str | None = None


class Prices(Section):
    """How old a rate may be, whose rate of one instant counts (a user's own file always first), who tells currencies' rates."""

    coin_age: Annotated[str, AfterValidator(_length)] = "1d"
    fiat_age: Annotated[str, AfterValidator(_length)] = "5d"
    order: Annotated[tuple[str, ...], BeforeValidator(_names)] = (
        "ecb",
        "kraken:trades",
        "kraken:ohlc",
        "kraken:ohlcvt",
    )
    fiat: Literal["kraken", "ecb"] = "kraken"
    ecb_url: str = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"


class StatedRule(Section):
    """``[rules]``: how a person wants rows of one ``"type/subtype"`` treated, and why; the words are those of ``rules list``."""

    treatment: str
    reason: str = Field(min_length=1)
    income_type: str = ""


PLACES = '{ env = "NAME" }, { file = "path" } or { keyring = "service/name" }'


class Reference(Section):
    """Where a secret is kept; never the secret itself."""

    env: str | None = None
    file: Path | None = None
    keyring: str | None = Field(None, pattern="^.+/.+$")  # service/name

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if len(self.model_fields_set) != 1 or not str(self):
            raise ValueError(f"needs exactly one of {PLACES}")
        return self

    def __str__(self) -> str:
        return next((f"{name} {place}" for name, place in self if place and str(place) != "."), "")


class Log(Section):
    format: Literal["text", "json"] = "text"


def _no_bare_secret(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic turns ValueError into a message that names the setting
            f"a secret does not belong in this file: name its place, {PLACES}"
        )
    return value


SecretPlace = Annotated[Reference, BeforeValidator(_no_bare_secret)]


class Notify(Section):
    """``urls``: where the URLs of channels are kept (they hold credentials); what they can be is said in docs/monitoring.md."""

    urls: tuple[SecretPlace, ...] = ()


class Account(Section):
    """One Kraken account. Keys of ``[exchange]`` and ``[sync]`` given here win over those sections."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$", max_length=64)
    taxpayer: str = "me"
    key: SecretPlace | None = None
    secret: SecretPlace | None = None
    key_file: Path | None = None
    otp: SecretPlace | None = None
    totp_secret: SecretPlace | None = None
    allow_permissions: tuple[str, ...] = ()
    exchange: Exchange = Exchange()
    sync: Sync = Sync()

    @property
    def has_key(self) -> bool:
        return self.key_file is not None or (self.key is not None and self.secret is not None)


class Settings(Section):
    database: Database = Database()
    exchange: Exchange = Exchange()
    sync: Sync = Sync()
    service: Service = Service()
    log: Log = Log()
    notify: Notify = Notify()
    prices: Prices = Prices()
    tax: Tax = Tax()
    rules: dict[str, StatedRule] = Field(default_factory=dict)
    accounts: tuple[Account, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _accounts_inherit(cls, data: Any) -> Any:
        """Each account starts from ``[exchange]`` and ``[sync]``; its own keys of those sections win."""
        if not isinstance(data, dict) or not isinstance(data.get("accounts"), list):
            return data
        return data | {"accounts": [_inherit(data, account) for account in data["accounts"]]}

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [account.name for account in self.accounts]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two accounts are named {name!r}")
        return self


def _inherit(data: dict[str, Any], account: Any) -> Any:
    if not isinstance(account, dict):
        return account
    own = dict(account)
    for section, model in (("exchange", Exchange), ("sync", Sync)):
        base = data.get(section, {})
        picked = {key: own.pop(key) for key in list(own) if key in model.model_fields}
        own[section] = {**base, **picked} if isinstance(base, dict) else base
    return own
