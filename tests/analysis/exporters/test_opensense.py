"""OpenSense: the file's form, and that OpenSim itself finds our angles from it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.exporters.opensense import orientation_files, sto
from analysis.results import Results

IK = Path(__file__).with_name("opensim_ik.py")
NONE = np.array([[[1.0, 0.0, 0.0, 0.0]]])


@pytest.fixture(scope="module")
def contents(results: Results) -> dict[str, str | bytes]:
    return orientation_files(results.analysis)


def read(text: str | bytes) -> tuple[list[str], list[str], np.ndarray]:
    assert isinstance(text, str)
    head, _, table = text.partition("endheader\n")
    labels, *rows = table.splitlines()
    cells = [[float(x) for x in row.replace("\t", ",").split(",")] for row in rows]
    return head.splitlines(), labels.split("\t"), np.array(cells)


def test_the_files_of_both_sides_have_the_form_that_opensim_reads(contents):
    for side in ("left", "right"):
        for what in ("orientations", "calibration"):
            head, labels, table = read(contents[f"{side}_{what}.sto"])
            assert "DataType=Quaternion" in head
            assert labels == ["time", "pelvis_imu", f"femur_{side[0]}_imu"]
            quats = table[:, 1:].reshape(len(table), 2, 4)
            np.testing.assert_allclose(np.linalg.norm(quats, axis=2), 1.0, atol=1e-8)
            assert (len(table) == 1) == (what == "calibration")
    _, _, table = read(contents["left_orientations.sto"])
    assert (np.diff(table[:, 0]) > 0).all()
    at_first = table[0, 5:]  # a seated femur: a quarter turn about Z
    np.testing.assert_allclose(at_first, [np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)], atol=0.1)


def test_what_is_no_orientation_is_refused():
    assert sto(np.zeros(1), NONE, ["pelvis_imu"]).count("\n") == 7
    for wrong in (NONE * np.nan, NONE * 1.01):
        with pytest.raises(AnalysisError, match="unit quaternions"):
            sto(np.zeros(1), wrong, ["pelvis_imu"])


@pytest.mark.skipif(find_spec("opensim") is None, reason="opensim is not installed")
@pytest.mark.parametrize("side", ["left", "right"])
def test_opensims_inverse_kinematics_finds_our_angles(side, contents, results, tmp_path):
    for name, content in contents.items():
        tmp_path.joinpath(name).write_text(str(content))
    subprocess.run([sys.executable, IK, tmp_path, side], cwd=tmp_path, check=True, timeout=120)
    text = tmp_path.joinpath(f"{side}_ik.mot").read_text().partition("endheader\n")[2]
    labels, *rows = text.splitlines()
    table = np.array([[float(x) for x in row.split()] for row in rows])
    found = dict(zip(labels.split("\t"), table.T, strict=True))
    ours = results.angles[results.angles["side"] == side]
    inward = {"left": -1.0, "right": 1.0}[side]

    def at(name: str) -> np.ndarray:
        return np.interp(found["time"], ours["time_s"], ours[name])

    hip = {name: found[f"hip_{name}_{side[0]}"] for name in ("rotation", "flexion", "adduction")}
    np.testing.assert_allclose(inward * hip["rotation"], at("ir_deg"), atol=0.1)
    np.testing.assert_allclose(inward * hip["adduction"], at("adduction_deg"), atol=0.1)
    offset = np.median(hip["flexion"] - at("flexion_deg"))
    assert offset == pytest.approx(90.0, abs=15.0)  # seated; ours is 0 at the neutral
    np.testing.assert_allclose(hip["flexion"] - offset, at("flexion_deg"), atol=0.1)
    assert np.ptp(at("ir_deg")) > 20.0
