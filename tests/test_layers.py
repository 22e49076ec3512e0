"""Who may import whom, read from the source by ast: the road of the data runs one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "portfolio_sync"
MODULES = sorted(ROOT.rglob("*.py"))

# Each layer, and the layers it may import (besides itself, core and errors).
MAY_IMPORT = {
    "core": set(),
    "errors": set(),
    "kraken": {"version"},
    "files": {"kraken"},
    "sync": {"kraken", "files", "store", "verify", "settings"},
    "store": set(),
    "verify": set(),
    "normalize": set(),
    "pricing": {"normalize"},
    "tax": {"normalize", "pricing"},
    "report": {"normalize", "pricing", "tax", "version"},
    "settings": set(),
    "service": {"kraken", "sync", "store", "settings", "app", "tasks", "version"},
    "sandbox": {"version"},
}
PURE = (
    "normalize",
    "pricing.value",
    "pricing.table",
    "verify",
    "tax",
    "report.frame",
    "sync.walk",
    "sync.late",
    "sync.coverage",
)
# Only these may import the library; a trailing dot means everything below.
LIBRARIES = {
    "requests": ("kraken.client", "kraken.adapter", "pricing.sources.ecb"),
    "urllib3": ("kraken.client", "kraken.adapter", "kraken.connection"),
    "sqlalchemy": ("store.", "sync.book", "sync.reference", "tasks.", "service."),
    "alembic": ("store.migrate",),
    "apscheduler": ("service.clock",),
    "prometheus_client": ("service.metrics",),
    "apprise": ("service.notify",),
    "pydantic": ("settings.",),
    "click": ("cli.",),
    "keyring": ("settings.os_keyring",),
}
HEAVY = {
    "pandas",
    "alembic",
    "rich",
    "sqlalchemy",
    "apscheduler",
    "requests",
    "keyring",
    "prometheus_client",
    "apprise",
}
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "monotonic"),
    ("time", "time_ns"),
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def allowed(name: str, owners: tuple[str, ...]) -> bool:
    return any(name == owner or (owner.endswith(".") and (name + ".").startswith(owner)) for owner in owners)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down_the_road(path: Path) -> None:
    layer = name_of(path).split(".")[0]
    if layer not in MAY_IMPORT:
        return  # app, tasks, cli and __main__ compose everything
    for imported in imports_of(tree_of(path)):
        parts = imported.split(".")
        if parts[0] != "portfolio_sync":
            continue
        target = parts[1] if len(parts) > 1 else "version"
        assert target in MAY_IMPORT[layer] | {layer, "core", "errors"}, f"{name_of(path)} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_libraries_stay_where_they_belong(path: Path) -> None:
    for imported in imports_of(tree_of(path)):
        owners = LIBRARIES.get(imported.split(".")[0])
        assert owners is None or allowed(name_of(path), owners), f"{name_of(path)} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_core_needs_nothing_but_the_standard_library(path: Path) -> None:
    import sys

    if not name_of(path).startswith("core"):
        return
    for imported in imports_of(tree_of(path)):
        assert imported.split(".")[0] in sys.stdlib_module_names | {"portfolio_sync"}


@pytest.mark.parametrize("path", [p for p in MODULES if name_of(p).startswith(PURE)], ids=name_of)
def test_pure_modules_read_no_clock_and_no_network(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in CLOCKS, f"{name_of(path)}:{node.lineno} reads the clock"
    assert not {i.split(".")[0] for i in imports_of(tree_of(path))} & {
        "requests",
        "sqlalchemy",
        "socket",
        "urllib",
        "http",
    }


def test_the_sandbox_shares_no_code_with_the_client() -> None:
    for path in (ROOT / "sandbox").rglob("*.py"):
        assert not any(i.startswith("portfolio_sync.kraken") for i in imports_of(tree_of(path)))


def test_small_commands_start_without_heavy_libraries() -> None:
    import subprocess
    import sys

    code = "import sys; from portfolio_sync.cli.main import main; main(['--help']); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(shown.splitlines()[-1].split())
