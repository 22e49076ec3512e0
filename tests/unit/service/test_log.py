"""What is logged: one object a line, about an account, and never a secret."""

from __future__ import annotations

import json
import logging

import pytest

from portfolio_sync.core.log import about, also_about, configure, log
from portfolio_sync.core.redact import redact
from portfolio_sync.core.secret import Secret
from portfolio_sync.errors import (
    AnotherAccount,
    InvalidKey,
    OverpoweredKey,
    PermissionMissing,
    PortfolioSyncError,
    Unreachable,
)
from portfolio_sync.service.run import level_of, words_of
from portfolio_sync.store.engine import parse_url
from portfolio_sync.sync.run import Outcome

LOOKS_SECRET = "aB3" * 28 + "Zz=="


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_says_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    with about(account="main"):
        also_about(run=7, stream="ledgers")
        log.info("read %d rows", 50)
        logging.getLogger("urllib3.connectionpool").warning("retrying")
        logging.getLogger("apscheduler").info("not for us")
    first, second = lines(capsys)
    assert (first["level"], first["message"], first["account"], first["run"], first["stream"]) == (
        "info", "read 50 rows", "main", 7, "ledgers",
    )  # fmt: skip
    assert str(first["time"]).endswith("Z")
    assert (second["account"], second["logger"]) == ("main", "urllib3.connectionpool")
    configure("text")


def test_secrets_are_blank_in_messages_and_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    Secret("hunter2-of-the-test")
    parse_url("postgresql://me:dbpass-of-the-test@host/name")
    for form in ("json", "text"):
        configure(form)
        try:
            int("hunter2-of-the-test")
        except ValueError:
            log.exception("with %s and %s and %s", "hunter2-of-the-test", "dbpass-of-the-test", LOOKS_SECRET)
        said = capsys.readouterr().err
        assert "ValueError" in said
        assert "hunter2" not in said
        assert "dbpass" not in said
        assert LOOKS_SECRET not in said
    configure("text")


def test_a_password_in_any_url_is_blank() -> None:
    assert redact("mailtos://u:pw@host/x and https://h/") == "mailtos://u:[hidden]@host/x and https://h/"


@pytest.mark.parametrize(
    ("problem", "proof", "level"),
    [
        (None, "proven", "INFO"),
        (None, "windowed", "INFO"),
        (None, "unknown", "WARNING"),
        (None, "broken", "ERROR"),
        (Unreachable("away"), "broken", "WARNING"),  # the broken proof was an error when it was found
        (PermissionMissing("no"), "proven", "WARNING"),
        (InvalidKey("dead"), "proven", "ERROR"),
        (OverpoweredKey("may trade"), "proven", "ERROR"),
        (AnotherAccount("not ours"), "proven", "ERROR"),
    ],
)
def test_an_error_needs_a_person_and_a_warning_may_mend_itself(
    problem: PortfolioSyncError | None, proof: str, level: str
) -> None:
    assert logging.getLevelName(level_of(problem, proof)) == level


def test_a_run_is_one_line() -> None:
    assert words_of(Outcome("main", 3, 1, 7, "proven")) == "3 new, 1 changed, 7 calls"
    assert words_of(Outcome("main", proof="broken")) == "0 new, 0 changed, 0 calls: the proof is broken"
    assert words_of(Outcome("main", error=Unreachable("away"))) == "0 new, 0 changed, 0 calls: away"
