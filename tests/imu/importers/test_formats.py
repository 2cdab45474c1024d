"""The same motion in every format gives the same ranges; real layouts are told by content."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from analysis.commands import hiprot
from imu.samples import Stream
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
SAME_AS = {  # other writings of one content: checked sample by sample
    "sensor-logger ios": "sensor-logger android",
    "sensor-logger json": "sensor-logger android",
    "phyphox ; ,": "phyphox",
    "phyphox tab ,": "phyphox",
    "phyphox ios": "phyphox",
    "phyphox excel": "sensor-logger android",
    "apdm old": "apdm",
}
OWN_CLOCKS = ("movesense csv", "movesense json")


def importer_of(case: str) -> str:
    return {**EACH, **TOGETHER}[case][0]


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


@pytest.mark.parametrize("case", [case for case in (*EACH, *TOGETHER) if case not in SAME_AS])
def test_the_same_motion_gives_the_same_ranges(tmp_path, capsys, case):
    paths = write(tmp_path / "in", files_of(case))
    call("import", *paths, "-o", tmp_path / "out", "--side", "left", "--json")
    document = json.loads(capsys.readouterr().out)
    (one,) = document["sets"].values()
    assert one["format"] == importer_of(case)
    (recording,) = read_session(tmp_path / "out").recordings
    expected = true_ranges("left", case in OWN_CLOCKS)
    found = ranges(recording)
    assert len(found) == len(expected) == 3
    assert np.abs(found - expected).max() < LESS_DEG.get(case, 0.1)


@cache
def imported(case: str) -> dict[str, Stream]:
    with TemporaryDirectory() as folder:
        paths = write(Path(folder) / "in", files_of(case))
        call("import", *paths, "-o", Path(folder) / "out", "--side", "left")
        (recording,) = read_session(Path(folder) / "out").recordings
    return dict(recording.streams)


@pytest.mark.parametrize("case", SAME_AS)
def test_other_writings_give_the_same_samples(case):
    expected, found = imported(SAME_AS[case]), imported(case)
    assert list(found) == list(expected)
    for segment, one in found.items():
        other = expected[segment]
        np.testing.assert_allclose(one.time_s, other.time_s, atol=2e-6)
        np.testing.assert_allclose(one.acc_ms2, other.acc_ms2, atol=2e-6)
        np.testing.assert_allclose(one.gyr_rads, other.gyr_rads, atol=2e-7)
