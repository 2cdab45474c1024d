"""Faults on demand: what the body did stays true, and settings of the wrong kind are refused."""

from __future__ import annotations

import numpy as np
import pytest

from imu.errors import CallError
from imu.simulator.faults import KINDS
from imu.simulator.sessions import simulate_session
from imu.simulator.tables import session_settings

BASE = {"sets": ["left"], "drill": {"reps": 2}}


def streams(**fault: object):
    table = BASE | ({"faults": [{"set": "left", **fault}]} if fault else {})
    made = simulate_session("s", session_settings(table, "test"))
    (recording,) = made.session.recordings
    return recording.streams, made.truths["left"].reps


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_changes_the_samples_and_leaves_the_truth(kind):
    sound, truth = streams()
    spoilt, same = streams(kind=kind, at_s=4.0, lasts_s=1.0, turn_deg=[10, 0, 0], times=3)
    assert same == truth
    changed = [
        len(sound[name].time_s) != len(spoilt[name].time_s)
        or not np.array_equal(sound[name].acc_ms2, spoilt[name].acc_ms2)
        or not np.array_equal(sound[name].gyr_rads, spoilt[name].gyr_rads)
        or not np.array_equal(sound[name].time_s, spoilt[name].time_s)
        for name in ("pelvis", "thigh")
    ]
    assert any(changed)


def test_a_slip_turns_gravity_by_its_angle_in_the_sensors_axes():
    sound, _ = streams()
    spoilt, _ = streams(kind="slip", segment="pelvis", at_s=1.0, turn_deg=[12, 0, 0])
    before, after = (one["pelvis"].acc_ms2[200:280].mean(axis=0) for one in (sound, spoilt))
    across = [v[1:] / np.linalg.norm(v[1:]) for v in (before, after)]
    turned = np.rad2deg(np.arccos(np.clip(across[0] @ across[1], -1, 1)))
    assert turned == pytest.approx(12.0, abs=0.3)
    assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before), rel=1e-6)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "bad"}, "kind is 'bad'"),
        ({"set": "right", "kind": "held"}, "there is no set 'right'"),
        ({"kind": "held", "segment": "shank"}, "one of pelvis, thigh"),
        ({"kind": "held", "at_s": "soon"}, "at_s is 'soon'"),
        ({"kind": "slip", "turn_deg": [1, 2]}, "turn_deg is"),
        ({"kind": "held", "times": True}, "times is True"),
        ({"kind": "held", "often": 3}, "unknown setting 'often'"),
    ],
)
def test_wrong_faults_are_refused_in_one_line(fault, message):
    table = BASE | {"faults": [{"set": "left", **fault}]}
    with pytest.raises(CallError, match=message):
        session_settings(table, "test")
