"""Courses of the angle made by hand, without sensors: what is a repetition, and where it ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.motion.grid import GRID_HZ
from analysis.repetitions.detection import Phases, find_repetitions, phase_window_s, speed
from tests.analysis.motions import course, drill, lasting

Moves = list[tuple[float, float]]
STILL: Moves = [(3.0, 0.0)]


def edge() -> float:
    """Share of its time after which a minimum-jerk turn first reaches 5 % of its peak speed.

    Its speed over its peak is 16 x^2 (1 - x)^2: x (1 - x) = sqrt(0.05) / 4.
    """
    return float(0.5 - np.sqrt(0.25 - np.sqrt(0.05) / 4))


def found(moves: Moves, noise_deg: float = 0.0, seed: int = 0) -> list[Phases]:
    """Repetitions found, from the middle of the first stillness on."""
    angle = course(lasting(moves), moves)
    if noise_deg:
        # what is left of a gyroscope's noise in an angle: a random walk, not white
        step = noise_deg * np.sqrt(1 / GRID_HZ)
        angle = angle + np.cumsum(step * np.random.default_rng(seed).standard_normal(len(angle)))
    return find_repetitions(np.deg2rad(angle), int(1.0 * GRID_HZ))


def limits(moves: Moves, *turns: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    """True limits of repetitions by the 5 % rule, given which moves are the turns in and back."""
    begins = np.cumsum([0.0, *(duration_s for duration_s, _ in moves)])
    rows = []
    for inward, back in turns:
        in_s, back_s = edge() * moves[inward][0], edge() * moves[back][0]
        rows.append(
            (
                begins[inward] + in_s,
                begins[inward + 1] - in_s,
                begins[back] + back_s,
                begins[back + 1] - back_s,
            )
        )
    return rows


def assert_limits(
    reps: Sequence[Phases],
    expected: Sequence[tuple[float, float, float, float]],
    allowed_s: float,
) -> None:
    assert len(reps) == len(expected)
    for rep, row in zip(reps, expected, strict=True):
        times = (rep.start_s, rep.hold_start_s, rep.hold_end_s, rep.end_s)
        np.testing.assert_allclose(times, row, atol=allowed_s)
        assert not rep.broken_off


def test_the_edge_of_a_minimum_jerk_turn_is_where_its_speed_is_five_per_cent():
    x = edge()
    assert 30 * x**2 * (1 - x) ** 2 == pytest.approx(0.05 * 30 / 16)


@given(
    st.sampled_from([6.0, 8.0, 20.0, 32.0, 60.0]),
    st.sampled_from([0.5, 1.0, 2.5, 5.0, 9.0]),
    st.sampled_from([0.0, 0.5, 2.0]),
    st.integers(1, 6),
)
def test_every_size_and_speed_is_found_with_its_limits(size, turn_s, hold_s, reps):
    moves = drill(reps, size, turn_s, hold_s, turn_s, 1.5)
    turns = [(1 + 4 * k, 3 + 4 * k) for k in range(reps)]
    # the filter leaves a cubic course of the speed; the rest of the onset's shape is 1 % of a turn
    assert_limits(found(moves), limits(moves, *turns), 0.02 + 0.012 * turn_s)


@pytest.mark.parametrize("reps", [1, 2, 200])
def test_every_count_is_found(reps):
    assert len(found(drill(reps, 32.0, 1.0, 0.5, 1.0, 0.5))) == reps


@given(st.integers(0, 999))
def test_noise_hardly_moves_the_limits(seed):
    moves = drill(5, 32.0)
    turns = [(1 + 4 * k, 3 + 4 * k) for k in range(5)]
    # 0.015 deg/s/root Hz of a consumer sensor, two of them; the project's budget is 0.06 s
    assert_limits(found(moves, noise_deg=0.02, seed=seed), limits(moves, *turns), 0.06)


def test_uneven_repetitions_are_all_found():
    sizes = [32, 25, 40, 18, 30, 36, 22]
    moves = [*STILL, *((2.0, t) for size in sizes for t in (size, size, 0.0, 0.0)), (1.0, 0.0)]
    assert len(found(moves)) == len(sizes)


def test_peaks_are_those_of_minimum_jerk():
    rep = found(drill(1, 32.0, 2.0, 1.0, 4.0))[0]
    assert np.rad2deg(rep.peak_inward_rads) == pytest.approx(32 / 2 * 15 / 8, rel=0.01)
    assert np.rad2deg(rep.peak_return_rads) == pytest.approx(32 / 4 * 15 / 8, rel=0.01)


def test_a_stop_half_way_in_is_part_of_the_turn():
    """Two stages; the turn begins with the first and ends with the second."""
    moves = [*STILL, (1.2, 15.0), (0.6, 15.0), (1.2, 32.0), (1.0, 32.0), (2.0, 0.0), (2.0, 0.0)]
    rep = found(moves * 1)[0]
    # each stage has a peak of its own, 17 / 15 apart: the first's edge lies a little later
    assert rep.start_s == pytest.approx(3.0 + edge() * 1.2, abs=0.03)
    assert rep.hold_start_s == pytest.approx(6.0 - edge() * 1.2, abs=0.03)


@pytest.mark.parametrize(
    ("size", "depth", "count"), [(32, 3, 2), (32, 6, 3), (10, 4, 2), (60, 10, 2)]
)
def test_bounces_belong_to_the_hold(size, depth, count):
    bounce = [(0.3, size - depth), (0.3, size)] * count
    rep: Moves = [(2.0, size), *bounce, (0.8, size), (2.0, 0.0), (1.5, 0.0)]
    reps = found([*STILL, *rep, *rep, *rep, (1.0, 0.0)])
    assert len(reps) == 3
    assert reps[0].hold_start_s == pytest.approx(5.0 - edge() * 2.0, abs=0.1)
    assert reps[0].hold_end_s == pytest.approx(5.0 + 0.6 * count + 0.8 + edge() * 2.0, abs=0.1)


@pytest.mark.parametrize("over", [4.0, 8.0, 15.0])
@pytest.mark.parametrize("size", [12.0, 32.0])
def test_an_overshoot_after_a_pause_is_no_repetition(size, over):
    rep: Moves = [
        (2.0, size),
        (1.0, size),
        (2.0, 0.0),
        (0.3, 0.0),
        (0.8, -over),
        (0.8, 0.0),
        (1.0, 0.0),
    ]
    moves = [*STILL, *rep, *rep, *rep, (2.0, 0.0)]
    turns = [(1 + 7 * k, 3 + 7 * k) for k in range(3)]
    assert_limits(found(moves), limits(moves, *turns), 0.06)


def test_a_return_that_runs_on_outward_ends_where_it_turns():
    rep: Moves = [(2.0, 32.0), (1.0, 32.0), (2.0, -8.0), (0.8, 0.0), (1.2, 0.0)]
    moves = [*STILL, *rep, *rep, *rep, (2.0, 0.0)]
    turns = [(1 + 5 * k, 3 + 5 * k) for k in range(3)]
    assert_limits(found(moves), limits(moves, *turns), 0.06)


@pytest.mark.parametrize("size", [2.0, 3.0, 4.0])
def test_twitches_are_no_repetitions(size):
    twitch: Moves = [(0.3, size), (0.3, 0.0), (1.0, 0.0)]
    rep: Moves = [(2.0, 32.0), (1.0, 32.0), (2.0, 0.0), (1.0, 0.0)]
    moves = [*STILL, *twitch, *rep, *twitch, *rep, *twitch, *rep, *twitch]
    assert_limits(found(moves), limits(moves, (4, 6), (11, 13), (18, 20)), 0.06)


def test_twitches_alone_are_no_set():
    assert found([*STILL, *([(0.3, 3.0), (0.3, 0.0), (2.0, 0.0)] * 5)]) == []


def test_stillness_alone_is_no_set():
    assert found([(20.0, 0.0)], noise_deg=0.02) == []


@pytest.mark.parametrize("drift", [8.0, -8.0])
@pytest.mark.parametrize("size", [12.0, 32.0])
def test_a_neutral_that_drifts_is_followed(size, drift):
    moves, at = [*STILL], 0.0
    for k in range(1, 9):
        home = drift * k / 8
        moves += [(2.0, at + size), (1.0, at + size), (2.0, home), (1.0, home)]
        at = home
    turns = [(1 + 4 * k, 3 + 4 * k) for k in range(8)]
    assert_limits(found([*moves, (1.0, at)]), limits(moves, *turns), 0.06)


def test_repetitions_without_any_pause_are_told_apart():
    moves = [*STILL, *([(1.5, 32.0), (1.5, 0.0)] * 6), (2.0, 0.0)]
    turns = [(1 + 2 * k, 2 + 2 * k) for k in range(6)]
    assert_limits(found(moves), limits(moves, *turns), 0.06)


@pytest.mark.parametrize(
    ("until_s", "held"),
    [(4.4, False), (5.6, True), (7.0, True)],
    ids=["during the turn", "during the hold", "during the return"],
)
def test_a_recording_that_ends_within_a_repetition_says_so(until_s, held):
    rep: Moves = [(2.0, 32.0), (1.0, 32.0), (2.0, 0.0), (1.0, 0.0)]
    moves = [*STILL, *rep, *rep]
    angle = np.deg2rad(course(lasting(moves), moves))[: int((6.0 + until_s) * GRID_HZ)]
    reps = find_repetitions(angle, int(1.0 * GRID_HZ))
    assert [rep.broken_off for rep in reps] == [False, True]
    last = reps[-1]
    assert last.start_s == pytest.approx(9.0 + edge() * 2.0, abs=0.06)
    assert last.end_s == pytest.approx(len(angle) / GRID_HZ, abs=0.03)
    assert np.isfinite(last.hold_start_s) == held
    if held:
        assert last.hold_start_s == pytest.approx(11.0 - edge() * 2.0, abs=0.06)


def test_what_lies_before_the_stillness_does_not_count():
    moves: Moves = [(1.0, 0.0), (1.0, 20.0), (1.0, 0.0), (3.0, 0.0), *drill(3, 32.0)]
    angle = np.deg2rad(course(lasting(moves), moves))
    assert len(find_repetitions(angle, int(4.0 * GRID_HZ))) == 3


@given(st.floats(1.0, 3.0))
def test_a_longer_movement_is_the_same_movement_slower(times):
    slow = [(duration_s * times, target) for duration_s, target in drill(2, 32.0)]
    for a, b in zip(found(drill(2, 32.0)), found(slow), strict=True):
        assert b.start_s == pytest.approx(times * a.start_s, abs=0.03 * times)
        assert b.end_s == pytest.approx(times * a.end_s, abs=0.03 * times)


def test_the_speed_of_a_cubic_course_is_exact():
    time_s = np.arange(0, 4, 1 / GRID_HZ)
    rate = speed(2.0 * time_s**3 - time_s, 0.5)
    inside = slice(50, -50)
    np.testing.assert_allclose(rate[inside], (6.0 * time_s**2 - 1.0)[inside], atol=1e-9)


def test_the_window_follows_the_phase_within_its_limits():
    windows = [phase_window_s(duration_s) for duration_s in (0.1, 0.5, 2.0, 5.0, 20.0)]
    assert windows == sorted(windows)
    assert windows[0] > 0.05
    assert windows[-1] == windows[-2]
