"""Call the exchange: pace, sign, send, read, and try again where that helps. One call at a time for each key."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, NoReturn
from urllib.parse import urlencode

import requests

from portfolio_sync import __version__
from portfolio_sync.core.clock import Clock
from portfolio_sync.core.instant import to_unix
from portfolio_sync.core.key_record import KeyRecord
from portfolio_sync.core.loopback import is_loopback
from portfolio_sync.errors import InvalidKey, SettingsError
from portfolio_sync.kraken.adapter import session
from portfolio_sync.kraken.credentials import Credentials
from portfolio_sync.kraken.download import PIECE, in_pieces, saved
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.kraken.key_state import KeyState
from portfolio_sync.kraken.nonce import LARGEST, next_nonce
from portfolio_sync.kraken.otp import totp
from portfolio_sync.kraken.patience import Patience
from portfolio_sync.kraken.refusal import gave_up, locked_out, refused
from portfolio_sync.kraken.response import Answer, Failure, Remedy, read
from portfolio_sync.kraken.signature import sign
from portfolio_sync.kraken.throttle import CallCounter, Pacing

TIMEOUT = (10, 60)  # seconds to connect, and between two bytes of the answer
LOCKOUT = timedelta(minutes=15)  # each attempt while locked out starts it anew
NONCE_TRIES = (0, 0, 1, 2)  # the same unit once more, then finer ones
MARKET_DATA_EVERY = Decimal(1)  # seconds between two calls for candles or trades, as the historical-data guide advises
PACED_PUBLIC = frozenset({Endpoint.OHLC, Endpoint.TRADES})


class TooSoon(Exception):
    """A call that does not fit under the counter's limit for so many seconds; nothing was charged."""

    def __init__(self, seconds: Decimal) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class ParkedAhead(Exception):
    """The key is parked for longer than a lockout lasts: the clock was ahead then, or went back since."""


def counted(record: KeyRecord, counter: CallCounter) -> KeyRecord:
    return replace(record, level=counter.level, level_at=counter.at)


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
        if not pacing.pace and not is_loopback(url):
            raise SettingsError("pace = false is accepted on loopback only")
        self.url = url.rstrip("/")
        self.session = session(self.url, f"portfolio-sync/{__version__}", clock.check)
        self.credentials, self.pacing, self.state, self.clock = credentials, pacing, state, clock
        self.give_up_after, self.say = give_up_after, say
        self.calls = 0
        self.outcomes: Counter[str] = Counter()
        self.warnings: list[str] = []
        self._lock = threading.Lock()
        self._chance = Random()
        self._dead: InvalidKey | None = None
        self._taken = 0  # the last nonce
        self._last_public: Decimal | None = None

    # --- what callers use ---

    def call(self, endpoint: Endpoint, **params: str) -> Any:
        """The ``result`` of a private call.

        Raises InvalidKey, PermissionMissing, LockedOut, RateLimited, Unreachable or Refused; never another error of the network.
        """
        return self._call(endpoint, params, _read)

    def download(self, endpoint: Endpoint, **params: str) -> Iterator[bytes]:
        """The file that a private call answers with (RetrieveExport: a ZIP), in pieces. Raises what ``call`` raises.

        The file is complete when this returns: it waits in a temporary file, so tries that broke half-way leave nothing.
        """
        return in_pieces(self._call(endpoint, params, _save))

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
            if nonce is not None and self._taken < nonce < LARGEST:
                self.state.change(lambda record: replace(record, last_nonce=max(nonce, record.last_nonce)))

    def close(self) -> None:
        """Hang up. The next call would connect anew."""
        self.session.close()

    # --- trying again ---

    def _call(self, endpoint: Endpoint, params: dict[str, str], take: Take) -> Any:
        with self._lock:
            if self._dead:
                raise self._dead
            return self._persist(endpoint, lambda tries: self._send_private(endpoint, params, tries, take))

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
                raise gave_up(endpoint, outcome, self.give_up_after)
            if outcome.remedy is not Remedy.NEW_NONCE:
                self.say(f"{endpoint.name_at_kraken}: {outcome.text}; trying again in {round(delay)} s")
                self.clock.sleep(delay)

    def _raise(self, endpoint: Endpoint, failure: Failure) -> NoReturn:
        if failure.remedy is Remedy.PARK:
            until = self.clock.now() + LOCKOUT
            self.state.change(lambda record: replace(record, parked_until=until))
            raise locked_out(until)
        error = refused(endpoint, failure)
        if isinstance(error, InvalidKey):
            self._dead = error
        raise error

    # --- one try ---

    def _send_private(
        self, endpoint: Endpoint, params: dict[str, str], nonce_errors: int, take: Take
    ) -> Answer | Failure:
        if self.credentials is None:
            raise SettingsError(f"{endpoint.name_at_kraken} needs an API key")
        self.clock.check()
        nonce = self._taken = self._take_nonce(endpoint, NONCE_TRIES[nonce_errors])
        body = urlencode({"nonce": str(nonce), **params, **self._otp()}).encode()
        headers = {
            "API-Key": self.credentials.key,
            "API-Sign": sign(endpoint, nonce, body, self.credentials.secret),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self.calls += 1
        outcome = self._exchange(endpoint, take, lambda url: self.session.post(url, body, headers=headers, **OPTIONS))
        if isinstance(outcome, Failure) and outcome.remedy is Remedy.WAIT:
            self.state.change(lambda record: counted(record, self._counter(record).full(self.clock.now())))
        return outcome

    def _send_public(self, endpoint: Endpoint, params: dict[str, str]) -> Answer | Failure:
        self.clock.check()
        if endpoint in PACED_PUBLIC and self.pacing.pace:
            now = to_unix(self.clock.now())
            if self._last_public is not None and now < self._last_public + MARKET_DATA_EVERY:
                self.clock.sleep(self._last_public + MARKET_DATA_EVERY - now)
            self._last_public = to_unix(self.clock.now())
        return self._exchange(endpoint, _read, lambda url: self.session.get(url, params=params, **OPTIONS))

    def _exchange(self, endpoint: Endpoint, take: Take, send: Callable[[str], requests.Response]) -> Answer | Failure:
        try:
            with send(self.url + endpoint.path) as response:
                return take(endpoint, response)
        except requests.Timeout:
            return Failure(Remedy.RETRY, "no answer in time")
        except requests.exceptions.SSLError:
            return Failure(Remedy.RETRY, "the server's TLS certificate was not accepted")
        except requests.RequestException as error:
            return Failure(Remedy.RETRY, _why_unconnected(error))

    def _otp(self) -> dict[str, str]:
        assert self.credentials is not None
        if self.credentials.totp is not None:
            return {"otp": totp(self.credentials.totp, int(to_unix(self.clock.now())))}
        return {"otp": self.credentials.otp} if self.credentials.otp else {}

    # --- pacing ---

    def _take_nonce(self, endpoint: Endpoint, unit: int) -> int:
        """Wait until the call fits under the counter's limit, charge it, and take its nonce: all on disk before a byte leaves,
        so that a killed process never repeats it. Raises LockedOut while the key is parked.
        """
        while True:
            try:
                return self.state.change(lambda record: self._charged(record, endpoint, unit)).last_nonce
            except TooSoon as early:
                self.clock.sleep(early.seconds)
            except ParkedAhead:
                self.state.change(lambda record: replace(record, parked_until=self.clock.now() + LOCKOUT))

    def _charged(self, record: KeyRecord, endpoint: Endpoint, unit: int) -> KeyRecord:
        now, cost = self.clock.now(), self.pacing.cost(endpoint)
        if record.parked_until and record.parked_until > now + LOCKOUT:
            raise ParkedAhead
        if record.parked_until and now < record.parked_until:
            raise locked_out(record.parked_until)
        if self.pacing.pace and (wait := self._counter(record).wait_for(cost, now)):
            raise TooSoon(wait)
        record = replace(record, last_nonce=next_nonce(record.last_nonce, now, unit), parked_until=None)
        return counted(record, self._counter(record).charged(cost, now))

    def _counter(self, record: KeyRecord) -> CallCounter:
        return CallCounter(self.pacing.tier, record.level, record.level_at)


# The body is taken while the connection is open: one that breaks half-way is a failed try like any other.
OPTIONS: dict[str, Any] = {"timeout": TIMEOUT, "allow_redirects": False, "stream": True}
Take = Callable[[Endpoint, requests.Response], Answer | Failure]


def _read(endpoint: Endpoint, response: requests.Response) -> Answer | Failure:
    return read(response.status_code, response.headers, response.content, endpoint.name_at_kraken)


def _why_unconnected(error: requests.RequestException) -> str:
    """In words where it is the name service: the most frequent cause, and no fault of the exchange."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if type(reason).__name__ == "NameResolutionError":
        return "the exchange's name cannot be resolved (DNS)"
    return f"no connection ({type(error).__name__})"


def _save(endpoint: Endpoint, response: requests.Response) -> Answer | Failure:
    return saved(response.status_code, response.headers, response.iter_content(PIECE), endpoint.name_at_kraken)
