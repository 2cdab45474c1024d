"""The same motion in every format gives the same ranges; real layouts are told by content."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analysis.commands import hiprot
from imu.storage.session import read_session
from tests.imu.importers.motion import ranges, simulated, true_ranges, write
from tests.imu.importers.writers import EACH, TOGETHER, Files

LESS_DEG = {  # where a format carries less: a filter's output, means, whole milliseconds
    "dot app quaternion": 0.3,
    "dot export increments": 0.3,
    "movesense csv": 0.3,
    "movesense json": 0.3,
    "metabase": 0.3,
    "witmotion": 0.3,
}
OWN_CLOCKS = ("movesense csv", "movesense json")


def call(*args: object) -> None:
    hiprot.main([str(arg) for arg in args], prog_name="hiprot", standalone_mode=False)


def files_of(case: str, side: str = "left") -> Files:
    streams = simulated(side, shaken=case in OWN_CLOCKS)
    if case in TOGETHER:
        return TOGETHER[case][1]({f"{name}": one for name, one in streams.items()})
    files: Files = {}
    for name, one in streams.items():
        files |= EACH[case][1](f"{side}_{name}", one)
    return files


@pytest.mark.parametrize("case", [*EACH, *TOGETHER])
def test_the_same_motion_gives_the_same_ranges(tmp_path, capsys, case):
    paths = write(tmp_path / "in", files_of(case))
    call("import", *paths, "-o", tmp_path / "out", "--side", "left", "--json")
    document = json.loads(capsys.readouterr().out)
    (one,) = document["sets"].values()
    assert one["format"] == {**EACH, **TOGETHER}[case][0]
    (recording,) = read_session(tmp_path / "out").recordings
    expected = true_ranges("left", case in OWN_CLOCKS)
    found = ranges(recording)
    assert len(found) == len(expected) == 4
    assert np.abs(found - expected).max() < LESS_DEG.get(case, 0.1)
