"""How the person sits before a set."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.app.checks import PATIENCE_S, SetupChecks
from imu.frames import Batch, Sample

G = 9.81
HZ = 60


def sit(
    checks: SetupChecks,
    seconds: float,
    tilt_deg: float = 0.0,
    shaking: float = 0.0,
    begin_s: float = 0.0,
):
    random = np.random.default_rng(1)
    tilt = np.radians(tilt_deg)
    for step in range(round(seconds * HZ)):
        at_s = begin_s + step / HZ
        gyr = tuple(random.normal(0, 0.003 + shaking, 3))
        for segment in ("pelvis", "thigh"):
            sample = Sample(at_s, (G * np.sin(tilt), G * np.cos(tilt), 0.0), gyr)
            checks.take(Batch(segment, at_s, (sample,)))


def told(checks: SetupChecks) -> dict[str, bool | None]:
    return {one["code"]: one["ok"] for one in checks.look()}


def ready(checks: SetupChecks, seconds: float, **how) -> bool:
    """Sit, looked at every tenth of a second."""
    well = False
    for step in range(round(10 * seconds)):
        sit(checks, 0.1, begin_s=0.1 * step, **how)
        well = checks.ready()
    return well


def test_before_anything_has_come_the_set_does_not_begin():
    assert not SetupChecks(None, lift=False).ready()


def test_sitting_still_for_a_while_is_enough():
    checks = SetupChecks(None, lift=True)
    assert not ready(checks, 1.5)
    assert ready(SetupChecks(None, lift=True), 4.0)
    assert set(told(checks)) == {"still", "sit_tall", "thigh_level", "lift"}


def test_who_moves_waits_but_not_for_ever():
    assert not ready(SetupChecks(None, lift=False), 6.0, shaking=0.6)
    assert ready(SetupChecks(None, lift=False), PATIENCE_S + 1.0, shaking=0.6)


@pytest.mark.parametrize(
    ("tilt_deg", "well"), [(0.0, True), (8.0, True), (15.0, False), (-15.0, False), (120.0, None)]
)
def test_the_pelvis_is_held_against_the_sessions_first_neutral(tilt_deg, well):
    checks = SetupChecks(np.array([0.0, G, 0.0]), lift=False)
    sit(checks, 3.0, tilt_deg=tilt_deg)
    assert told(checks)["sit_tall"] is well


def test_the_check_can_be_skipped():
    checks = SetupChecks(None, lift=False)
    checks.skipped = True
    assert checks.ready()
