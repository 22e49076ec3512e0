"""A jurisdiction as data. Every field can be overridden by name (``--set pool_scope=wallet``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from sys import intern
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portfolio_sync.core.asset import FIAT
from portfolio_sync.core.duration import parse_duration
from portfolio_sync.errors import SettingsError
from portfolio_sync.pricing.table import SOURCE_ORDER, Policy


class Method(StrEnum):
    """Which lots a disposal takes, or which average."""

    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    LOFO = "lofo"
    SPEC_ID = "spec_id"
    DE_FIFO = "de_fifo"
    IE_FIFO = "ie_fifo"
    ACB = "acb"
    TOTAL_AVERAGE = "total_average"
    UK_S104 = "uk_s104"
    FR_PAMC = "fr_pamc"


LOT_ORDERS = (Method.FIFO, Method.LIFO, Method.HIFO, Method.LOFO, Method.SPEC_ID)
ONE_POOL = {Method.TOTAL_AVERAGE, Method.UK_S104, Method.FR_PAMC}
"""What these rules average are all units of a taxpayer, wherever they lie."""


class PoolScope(StrEnum):
    UNIVERSAL = "universal"
    WALLET = "wallet"


class BuyFee(StrEnum):
    COST = "cost"
    IGNORE = "ignore"


class SellFee(StrEnum):
    PROCEEDS = "proceeds"
    COST = "cost"
    IGNORE = "ignore"


class TradeFee(StrEnum):
    DISPOSAL = "disposal"
    ACQUISITION = "acquisition"
    SPLIT = "split"


class TradeCost(StrEnum):
    """What a coin received for another has cost where nobody states it: its own market value, or that of the coin given."""

    RECEIVED = "received"
    GIVEN = "given"


class CryptoFee(StrEnum):
    SEPARATE_DISPOSAL = "separate_disposal"
    IN_DISPOSAL = "in_disposal"
    DISPOSAL_ONLY = "disposal_only"


class TransferFee(StrEnum):
    DISPOSAL = "disposal"
    CONSUME = "consume"


class HifoKey(StrEnum):
    UNIT_COST = "unit_cost"
    PRICE = "price"


class TermRule(StrEnum):
    ANNIVERSARY = "anniversary"
    CALENDAR = "calendar"
    DAYS365 = "days365"


class GiftOut(StrEnum):
    NO_GAIN = "no_gain"
    FMV = "fmv"


class GiftIn(StrEnum):
    """Cost of what was given to us: the giver's for a gain and a lower value for a loss, the giver's alone, or the value then."""

    TWO_BASES = "two_bases"
    DONOR = "donor"
    FMV = "fmv"


class IncomeCost(StrEnum):
    VALUE = "value"
    ZERO = "zero"


class Oversell(StrEnum):
    ERROR = "error"
    ZERO_COST = "zero_cost"


class Allowance(NamedTuple):
    """A limit that the law sets on a year's figures; shown, never applied. ``amount`` in ``currency``, years by their start."""

    item: str
    amount: int
    currency: str
    first: int
    last: int | None
    citation: str

    def holds_in(self, year: int | None) -> bool:
        return year is not None and self.first <= year and (self.last is None or year <= self.last)


@dataclass(frozen=True, slots=True)
class Profile:
    """One set of rules. The defaults are the conventions of the golden cases; ``citations`` say where the others come from."""

    name: str
    title: str
    currency: str = "USD"
    timezone: str = "UTC"
    year_start_month: int = 1
    year_start_day: int = 1
    method: Method = Method.FIFO
    methods: tuple[Method, ...] = tuple(Method)
    dated_methods_from: date | None = None
    """From this local day on, another choice of lots than the default must have been recorded before the sale."""
    pool_scope: PoolScope = PoolScope.UNIVERSAL
    wallet_pools_from: date | None = None
    """From this local day on the pools are per wallet, whatever ``pool_scope`` says of the time before."""
    buy_fee: BuyFee = BuyFee.COST
    sell_fee: SellFee = SellFee.PROCEEDS
    trade_fee: TradeFee = TradeFee.DISPOSAL
    trade_cost: TradeCost = TradeCost.RECEIVED
    crypto_fee: CryptoFee = CryptoFee.SEPARATE_DISPOSAL
    transfer_fee: TransferFee = TransferFee.DISPOSAL
    hifo_key: HifoKey = HifoKey.UNIT_COST
    term_rule: TermRule = TermRule.ANNIVERSARY
    gift_out: GiftOut = GiftOut.NO_GAIN
    gift_in: GiftIn = GiftIn.TWO_BASES
    income_cost: IncomeCost = IncomeCost.VALUE
    superficial_loss: bool = False
    """Canada: a loss is denied as far as the same asset was bought within 30 days and is still held on the 30th."""
    long_term_exempt: bool = False
    """Gains on units held long are not taxed, and losses on them not deducted."""
    oversell: Oversell = Oversell.ERROR
    withheld_fee_own_lot: bool = False
    form_1099_da: bool = True
    """US: whether Kraken sent a Form 1099-DA for sales on it from 2025 on (boxes H, K instead of I, L)."""
    forms: tuple[str, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    citations: tuple[str, ...] = ()
    rules: tuple[tuple[str, ...], ...] = ()
    """What a person states in the place of the classification table, as ``normalize.rules.Rules.with_`` takes it."""
    coin_price_age: str = "1d"
    """How old a price may be that values a coin; ``fiat_price_age``: a rate that values money."""
    fiat_price_age: str = "5d"
    price_order: tuple[str, ...] = SOURCE_ORDER

    @property
    def prices(self) -> Policy:
        ages = parse_duration(self.coin_price_age), parse_duration(self.fiat_price_age)
        return Policy(*ages, self.price_order, self.trade_cost is TradeCost.GIVEN)

    @property
    def holding_rule(self) -> TermRule:
        """A German year ends by the calendar alone; the American rule for ends of months is none of BGB 188."""
        german = self.method is Method.DE_FIFO and self.term_rule is TermRule.ANNIVERSARY
        return TermRule.CALENDAR if german else self.term_rule

    @property
    def gift_basis(self) -> GiftIn:
        """Two bases are an American rule: a method that is another country's by name takes the giver's cost alone."""
        two = self.gift_in is GiftIn.TWO_BASES and self.method not in LOT_ORDERS
        return GiftIn.DONOR if two else self.gift_in

    @property
    def exempts_long_term(self) -> bool:
        return self.long_term_exempt or self.method is Method.DE_FIFO

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local_day(self, instant: datetime) -> date:
        """The local date of an instant in UTC."""
        return instant.date() if self.timezone == "UTC" else instant.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        """The instant at which a local day begins."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def year_of(self, instant: datetime) -> int:
        """The tax year of an instant, named by the calendar year in which it starts."""
        return self.year_on(self.local_day(instant))

    def year_on(self, day: date) -> int:
        return day.year - ((day.month, day.day) < (self.year_start_month, self.year_start_day))

    def end_of(self, year: int) -> datetime:
        """The first instant after a tax year."""
        return self.start_of(date(year + 1, self.year_start_month, self.year_start_day))

    def label_on(self, day: date) -> str:
        """Of the tax year of a local day."""
        return self.label(self.year_on(day))

    def label(self, year: int) -> str:
        """``2024``, or ``2024-25`` where the year crosses the calendar's."""
        calendar = (self.year_start_month, self.year_start_day) == (1, 1)
        return intern(str(year) if calendar else f"{year}-{(year + 1) % 100:02}")  # one text for all rows of a year


FIXED = {"name", "title", "methods", "forms", "allowances", "citations", "rules", "price_order"}


def with_settings(profile: Profile, settings: Mapping[str, str]) -> Profile:
    """The profile with fields overridden from text. Raises SettingsError for an unknown key or value, or two that clash."""
    found = replace(profile, **{key: parse(profile, key, text) for key, text in settings.items()}, **implied(settings))
    refuse_clash(found)
    return found


def refuse_clash(profile: Profile) -> None:
    per_wallet = profile.pool_scope is PoolScope.WALLET
    if per_wallet and profile.method in ONE_POOL:
        raise SettingsError(
            f"the method {profile.method} knows one pool for all wallets: leave pool_scope at universal"
        )
    if profile.superficial_loss and (profile.method is not Method.ACB or per_wallet):
        raise SettingsError("superficial_loss=true goes with the method acb and pool_scope=universal alone")


def implied(settings: Mapping[str, str]) -> dict[str, Any]:
    """One who sets the scope means all of the history."""
    return {"wallet_pools_from": None} if "pool_scope" in settings and "wallet_pools_from" not in settings else {}


def parse(profile: Profile, key: str, text: str) -> Any:
    known = {field.name for field in fields(Profile)} - FIXED
    if key not in known:
        raise SettingsError(f"unknown setting {key!r}; known: {', '.join(sorted(known))}")
    try:
        return PARSERS.get(key, type(getattr(profile, key)))(text)
    except (ValueError, KeyError, ZoneInfoNotFoundError):
        raise SettingsError(
            f"{text!r} is no value for {key}{'; ' * bool(choices(profile, key))}{choices(profile, key)}"
        ) from None


def choices(profile: Profile, key: str) -> str:
    """What a setting may be, in words; empty where that cannot be listed."""
    allowed = getattr(type(getattr(profile, key)), "__members__", {}).values()
    return f"one of {', '.join(allowed)}" if allowed else CHOICES.get(PARSERS.get(key, str), "")


def duration(text: str) -> str:
    parse_duration(text)
    return text.strip()


def timezone(text: str) -> str:
    return ZoneInfo(text).key


def perhaps_day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def currency(text: str) -> str:
    if text.upper() not in FIAT:
        raise ValueError(text)
    return text.upper()


CHOICES: dict[Callable[[str], Any], str] = {
    boolean: "true or false",
    currency: "a code such as USD",
    duration: "such as 1d or 12h",
    perhaps_day: "a day such as 2025-01-01, or nothing",
    timezone: "a name such as Europe/Berlin",
}
PARSERS: dict[str, Callable[[str], Any]] = {
    "coin_price_age": duration,
    "fiat_price_age": duration,
    "timezone": timezone,
    "currency": currency,
    "dated_methods_from": perhaps_day,
    "wallet_pools_from": perhaps_day,
    "withheld_fee_own_lot": boolean,
    "superficial_loss": boolean,
    "long_term_exempt": boolean,
    "form_1099_da": boolean,
}
