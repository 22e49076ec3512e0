"""The systemd units: directives that exist, settings that the program takes, nothing secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from portfolio_sync.cli.main import COMMANDS, cli
from portfolio_sync.settings.sources import load

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = ("portfolio-sync.service", "portfolio-sync-once.service")
# From systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5), systemd.resource-control(5), systemd.timer(5).
KNOWN = {
    "Unit": {"Description", "Documentation", "Wants", "After", "StartLimitIntervalSec"},
    "Service": {
        "Type", "ExecStart", "Restart", "RestartSec", "TimeoutStartSec", "TimeoutStopSec", "DynamicUser", "StateDirectory",
        "StateDirectoryMode", "WorkingDirectory", "UMask", "Environment", "LoadCredential", "AmbientCapabilities",
        "CapabilityBoundingSet", "DevicePolicy", "LockPersonality", "MemoryMax", "NoNewPrivileges", "PrivateDevices",
        "PrivateTmp", "PrivateUsers", "ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname",
        "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "RemoveIPC",
        "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "SystemCallArchitectures",
        "SystemCallErrorNumber", "SystemCallFilter",
    },
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
    "Install": {"WantedBy"},
}  # fmt: skip
Unit = dict[str, dict[str, list[str]]]


def read(name: str) -> Unit:
    """Section -> directive -> its values, in order; systemd lets a directive stand several times."""
    unit: Unit = {}
    section = ""
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            unit[section] = {}
        elif line and not line.startswith("#"):
            directive, _, value = line.partition("=")
            unit[section].setdefault(directive, []).append(value)
    return unit


def environment(unit: Unit, folder: Path) -> dict[str, str]:
    given = dict(line.split("=", 1) for line in unit["Service"]["Environment"])
    return {name: value.replace("%d", str(folder)).replace("%S", "/var/lib") for name, value in given.items()}


@pytest.mark.parametrize("name", [path.name for path in sorted(UNITS.iterdir())])
def test_sections_and_directives_are_systemds(name: str) -> None:
    for section, directives in read(name).items():
        assert set(directives) <= KNOWN[section]


@pytest.mark.parametrize("name", SERVICES)
def test_the_environment_makes_settings_with_one_account_whose_key_is_a_credential(name: str, tmp_path: Path) -> None:
    unit = read(name)
    environ = environment(unit, tmp_path)
    credentials = [line.split(":")[0] for line in unit["Service"]["LoadCredential"]]
    assert credentials == ["kraken-api-key", "kraken-api-secret"]
    config = tmp_path / "portfolio-sync.toml"
    config.touch()
    assert environ.pop("PORTFOLIO_SYNC_CONFIG") == "/etc/portfolio-sync/portfolio-sync.toml"
    settings = load(config, environ=environ, folder=tmp_path).settings
    assert settings.database.url == "sqlite:////var/lib/portfolio-sync/portfolio.db"
    (account,) = settings.accounts
    places = [account.key and account.key.file, account.secret and account.secret.file]
    assert places == [tmp_path / credential for credential in credentials]


@pytest.mark.parametrize("name", SERVICES)
def test_the_command_is_one_of_ours(name: str) -> None:
    (line,) = read(name)["Service"]["ExecStart"]
    program, command = line.split(" ")
    assert program == "/opt/portfolio-sync/bin/portfolio-sync"
    assert command in COMMANDS
    assert CliRunner().invoke(cli, [command, "--help"]).exit_code == 0


def test_both_services_are_locked_up_alike() -> None:
    """systemd has no include: what confines one must not be forgotten in the other."""
    service, once = (read(name)["Service"] for name in SERVICES)
    own = {"Type", "ExecStart", "Restart", "RestartSec", "TimeoutStartSec"}
    assert {k: v for k, v in service.items() if k not in own} == {k: v for k, v in once.items() if k not in own}


def test_the_service_is_started_again_whatever_happens_and_ends_in_its_own_time() -> None:
    unit = read(SERVICES[0])
    assert unit["Unit"]["StartLimitIntervalSec"] == ["0"]
    facts = unit["Service"]
    assert (facts["Type"], facts["Restart"], facts["DynamicUser"]) == (["exec"], ["on-failure"], ["yes"])
    assert int(facts["TimeoutStopSec"][0]) > 60  # what one answer of the exchange may take


def test_the_timer_starts_the_one_sync() -> None:
    timer = read("portfolio-sync-once.timer")
    assert timer["Timer"]["Persistent"] == ["true"]
    assert (UNITS / "portfolio-sync-once.service").exists()  # a timer starts the unit of its own name
