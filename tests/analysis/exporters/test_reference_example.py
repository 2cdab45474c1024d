"""The exporter shown in the reference does what it says."""

from __future__ import annotations

import re
from pathlib import Path

from analysis.settings import Settings
from imu.recording import Session, SessionInfo
from tests.conditions import Case

FORMATS = Path(__file__).parents[3] / "analysis" / "reference" / "formats.md"


def test_the_worked_exporter_works(left: Case):
    blocks = re.findall(r"```python\n(.*?)```", FORMATS.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = (block for block in blocks if "def export" in block)
    space: dict[str, object] = {}
    exec(example, space)
    export = space["export"]
    assert callable(export)
    files = export(Session("s", SessionInfo(), (left.recording,)), Settings())
    head, *rows = files["ranges.csv"].splitlines()
    assert head == "set;rep;range"
    assert len(rows) == len(left.truth.reps)
