"""Call the exchange: pace, sign, send, read, and try again where that helps. One call at a time for each key."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, NoReturn, Protocol
from urllib.parse import urlencode

import requests

from portfolio_sync import __version__
from portfolio_sync.core.clock import Clock
from portfolio_sync.core.instant import iso, to_unix
from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.errors import (
    InvalidKey,
    LockedOut,
    PermissionMissing,
    RateLimited,
    Refused,
    SettingsError,
    Unreachable,
)
from portfolio_sync.kraken.adapter import session
from portfolio_sync.kraken.credentials import Credentials
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.nonce import LARGEST, next_nonce
from portfolio_sync.kraken.otp import totp
from portfolio_sync.kraken.patience import Patience
from portfolio_sync.kraken.response import Answer, Failure, Remedy, read
from portfolio_sync.kraken.signature import sign
from portfolio_sync.kraken.throttle import CallCounter, Pacing

TIMEOUT = (10, 60)  # seconds to connect, and between two bytes of the answer
LOCKOUT = timedelta(minutes=15)  # each attempt while locked out starts it anew
NONCE_TRIES = (0, 0, 1, 2)  # the same unit once more, then finer ones
MARKET_DATA_EVERY = Decimal(1)  # seconds between two calls for candles or trades, as the historical-data guide advises
PACED_PUBLIC = frozenset({Endpoint.OHLC, Endpoint.TRADES})


class KeyState(Protocol):
    """Where the record of a key is kept between calls and runs."""

    def load(self) -> KeyRecord: ...
    def save(self, record: KeyRecord) -> None: ...


class MemoryKeyState:
    """A record that ends with the process."""

    def __init__(self) -> None:
        self.record = KeyRecord()

    def load(self) -> KeyRecord:
        return self.record

    def save(self, record: KeyRecord) -> None:
        self.record = record


class Client:
    """The exchange, as far as this program may see it.

    ``calls`` counts private calls that were sent, ``outcomes`` how they ended, ``warnings`` what the exchange said besides.
    """

    def __init__(
        self,
        credentials: Credentials | None,
        url: str,
        pacing: Pacing,
        state: KeyState,
        clock: Clock,
        give_up_after: timedelta = timedelta(minutes=2),
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.url = url.rstrip("/")
        self.session = session(self.url, f"portfolio-sync/{__version__}")
        self.credentials, self.pacing, self.state, self.clock = credentials, pacing, state, clock
        self.give_up_after, self.say = give_up_after, say
        self.calls = 0
        self.outcomes: Counter[str] = Counter()
        self.warnings: list[str] = []
        self._lock = threading.Lock()
        self._chance = Random()
        self._dead: InvalidKey | None = None
        self._last_public: Decimal | None = None

    # --- what callers use ---

    def call(self, endpoint: Endpoint, **params: str) -> Any:
        """The ``result`` of a private call.

        Raises InvalidKey, PermissionMissing, LockedOut, RateLimited, Unreachable or Refused; never another error of the network.
        """
        if self._dead:
            raise self._dead
        with self._lock:
            return self._persist(endpoint, lambda tries: self._send_private(endpoint, params, tries))

    def public(self, endpoint: Endpoint, **params: str) -> Any:
        """The ``result`` of a public call; needs no key and leaves the call counter alone."""
        return self._persist(endpoint, lambda _: self._send_public(endpoint, params))

    def time_for(self, endpoint: Endpoint, calls: int) -> timedelta | None:
        """How long that many calls take at the tier's pace; None where nothing is paced."""
        if not self.pacing.pace:
            return None
        return timedelta(seconds=float(calls * self.pacing.cost(endpoint) / self.pacing.tier.decay))

    def seed_nonce(self, nonce: int | None) -> None:
        """The exchange told the key's highest nonce: stay above it."""
        with self._lock:
            record = self.state.load()
            if nonce is not None and record.last_nonce < nonce < LARGEST:
                self.state.save(replace(record, last_nonce=nonce))

    # --- trying again ---

    def _persist(self, endpoint: Endpoint, send: Callable[[int], Answer | Failure]) -> Any:
        patience, nonce_errors = Patience(self.give_up_after), 0
        while True:
            outcome = send(nonce_errors)
            if isinstance(outcome, Answer):
                self.outcomes["ok"] += 1
                self.warnings.extend(w for w in outcome.warnings if w not in self.warnings)
                return outcome.result
            self.outcomes[outcome.remedy.value] += 1
            nonce_errors += outcome.remedy is Remedy.NEW_NONCE
            if outcome.remedy not in (Remedy.RETRY, Remedy.WAIT, Remedy.NEW_NONCE) or nonce_errors >= len(NONCE_TRIES):
                self._raise(endpoint, outcome)
            patience = patience.failed(self.clock.now())
            delay = patience.delay(outcome, self.clock.now(), self._chance)
            if delay is None:
                self._give_up(endpoint, outcome)
            if outcome.remedy is not Remedy.NEW_NONCE:
                self.say(f"{_name(endpoint)}: {outcome.text}; trying again in {round(delay)} s")
                self.clock.sleep(delay)

    def _give_up(self, endpoint: Endpoint, failure: Failure) -> NoReturn:
        kind = RateLimited if failure.remedy is Remedy.WAIT else Unreachable
        raise kind(
            f"{_name(endpoint)}: {failure.text}; no usable answer for {round(self.give_up_after.total_seconds())} s. "
            "What was read is kept; run the command again later"
        )

    def _raise(self, endpoint: Endpoint, failure: Failure) -> NoReturn:
        text = failure.text
        if failure.remedy is Remedy.PARK:
            until = self.clock.now() + LOCKOUT
            self.state.save(replace(self.state.load(), parked_until=until))
            raise LockedOut(_locked_out(until), until)
        if failure.remedy is Remedy.PERMISSION:
            needed = " or ".join(endpoint.value.permissions)
            raise PermissionMissing(f"{_name(endpoint)}: the API key lacks the permission {needed} ({text})", needed)
        if failure.remedy in (Remedy.STOP_KEY, Remedy.NEW_NONCE):
            self._dead = InvalidKey(f"{_name(endpoint)}: {text}: {_advice(text)}")
            raise self._dead
        raise Refused(f"{_name(endpoint)}: the exchange refused: {text}", text)

    # --- one try ---

    def _send_private(self, endpoint: Endpoint, params: dict[str, str], nonce_errors: int) -> Answer | Failure:
        if self.credentials is None:
            raise SettingsError(f"{_name(endpoint)} needs an API key")
        self.clock.check()
        record = self._paced(endpoint)
        nonce = next_nonce(record.last_nonce, self.clock.now(), NONCE_TRIES[nonce_errors])
        self.state.save(replace(record, last_nonce=nonce))  # before a byte leaves: a killed process never repeats it
        body = urlencode({"nonce": str(nonce), **params, **self._otp()}).encode()
        headers = {
            "API-Key": self.credentials.key,
            "API-Sign": sign(endpoint, nonce, body, self.credentials.secret),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self.calls += 1
        outcome = self._exchange(endpoint, lambda url: self.session.post(url, body, headers=headers, **OPTIONS))
        if isinstance(outcome, Failure) and outcome.remedy is Remedy.WAIT:
            self._keep_counter(self._counter(self.state.load()).full(self.clock.now()))
        return outcome

    def _send_public(self, endpoint: Endpoint, params: dict[str, str]) -> Answer | Failure:
        self.clock.check()
        if endpoint in PACED_PUBLIC and self.pacing.pace:
            now = to_unix(self.clock.now())
            if self._last_public is not None and now < self._last_public + MARKET_DATA_EVERY:
                self.clock.sleep(self._last_public + MARKET_DATA_EVERY - now)
            self._last_public = to_unix(self.clock.now())
        return self._exchange(endpoint, lambda url: self.session.get(url, params=params, **OPTIONS))

    def _exchange(self, endpoint: Endpoint, send: Callable[[str], requests.Response]) -> Answer | Failure:
        try:
            response = send(self.url + endpoint.path)
        except requests.Timeout:
            return Failure(Remedy.RETRY, "no answer in time")
        except requests.exceptions.SSLError:
            return Failure(Remedy.RETRY, "the server's TLS certificate was not accepted")
        except requests.RequestException as error:
            return Failure(Remedy.RETRY, f"no connection ({type(error).__name__})")
        return read(response.status_code, response.headers, response.content, _name(endpoint))

    def _otp(self) -> dict[str, str]:
        assert self.credentials is not None
        if self.credentials.totp is not None:
            return {"otp": totp(self.credentials.totp, int(to_unix(self.clock.now())))}
        return {"otp": self.credentials.otp} if self.credentials.otp else {}

    # --- pacing ---

    def _paced(self, endpoint: Endpoint) -> KeyRecord:
        """Wait until the call fits under the counter's limit, and charge it. Raises LockedOut while the key is parked."""
        record = self.state.load()
        if record.parked_until and self.clock.now() < record.parked_until:
            raise LockedOut(_locked_out(record.parked_until), record.parked_until)
        cost = self.pacing.cost(endpoint)
        if self.pacing.pace and (wait := self._counter(record).wait_for(cost, self.clock.now())):
            self.clock.sleep(wait)
        charged = self._counter(record).charged(cost, self.clock.now())
        return replace(record, level=charged.level, level_at=charged.at, parked_until=None)

    def _counter(self, record: KeyRecord) -> CallCounter:
        return CallCounter(self.pacing.tier, record.level, record.level_at)

    def _keep_counter(self, counter: CallCounter) -> None:
        self.state.save(replace(self.state.load(), level=counter.level, level_at=counter.at))


OPTIONS: dict[str, Any] = {"timeout": TIMEOUT, "allow_redirects": False}


def _name(endpoint: Endpoint) -> str:
    return endpoint.path.split("/", 3)[3]


def _locked_out(until: Any) -> str:
    return (
        f"Kraken has locked this API key out after too many errors; no call is made before {iso(until)}, "
        "because each attempt would prolong it. Check the key and secret meanwhile"
    )


ADVICE = (
    ("eapi:invalid key", "check KRAKEN_API_KEY: the key is unknown, deleted or expired"),
    (
        "eapi:invalid signature",
        "check KRAKEN_API_SECRET; if the key has two-factor authentication, set KRAKEN_API_OTP or KRAKEN_API_TOTP_SECRET",
    ),
    (
        "eapi:invalid nonce",
        "another program uses this key, or used it with larger nonces; give each program a key of its own, or a nonce window",
    ),
)


def _advice(text: str) -> str:
    return next((words for start, words in ADVICE if text.lower().startswith(start)), "look at the account at Kraken")
