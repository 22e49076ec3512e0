"""``python -m portfolio_sync.sandbox``: serve a practice exchange until stopped."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.key import ALL_READS, TIERS
from portfolio_sync.sandbox.server import Sandbox


def main(argv: Sequence[str] | None = None) -> int:
    """Print URL, key and secret when ready; return when SIGTERM or SIGINT comes."""
    given = _parser().parse_args(argv)
    facts = {"tier": given.tier, "permissions": tuple(filter(None, given.permissions.split(",")))}
    try:
        sandbox = Sandbox(_account(given), port=given.port, key_facts=facts, limited=not given.unlimited)
    except (OSError, OverflowError, ValueError) as error:  # an unreadable account, a port that is taken or none
        sys.stderr.write(f"sandbox: {error}\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with sandbox as exchange:
        ready = {"url": exchange.url, "key": exchange.key, "secret": exchange.secret}
        lines = json.dumps(ready) if given.json else "\n".join(f"{name:8}{value}" for name, value in ready.items())
        sys.stdout.write(lines + "\n")
        sys.stdout.flush()
        stop.wait()
    return 0


def _account(given: argparse.Namespace) -> Account:
    if given.account:
        return Account.load(given.account)
    from portfolio_sync.sandbox.generate import generate

    return generate(given.seed, given.rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("portfolio_sync.sandbox", description="A practice exchange on loopback.")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--account", type=Path, help="an account saved as JSON; default: one that is made up")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=2000, help="ledger rows of the account that is made up")
    parser.add_argument("--tier", choices=sorted(TIERS), default="starter")
    parser.add_argument("--unlimited", action="store_true", help="no call counter")
    parser.add_argument("--permissions", default=",".join(ALL_READS), help="of the key, comma separated")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
