"""The knee between thigh and shank, against turns that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.motion.knee import knee_course

SHARE = np.sin(np.linspace(0, np.pi, 50)) ** 2


def course(side: str, hidden: float, bend: float, twist: float, knee: float, assumed: float):
    """Both femurs of a leg whose knee moves in step, the thigh's skin hiding some of the turn."""
    sign = 1.0 if side == "right" else -1.0
    femur = Rotation.from_euler("zxy", np.outer(SHARE, [4, 3 * sign, 25 * sign]), degrees=True)
    turns = np.column_stack([sign * hidden * SHARE, -knee - bend * SHARE, sign * twist * SHARE])
    between = Rotation.from_euler("YZY", turns, degrees=True)
    shank = femur * between * Rotation.from_euler("z", knee, degrees=True)
    quats = [one.as_quat(scalar_first=True) for one in (femur, shank)]
    return knee_course(*quats, np.deg2rad(assumed), side)


@given(
    side=st.sampled_from(("left", "right")),
    hidden=st.floats(-5, 20), bend=st.floats(-20, 20), twist=st.floats(-12, 12),
    knee=st.floats(60, 120),
)  # fmt: skip
def test_three_movements_are_told_apart(side, hidden, bend, twist, knee):
    found = course(side, hidden, bend, twist, knee, knee)
    for got, true in (
        (found.hidden_deg, hidden), (found.flexion_deg, bend), (found.rotation_deg, twist)
    ):  # fmt: skip
        np.testing.assert_allclose(got, true * SHARE, atol=1e-6)


@pytest.mark.parametrize("off_deg", [-20.0, 20.0])
def test_a_knee_bent_otherwise_than_assumed_changes_little(off_deg):
    found = course("left", 10.0, 5.0, 6.0, 90.0, 90.0 + off_deg)
    assert found.flexion_deg.max() == pytest.approx(5.0, abs=0.5)
    assert found.rotation_deg.max() == pytest.approx(6.0, abs=0.7)
