from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from analysis.motion.grid import GRID_HZ, EvenSet
from analysis.motion.stillness import find_still_spans
from tests.analysis.motions import course, even_set, lasting, seated

REP = [(2.0, 32.0), (1.0, 32.0), (2.0, 0.0), (1.5, 0.0)]
SET = [(3.0, 0.0), *REP, *REP, *REP, (2.0, 0.0)]


def sitting(moves: list[tuple[float, float]], noise_deg_s: float = 0.1, seed: int = 0) -> EvenSet:
    """A set with those turns; both gyroscopes noisy and with a bias of 5 deg/s."""
    ir_deg = course(lasting(moves), moves)
    even = even_set(*seated("right", ir_deg))
    rng = np.random.default_rng(seed)
    streams = {}
    for name in ("pelvis", "thigh"):
        one = getattr(even, name)
        error = rng.normal(0, noise_deg_s, one.turn_rad.shape) + np.array([3.0, -3.0, 2.5])
        streams[name] = replace(one, turn_rad=one.turn_rad + np.deg2rad(error) / GRID_HZ)
    return EvenSet(even.time_s, streams["pelvis"], streams["thigh"])


def still_s(even: EvenSet) -> np.ndarray:
    return find_still_spans(even) / GRID_HZ


def test_stillness_before_and_after_is_found_though_the_gyroscopes_are_biased():
    spans = still_s(sitting(SET))
    assert spans[0][0] == pytest.approx(0.0, abs=0.3)
    # A minimum-jerk turn leaves 0.1 deg only after 0.2 s, and its onset is known to half a window.
    assert 2.7 < spans[0][1] < 3.5
    assert spans[-1][1] == pytest.approx(len(lasting(SET)) / GRID_HZ, abs=0.3)


def test_no_span_reaches_into_a_turn():
    time_s = lasting(SET)
    speed = np.abs(np.gradient(course(time_s, SET), time_s))
    for begin, end in find_still_spans(sitting(SET)):
        # of a turn whose peak is 30 deg/s
        assert speed[begin:end].max() < 3.0


@pytest.mark.parametrize("turn_s", [4.0, 9.0])
def test_a_slow_turn_is_no_stillness(turn_s):
    moves = [(3.0, 0.0), (turn_s, 32.0), (2.0, 32.0), (turn_s, 0.0), (3.0, 0.0)]
    spans = still_s(sitting(moves))
    ir_deg = course(lasting(moves), moves)
    assert len(spans) >= 2
    assert ir_deg[int(spans[0][1] * GRID_HZ)] < 3.0  # the neutral
    for begin, end in spans:
        within = ir_deg[int(begin * GRID_HZ) : int(end * GRID_HZ)]
        assert np.ptp(within) < 7.0  # of 32: 2.5 about the mean of a first second that turns 2


def test_every_span_lasts_a_second_and_they_are_in_order():
    spans = still_s(sitting(SET))
    assert np.all(np.diff(spans, axis=1) >= 1.0)
    assert np.all(np.diff(spans.ravel()) >= 0.0)


def test_a_gap_is_no_stillness():
    even = sitting([(10.0, 0.0)])
    measured = even.thigh.measured.copy()
    gap = slice(int(4 * GRID_HZ), int(4.5 * GRID_HZ))
    measured[gap] = False
    even = EvenSet(even.time_s, even.pelvis, replace(even.thigh, measured=measured))
    np.testing.assert_array_equal(
        find_still_spans(even), [[0, gap.start], [gap.stop, len(measured)]]
    )


def test_someone_who_never_sits_still_has_no_stillness():
    time_s = np.arange(0, 20, 1 / GRID_HZ)
    waving = 15 * np.sin(2 * np.pi * 0.8 * time_s)
    assert len(find_still_spans(even_set(*seated("left", waving)))) == 0


def test_stillness_is_of_both_sensors():
    moves = [(3.0, 0.0), (2.0, 20.0), (3.0, 20.0)]
    pelvis = Rotation.from_euler("z", course(lasting(moves), moves)[:, None], degrees=True)
    resting = Rotation.concatenate([Rotation.identity()] * len(pelvis))
    for even in (even_set(pelvis, resting), even_set(resting, pelvis)):
        spans = find_still_spans(even)
        assert not np.any((spans[:, 0] < 4 * GRID_HZ) & (spans[:, 1] > 4 * GRID_HZ))
