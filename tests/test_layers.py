"""Every package tells its modules in the order of the data's path, and keeps to it.

The linter holds the order in pyproject.toml; this holds the one that people read.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "imu",
    "imu.codecs",
    "imu.collector",
    "imu.emulators",
    "imu.formats",
    "imu.importers",
    "imu.simulator",
    "imu.storage",
    "imu.transports",
    "analysis",
    "analysis.live",
    "analysis.motion",
    "analysis.repetitions",
    "analysis.report",
    "analysis.exporters",
    "analysis.batch",
)


def folder(package: str) -> Path:
    return ROOT.joinpath(*package.split("."))


def told(package: str) -> list[str]:
    """Modules in the order the package's docstring lists them."""
    docstring = ast.get_docstring(ast.parse((folder(package) / "__init__.py").read_text())) or ""
    heads = re.findall(r"^(``\w+``(?:, ``\w+``)*)$", docstring, re.MULTILINE)
    return [name for head in heads for name in re.findall(r"``(\w+)``", head)]


def present(package: str) -> list[str]:
    modules = [path.stem for path in folder(package).glob("[a-z]*.py")]
    packages = [path.parent.name for path in folder(package).glob("*/__init__.py")]
    return modules + packages


def imported(path: Path) -> set[str]:
    """Full names of what a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_docstring_lists_every_module_once(package):
    assert sorted(told(package)) == sorted(present(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_import_only_from_those_above_them(package):
    order = told(package)
    for position, name in enumerate(order):
        own = folder(package) / name
        files = own.rglob("*.py") if own.is_dir() else [own.with_suffix(".py")]
        below = {f"{package}.{later}" for later in order[position + 1 :]}
        for file in files:
            assert imported(file) & below == set(), file
