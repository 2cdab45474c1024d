from __future__ import annotations

import numpy as np
import pytest

from analysis.motion.grid import GRID_HZ
from analysis.repetitions.detection import find_repetitions
from analysis.repetitions.leftover import leftover
from tests.analysis.motions import course, lasting


def turns(sizes_deg: list[float], turn_s: float = 2.0, hold_s: float = 1.0) -> np.ndarray:
    """Turns of given sizes, 1.5 s of rest between them."""
    moves = [(3.0, 0.0)]
    for size in sizes_deg:
        moves += [(turn_s, size), (hold_s, size), (turn_s, 0.0), (1.5, 0.0)]
    return course(lasting(moves), moves)


def seen(ir_deg: np.ndarray):
    phases = find_repetitions(np.deg2rad(ir_deg), 0)
    assert phases
    return leftover(ir_deg, 0, phases)


def test_repetitions_leave_nothing_over():
    found = seen(turns([30.0] * 4))
    assert (found.small_turns, found.share) == (0, 0.0)


@pytest.mark.parametrize("small_deg", [3.0, 4.0])
def test_turns_too_small_to_count_are_told(small_deg):
    found = seen(turns([5.5, small_deg, 5.5, small_deg, 5.5]))
    assert found.small_turns == 2
    assert found.share == pytest.approx(2.0 * small_deg / 16.5, rel=0.1)


def test_small_turns_at_the_end_are_told_too():
    assert seen(turns([5.5, 5.5, 4.0])).small_turns == 1


def test_a_twitch_is_no_small_turn():
    moves = [(3.0, 0.0), (2.0, 6.0), (1.0, 6.0), (2.0, 0.0), (1.0, 0.0)]
    moves += [(0.3, 3.0), (0.3, 0.0), (1.0, 0.0), (2.0, 6.0), (1.0, 6.0), (2.0, 0.0), (2.0, 0.0)]
    assert seen(course(lasting(moves), moves)).small_turns == 0


def test_an_overshoot_is_no_turn_inward():
    rep = [(2.0, 30.0), (1.0, 30.0), (2.0, -6.0), (0.3, -6.0), (1.0, 0.0), (1.5, 0.0)]
    moves = [(3.0, 0.0), *rep, *rep]
    found = seen(course(lasting(moves), moves))
    assert (found.small_turns, found.share) == (0, pytest.approx(0.0, abs=0.02))


def test_the_course_before_the_neutral_does_not_matter():
    ir_deg = turns([5.5, 5.5])
    before = turns([4.0, 4.0])
    joined = np.concatenate([before, ir_deg])
    phases = find_repetitions(np.deg2rad(joined), len(before))
    assert leftover(joined, len(before), phases).small_turns == 0
    assert len(phases) == 2
    assert len(joined) > int(10 * GRID_HZ)
