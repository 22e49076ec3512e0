"""What an API key is and may do, from GetApiKeyInfo, and our verdict. Both spellings of its fields occur."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from portfolio_sync.core.instant import from_unix, iso
from portfolio_sync.errors import Refused

# Reads. Source: API reference of GetApiKeyInfo; user-interface names from the guide on API keys.
READS = {
    "query-funds": "see balances, Earn allocations and deposits",
    "query-open-trades": "see open orders and positions",
    "query-closed-trades": "see closed orders and trades",
    "query-ledger": "see ledger entries and withdrawals",
    "export-data": "make export reports",
}
# Everything else that the reference names writes, moves money, or opens another way in. None of it can be allowed.
WRITES = frozenset(
    {
        "add-funds", "withdraw-funds", "earn-funds", "modify-trades", "close-trades", "create-ws-token",
        "add-withdraw-address", "update-withdraw-address",
    }
)  # fmt: skip
# A write in another spelling ("Withdraw_Funds") is still that write.
WRITE_LETTERS = frozenset(name.replace("-", "") for name in WRITES)
STREAM_PERMISSIONS = {
    "balances": "query-funds",
    "ledgers": "query-ledger",
    "trades": "query-closed-trades",
    "earn": "query-funds",
    "deposits": "query-funds",
    "withdrawals": "query-ledger",
}


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """Facts about the key; never the key itself. ``account_id`` is Kraken's stable name of the account."""

    name: str
    permissions: frozenset[str]
    nonce: int | None
    nonce_window: int
    account_id: str | None
    query_from: datetime | None
    query_to: datetime | None
    valid_until: datetime | None
    ip_allowlist: tuple[str, ...]
    created: datetime | None
    modified: datetime | None
    last_used: datetime | None

    @classmethod
    def parse(cls, result: Mapping[str, Any]) -> KeyInfo:
        """From the documented names (``queryFrom``) or the recorded ones (``query_from``); numbers may be text, 0 means none.

        Raises Refused where what limits the key cannot be read: a window taken for none would pass for the whole history.
        """

        def field(camel: str) -> Any:
            snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in camel)
            return result[camel] if camel in result else result.get(snake)

        return cls(
            name=str(field("apiKeyName") or ""),
            permissions=frozenset(str(p) for p in field("permissions") or ()),
            nonce=_number(field("nonce")),
            nonce_window=_number(field("nonceWindow")) or 0,
            account_id=str(field("iban") or "") or None,
            query_from=_limit("queryFrom", field("queryFrom")),
            query_to=_limit("queryTo", field("queryTo")),
            valid_until=_limit("validUntil", field("validUntil")),
            ip_allowlist=tuple(str(ip) for ip in field("ipAllowlist") or () if ip),
            created=_noted(field("createdTime")),
            modified=_noted(field("modifiedTime")),
            last_used=_noted(field("lastUsed")),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """``refused``: permissions beyond reading; ``allowed``: unknown ones that the settings allow; ``missing``: stream -> permission."""

    refused: tuple[str, ...]
    allowed: tuple[str, ...]
    missing: Mapping[str, str]


def judge(info: KeyInfo, allowed: Collection[str] = ()) -> Verdict:
    """Everything that is no known read is refused; an unknown one passes by its exact name in ``allowed``, a write never."""
    beyond = sorted(info.permissions - READS.keys())
    passed = [p for p in beyond if p in allowed and _letters(p) not in WRITE_LETTERS]
    missing = {stream: p for stream, p in STREAM_PERMISSIONS.items() if p not in info.permissions}
    return Verdict(tuple(p for p in beyond if p not in passed), tuple(passed), missing)


def describe(info: KeyInfo, verdict: Verdict) -> list[str]:
    """The key in words, a line each."""
    lines = [f"key {info.name!r}" + (f" of Kraken account {info.account_id}" if info.account_id else "")]
    lines += [f"may {words} ({p})" for p, words in READS.items() if p in info.permissions]
    lines += [f"MAY DO MORE THAN READ: {p}" for p in verdict.refused]
    lines += [f"may {p}, unknown to this program, allowed by the settings" for p in verdict.allowed]
    lines += [f"cannot sync {stream}: lacks {p}" for stream, p in verdict.missing.items()]
    lines.append(f"sees history from {_words(info.query_from, 'the beginning')} to {_words(info.query_to, 'now')}")
    lines.append(f"valid until {_words(info.valid_until, 'it is deleted')}")
    lines.append(f"usable from {', '.join(info.ip_allowlist) or 'any address'}")
    lines.append(f"nonce window {info.nonce_window}")
    return lines


def _words(instant: datetime | None, otherwise: str) -> str:
    return iso(instant) if instant else otherwise


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _limit(name: str, value: object) -> datetime | None:
    try:
        number = Decimal(str(value or 0))
        return from_unix(number) if number else None
    except (ArithmeticError, ValueError):
        raise Refused(f"GetApiKeyInfo: {name} is {value!r}, which is no time") from None


def _noted(value: object) -> datetime | None:
    """A time that is only told, nothing depends on it."""
    try:
        return _limit("", value)
    except Refused:
        return None


def _letters(permission: str) -> str:
    return "".join(c for c in permission.lower() if c.isalpha())
