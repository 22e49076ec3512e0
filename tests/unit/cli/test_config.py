"""``config show`` tells where secrets are kept, and none of them; the process keeps its memory to itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portfolio_sync.cli.main import main

SETTINGS = """\
[exchange]
tier = "pro"
[notify]
urls = [{ env = "HOOK" }, { file = "mail.url" }]
[[accounts]]
name = "main"
key = { env = "THE_KEY" }
secret = { file = "secret.txt" }
totp_secret = { keyring = "kraken/totp" }
otp = { env = "NOT_SET" }
[[accounts]]
name = "second"
key_file = "second.key"
tier = "starter"
"""
SECRETS = {
    "THE_KEY": "key-that-nobody-sees",
    "HOOK": "jsons://user:hook-password@example.com/hook-token-long",
    "PORTFOLIO_SYNC_DATABASE_URL": "postgresql://me:database-password@db.example.com/portfolio?sslpassword=other-password",
}
FILES = {
    "secret.txt": "secret-that-nobody-sees",
    "mail.url": "mailtos://u:mail-password@example.com",
    "second.key": "second-key\nsecond-secret",
}
WORDS = ("nobody-sees", "password", "hook-token", "second-key\n", "second-secret")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_config_show_names_the_places_of_secrets_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "portfolio-sync.toml").write_text(SETTINGS)
    for name, text in FILES.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(text)
    for name, text in SECRETS.items():
        monkeypatch.setenv(name, text)
    assert main(["config", "show", *form]) == 0
    shown = capsys.readouterr()
    for word in WORDS:
        assert word not in shown.out + shown.err
    for place in ("THE_KEY", "secret.txt", "kraken/totp", "NOT_SET (not set)", "HOOK", "mail.url", "second.key"):
        assert place in shown.out, place
    assert "me:***@db.example.com/portfolio" in shown.out
    if form:
        told = {one["setting"]: (one["value"], one["from"]) for one in json.loads(shown.out)["settings"]}
        assert told["exchange.tier"] == ("pro", str(tmp_path / "portfolio-sync.toml"))
        assert told["log.format"] == ("text", "default")
        assert told["database.url"][1].endswith("PORTFOLIO_SYNC_DATABASE_URL")


PROBE = """
import ctypes, resource, sys
from portfolio_sync.core.memory import keep_private
keep_private()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else 0  # PR_GET_DUMPABLE
print(resource.getrlimit(resource.RLIMIT_CORE), dumpable)
"""


def test_no_core_file_and_no_debugger() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout == "(0, 0) 0\n"
