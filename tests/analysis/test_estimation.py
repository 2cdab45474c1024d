"""Sets on which the first look misleads: slow turns that hide in the stillness."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.sets import analyse_set
from analysis.settings import Settings
from imu.simulator import simulate_set
from tests.conditions import CONDITIONS


@pytest.mark.parametrize(("side", "seed"), [("left", 100), ("right", 101)])
def test_turns_of_one_degree_a_second_are_found_and_inward(side, seed):
    usual = CONDITIONS["consumer60"]
    slow = {"range_deg": 10.0, "inward_s": 9.0, "hold_s": 2.0, "return_s": 9.0, "reps": 3}
    recording, truth = simulate_set(replace(usual.drill, **slow), usual.sensors, side, seed)
    reps = analyse_set(recording, Settings()).reps
    assert len(reps) == len(truth.reps) == 3
    for found, true in zip(reps, truth.reps, strict=True):
        # A turn of 10 degrees with 3 off its axis leaves the axis open by about 10 degrees.
        assert found.rom_deg == pytest.approx(true.rom_deg, abs=1.0)
        assert found.start_s == pytest.approx(true.start_s, abs=0.5)
