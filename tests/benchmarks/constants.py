"""Which constants of the analysis no test holds: each is halved and doubled, the tests run.

``python -m tests.benchmarks.constants [MODULE ...] [--name NAME] [--list]``

A constant survives where every test still passes. One that may is told so by ``may vary:`` and a
reason in a comment on its line or just above it; it is left out. Works on a copy of the tree, a few
seconds a constant and factor.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("motion", "repetitions")
EXCUSE = "may vary:"
FACTORS = (0.5, 2.0)
MAX_S = 300.0
CALL = ("-m", "pytest", "tests/analysis", "-x", "-q", "-p", "no:cacheprovider", "-n", "2")


@dataclass(frozen=True)
class Constant:
    """An upper-case name of a module and the place of its value in the text."""

    path: Path
    name: str
    line: int
    span: tuple[int, int]  # of the value, in characters of the file
    whole: bool  # whether the value is a whole number

    def changed(self, source: str, factor: float) -> str:
        """The file's text with the value times a factor; whole numbers stay whole."""
        first, last = self.span
        value = f"({source[first:last]})"
        times = f"__import__('numpy').multiply({value}, {factor})"
        made = f"max(int({times}), 1)" if self.whole else f"({times})[()]"
        if source[first:last].startswith("("):
            made = f"tuple({times}.tolist())"
        return source[:first] + made + source[last:]


def constants(path: Path) -> Iterator[Constant]:
    """Numeric constants at a module's top, but for those excused."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:at])) for at in range(len(lines) + 1)]
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name, value = node.targets[0].id, node.value
        if not name.isupper() or not is_numeric(value) or excused(lines, node.lineno):
            continue
        first = starts[value.lineno - 1] + value.col_offset
        last = starts[value.end_lineno - 1] + value.end_col_offset
        whole = isinstance(value, ast.Constant) and isinstance(value.value, int)
        whole |= isinstance(value, ast.Call) and getattr(value.func, "id", "") == "int"
        yield Constant(path.relative_to(ROOT), name, node.lineno, (first, last), whole)


def is_numeric(value: ast.expr) -> bool:
    """Whether an expression is a number, a tuple of numbers, or arithmetic with them."""
    kinds = (ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.Tuple, ast.Call, ast.Attribute)
    inside = [node for node in ast.walk(value) if isinstance(node, ast.expr)]
    numbers = [node for node in inside if isinstance(node, ast.Constant)]
    plain = all(isinstance(one.value, int | float) for one in numbers)
    calls = [node for node in inside if isinstance(node, ast.Call)]
    named = all(getattr(one.func, "id", getattr(one.func, "attr", "")) in CALLS for one in calls)
    return bool(numbers) and plain and named and all(isinstance(one, kinds) for one in inside)


CALLS = ("int", "float", "deg2rad")


def excused(lines: list[str], line: int) -> bool:
    """Whether a comment on the line or in the block above says why the constant may vary."""
    at = line - 1
    said = lines[at]
    while at > 0 and lines[at - 1].lstrip().startswith("#"):
        at -= 1
        said += lines[at]
    return EXCUSE in said


def survives(copy: Path, one: Constant, factor: float) -> bool:
    """Whether the tests pass with the constant times a factor."""
    path = copy / one.path
    source = path.read_text(encoding="utf-8")
    path.write_text(one.changed(source, factor), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, *CALL], cwd=copy, env=environment, capture_output=True, timeout=MAX_S
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        path.write_text(source, encoding="utf-8")
    return done.returncode == 0


def chosen(modules: list[str], name: str | None) -> list[Constant]:
    """The constants asked for, by their modules' names; all where none is given."""
    stages = [ROOT / "analysis", *(ROOT / "analysis" / room for room in ROOMS)]
    paths = sorted(path for stage in stages for path in stage.glob("*.py"))
    found = [one for path in paths for one in constants(path)]
    found = [one for one in found if not modules or one.path.stem in modules]
    return [one for one in found if name is None or one.name == name]


def main() -> None:
    """List the survivors; exit status 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="such as outliers; all by default")
    parser.add_argument("--name")
    parser.add_argument("--list", action="store_true", help="name them, change nothing")
    call = parser.parse_args()
    found = chosen(call.modules, call.name)
    if call.list:
        print("\n".join(f"{one.path}:{one.line} {one.name}" for one in found))
        return
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv*", "build"))
        for one in found:
            for factor in FACTORS:
                if survives(copy, one, factor):
                    survivors += 1
                    print(f"{one.path}:{one.line} {one.name} x {factor:g}", flush=True)
    print(f"{survivors} of {len(found) * len(FACTORS)} changes pass every test.")
    sys.exit(survivors > 0)


if __name__ == "__main__":
    main()
