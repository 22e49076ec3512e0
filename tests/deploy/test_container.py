"""Dockerfile, .dockerignore and compose file: what can be known without a Docker engine."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from portfolio_sync.cli.main import cli
from portfolio_sync.settings.sources import load

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose"
# Of the Compose specification's service, what we use.
SERVICE_KEYS = {
    "build", "image", "init", "read_only", "tmpfs", "cap_drop", "security_opt", "networks", "restart", "environment",
    "secrets", "volumes", "shm_size", "stop_grace_period", "healthcheck", "command", "depends_on",
}  # fmt: skip


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) of the Dockerfile, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    found = []
    for line in lines:
        word, _, rest = line.partition(" ")
        found.append((word, " ".join(rest.split())))
    return found


def last(word: str) -> str:
    return [rest for name, rest in instructions() if name == word][-1]


def copied() -> list[str]:
    """What the first stage takes from the folder it is built in."""
    lines = [rest.split() for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    return [source for words in lines for source in words[:-1]]


def ignored(path: str) -> bool:
    """The last rule that fits decides (docs.docker.com: .dockerignore)."""
    verdict = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        parts = path.split("/")
        fits = any(fnmatch.fnmatch("/".join(parts[: n + 1]), pattern) for n in range(len(parts)))
        fits |= pattern.startswith("**/") and any(fnmatch.fnmatch(part, pattern[3:]) for part in parts)
        verdict = verdict if not fits else not line.startswith("!")
    return verdict


def test_the_image_runs_as_an_ordinary_user_and_holds_no_build_tools() -> None:
    words = [name for name, _ in instructions()]
    assert words.count("FROM") == 2
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last("USER"))
    assert words.index("USER") > max(n for n, word in enumerate(words) if word == "RUN")
    assert not [rest for name, rest in instructions() if name in ("ADD", "ARG")]


def test_what_the_wheel_is_built_of_is_copied_and_nothing_else_is_sent() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    facts = project["project"]
    needed = {"pyproject.toml", facts["readme"], *facts["license-files"], *wheel["packages"], *wheel["force-include"]}
    assert set(copied()) == needed
    for path in (*needed, "portfolio_sync/cli/main.py", "migrations/versions/0001_initial.py"):
        assert not ignored(path), path
    for path in (
        ".git/config",
        ".env",
        "kraken.key",
        "portfolio.db",
        "portfolio_sync/x.db-wal",
        "migrations/.env",
        "tests/x.py",
    ):
        assert ignored(path), path


def test_health_check_and_commands_need_no_shell() -> None:
    checked, program, command = last("HEALTHCHECK"), json.loads(last("ENTRYPOINT")), json.loads(last("CMD"))
    python, flag, code = json.loads(checked.partition(" CMD ")[2])
    assert (python, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "/healthz" in code
    assert load(environ={}, folder=Path("/nonexistent")).settings.service.listen in code
    assert program == ["portfolio-sync"]
    assert CliRunner().invoke(cli, [*command, "--help"]).exit_code == 0


def test_the_health_check_fails_where_nobody_answers() -> None:
    """With the exit code that Docker takes for unhealthy."""
    code = json.loads(last("HEALTHCHECK").partition(" CMD ")[2])[2].replace(":8731", ":9")
    done = subprocess.run(["python3", "-c", code], capture_output=True, check=False)
    assert done.returncode == 1


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
    return document


def test_every_name_in_the_compose_file_leads_somewhere() -> None:
    document = compose()
    for name, service in document["services"].items():
        assert set(service) <= SERVICE_KEYS, name
        assert set(service["secrets"]) <= set(document["secrets"]), name
        assert set(service["networks"]) <= set(document["networks"]), name
        assert set(service.get("depends_on", {})) <= set(document["services"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in document["volumes"] or (COMPOSE / source).exists(), volume
        for value in service["environment"].values():
            if str(value).startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], value
    assert (COMPOSE / document["services"]["serve"]["build"] / "Dockerfile").exists()


def test_the_program_writes_nothing_but_its_database_and_cannot_gain_rights() -> None:
    for name in ("migrate", "serve"):
        service = compose()["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert CliRunner().invoke(cli, [*service["command"], "--help"]).exit_code == 0
    assert compose()["services"]["serve"]["restart"] == "unless-stopped"


def test_the_database_is_open_to_no_network_but_the_inner_one() -> None:
    document = compose()
    assert document["services"]["database"]["networks"] == ["inside"]
    assert document["networks"]["inside"]["internal"]
    assert not any("ports" in service for service in document["services"].values())
    assert "retries" in document["services"]["database"]["healthcheck"]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for _ in range(2):  # again: what is there stays
        subprocess.run(["sh", COMPOSE / "make-secrets.sh"], cwd=tmp_path, check=True)
    (tmp_path / "secrets" / "kraken_api_key").write_text("key")
    (tmp_path / "secrets" / "kraken_api_secret").write_text("c2VjcmV0")
    return tmp_path / "secrets"


def test_the_secrets_are_new_private_and_those_that_the_compose_file_names(secrets: Path) -> None:
    wanted = {Path(secret["file"]).name for secret in compose()["secrets"].values()}
    assert {path.name for path in secrets.iterdir()} == wanted
    made = [path for path in secrets.iterdir() if "database" in path.name]
    assert all(path.stat().st_mode & 0o077 == 0 for path in made)
    assert len({path.read_text() for path in made}) == len(made)


def test_the_services_environment_makes_settings(secrets: Path) -> None:
    for name, role in (("serve", "service"), ("migrate", "owner")):
        environ = {
            key: value.replace("/run/secrets", str(secrets))
            for key, value in compose()["services"][name]["environment"].items()
        }
        settings = load(environ=environ, folder=secrets).settings
        password = (secrets / f"database_{role}_password").read_text()
        assert settings.database.url == f"postgresql://portfolio_{role}:{password}@database/portfolio"
        assert len(settings.accounts) == (name == "serve")


def test_no_secret_lies_in_the_repository() -> None:
    assert "deploy/compose/secrets/" in (ROOT / ".gitignore").read_text()
    assert os.access(COMPOSE / "make-secrets.sh", os.X_OK)
