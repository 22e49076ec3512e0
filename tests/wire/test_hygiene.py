"""Commands and the service run for real with distinctive secrets; then everything that they wrote is searched for them."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from portfolio_sync.core.secret import Secret
from portfolio_sync.errors import SettingsError
from portfolio_sync.kraken.credentials import Credentials
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from tests.patience import PATIENCE
from tests.wire.test_serve import heard

KEY = "PublicHalfThatNobodyMaySee0123456789"
RAW = b"the-private-half-that-nobody-may-see-0123456789-0123456789-01234"
SECRET = base64.b64encode(RAW).decode()
OTP, TOTP, PASSWORD = "one-time-that-nobody-may-see", "NBSWY3DPNBSWY3DPNBSWY3DP", "database-word-that-nobody-may-see"
FORBIDDEN = [text.encode() for text in (KEY, SECRET, OTP, TOTP, PASSWORD)] + [RAW]


def environ(exchange: Sandbox, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "KRAKEN_API_KEY": KEY,
        "KRAKEN_API_SECRET": SECRET,
        "KRAKEN_API_OTP": OTP,
        "PORTFOLIO_SYNC_KRAKEN_URL": exchange.url,
        "PORTFOLIO_SYNC_EXCHANGE_PACE": "false",
        "PORTFOLIO_SYNC_EXCHANGE_GIVE_UP_AFTER": "0s",
        "PORTFOLIO_SYNC_SYNC_SCHEDULE": "every 1s",
        **more,
    }


def run(folder: Path, env: dict[str, str], *arguments: str) -> int:
    """The exit code; what the command said lies in the folder with the rest."""
    with (folder / f"said-{len(list(folder.iterdir()))}").open("wb") as said:
        command = [sys.executable, "-m", "portfolio_sync", *arguments]
        return subprocess.run(command, cwd=folder, env=env, stdout=said, stderr=said, check=False).returncode


def search(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        for number, secret in enumerate(FORBIDDEN):
            assert secret not in content, f"secret {number} stands in {path.name}"
        assert not path.name.startswith("core")


def test_nothing_secret_in_what_commands_write_errors_included(tmp_path: Path) -> None:
    with Sandbox(generate(2, 60), limited=False, key_facts={"key": KEY, "secret": SECRET, "otp": OTP}) as exchange:
        good = environ(exchange, PORTFOLIO_SYNC_DATABASE_URL=f"sqlite:///{tmp_path / 'portfolio.db'}")
        assert run(tmp_path, good, "sync", "--verbose") == 0
        assert run(tmp_path, good, "key", "check", "--json") == 0
        assert run(tmp_path, good, "config", "show", "--json") == 0
        elsewhere = f"postgresql://someone:{PASSWORD}@127.0.0.1:9/nothing"
        assert run(tmp_path, good | {"PORTFOLIO_SYNC_DATABASE_URL": elsewhere}, "sync", "--verbose") == 2
        assert run(tmp_path, good | {"PORTFOLIO_SYNC_DATABASE_URL": elsewhere}, "config", "show") == 0
        assert run(tmp_path, good | {"KRAKEN_API_SECRET": SECRET + "!"}, "sync", "--verbose") == 2
        assert run(tmp_path, good | {"KRAKEN_API_TOTP_SECRET": TOTP + "!"}, "sync", "--verbose") == 2
        assert run(tmp_path, good | {"KRAKEN_API_OTP": TOTP}, "sync", "--verbose") == 3
        exchange.facts.known = False
        assert run(tmp_path, good, "sync", "--verbose") == 3
    assert run(tmp_path, good, "sync", "--verbose") == 5
    search(tmp_path)


def test_nothing_secret_in_what_the_service_leaves_when_it_is_killed(tmp_path: Path) -> None:
    with Sandbox(generate(2, 60), limited=False, key_facts={"key": KEY, "secret": SECRET, "otp": OTP}) as exchange:
        good = environ(exchange, PORTFOLIO_SYNC_DATABASE_URL=f"sqlite:///{tmp_path / 'portfolio.db'}")
        command = [sys.executable, "-X", "faulthandler", "-m", "portfolio_sync", "serve", "--verbose"]
        with subprocess.Popen(command, cwd=tmp_path, env=good, stderr=subprocess.PIPE, text=True) as process:
            said = heard(process, "main: 0 new")
            (tmp_path / "cmdline").write_bytes(Path(f"/proc/{process.pid}/cmdline").read_bytes())
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            assert "Max core file size 0 0" in " ".join(limits.split())
            process.send_signal(signal.SIGABRT)
            assert process.stderr is not None
            said += process.stderr.read()
            assert process.wait(PATIENCE) == -signal.SIGABRT
        assert "Fatal Python error: Aborted" in said
        (tmp_path / "said").write_text(said)
    search(tmp_path)


def locals_of(error: BaseException) -> str:
    """What a debugger's report would show: the locals of every frame of the error and of those behind it."""
    shown, behind = [], [error]
    while behind:
        each = behind.pop()
        behind += [other for other in (each.__cause__, each.__context__) if other is not None]
        shown.append(repr(each.args))
        trace = each.__traceback__
        while trace is not None:
            if "/tests/" not in trace.tb_frame.f_code.co_filename:
                shown += [repr(value) for value in trace.tb_frame.f_locals.values()]
            trace = trace.tb_next
    return "\n".join(shown)


@pytest.mark.parametrize(
    ("key", "secret", "totp"), [(KEY, SECRET + "!", TOTP), (KEY + "\n", SECRET, TOTP), (KEY, SECRET, TOTP + "!")]
)
def test_no_local_of_an_error_shows_a_secret(key: str, secret: str, totp: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Credentials(Secret(key), Secret(secret), Secret(OTP), Secret(totp))
    shown = locals_of(caught.value)
    assert not any(text in shown for text in (KEY, SECRET, OTP, TOTP))
