"""Angles made by hand, limits given: every column by its definition."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.motion.angles import HipAngles
from analysis.motion.grid import GRID_HZ
from analysis.motion.uncertainty import AngleError, SensorError
from analysis.repetitions.detection import Phases
from analysis.repetitions.measures import Repetition, SetContext, measure_repetition, phase_speed
from analysis.settings import Settings
from tests.analysis.motions import course, ramp

ORIGIN_S = 0.37  # of the grid on the set's common time
PHASES = Phases(2.0, 4.0, 5.0, 8.0, 0.5, 0.3, False)
TIME_S = np.arange(0, 14, 1 / GRID_HZ)
SENSOR = SensorError(1e-4, 1e-5, 1e-3)
ERROR = AngleError(SENSOR, SENSOR, 0.01, 0.003, 0.03)
MOVES = [(2.0, 1.0), (2.0, 33.0), (1.0, 33.0), (3.0, 2.0), (9.0, 2.0)]
FLAGGED = ("pelvis_tilt", "pelvis_obliquity", "pelvis_rotation", "hip_flexion", "hip_adduction")


def turning(moves: list[tuple[float, float]]) -> np.ndarray:
    """A course that starts at the first target instead of moving there."""
    return course(TIME_S, [(1e-9, moves[0][1]), (moves[0][0] - 1e-9, moves[0][1]), *moves[1:]])


def made(ir_deg: np.ndarray | None = None, **courses: np.ndarray) -> HipAngles:
    """Angles of a right hip; the pelvis' orientation follows from its three angles."""
    zero = 0.0 * TIME_S
    names = ("flexion_deg", "adduction_deg")
    planes = ("pelvis_tilt_deg", "pelvis_obliquity_deg", "pelvis_rotation_deg")
    values = {name: courses.get(name, zero) for name in (*names, *planes)}
    tilt, obliquity, rotation = (values[name] for name in planes)
    turns = np.column_stack([-tilt, -obliquity, rotation])
    quat = Rotation.from_euler("ZXY", turns, degrees=True).as_quat(scalar_first=True)
    ir_deg = turning(MOVES) if ir_deg is None else ir_deg
    measured = np.ones(len(TIME_S), dtype=bool)
    quats = {"pelvis_quat": quat, "femur_quat": quat}
    return HipAngles(ORIGIN_S + TIME_S, ir_deg, **values, **quats, measured=measured)


def measure(
    angles: HipAngles | None = None,
    phases: Phases = PHASES,
    gaps_s: np.ndarray | None = None,
    settings: Settings | None = None,
    until_s: float = np.inf,
) -> Repetition:
    gaps_s = np.empty((0, 2)) if gaps_s is None else gaps_s
    context = SetContext(
        "right-2", "right", angles or made(), ERROR, gaps_s, settings or Settings()
    )
    return measure_repetition(context, phases, 3, until_s)


def bump(size: float, begin_s: float = 2.0, end_s: float = 8.0) -> np.ndarray:
    """0 until one instant, up to a size half-way, back to 0 at the other."""
    middle = 0.5 * (begin_s + end_s)
    up = ramp((TIME_S - begin_s) / (middle - begin_s))
    return np.asarray(size * (up - ramp((TIME_S - middle) / (end_s - middle))))


def test_times_are_on_the_sets_common_time():
    rep = measure()
    assert (rep.side, rep.set, rep.rep) == ("right", "right-2", 3)
    times = (rep.start_s, rep.hold_start_s, rep.hold_end_s, rep.end_s)
    np.testing.assert_allclose(times, ORIGIN_S + np.array([2.0, 4.0, 5.0, 8.0]))
    assert (rep.inward_s, rep.hold_s, rep.return_s) == (2.0, 1.0, 3.0)


def test_range_is_the_largest_angle_less_that_at_the_start():
    rep = measure()
    assert rep.rom_deg == pytest.approx(32.0, abs=1e-6)
    assert rep.peak_ir_deg == pytest.approx(33.0, abs=1e-6)
    assert rep.return_error_deg == pytest.approx(1.0, abs=1e-6)


def test_speeds_are_those_of_minimum_jerk():
    rep = measure()
    assert rep.peak_inward_speed_deg_s == pytest.approx(32 / 2 * 15 / 8, rel=0.01)
    assert rep.peak_return_speed_deg_s == pytest.approx(31 / 3 * 15 / 8, rel=0.01)
    assert rep.mean_inward_speed_deg_s == pytest.approx(32 / 2, rel=0.01)
    assert rep.mean_return_speed_deg_s == pytest.approx(31 / 3, rel=0.01)
    assert rep.sparc_inward == pytest.approx(-1.41, abs=0.03)
    assert rep.sparc_return == pytest.approx(-1.41, abs=0.03)


def test_a_faster_return_has_no_influence_on_the_speed_inward():
    brisk = turning([(2.0, 1.0), (2.0, 33.0), (1.0, 33.0), (1.0, 2.0), (9.0, 2.0)])
    rep = measure(made(brisk), replace(PHASES, end_s=6.0))
    assert rep.peak_inward_speed_deg_s == pytest.approx(measure().peak_inward_speed_deg_s, rel=1e-3)
    assert rep.flags == ("dropped",)


@given(st.floats(-8, 8), st.floats(-8, 8), st.floats(-8, 8))
def test_pelvis_columns_are_signed_extremes_against_the_start(tilt, obliquity, rotation):
    """All are 5 degrees off neutral from the beginning, which must not count."""
    rep = measure(
        made(
            pelvis_tilt_deg=5 + bump(tilt),
            pelvis_obliquity_deg=0.5 * bump(obliquity),
            pelvis_rotation_deg=bump(rotation),
        )
    )
    assert rep.pelvis_tilt_deg == pytest.approx(tilt, abs=1e-6)
    assert rep.pelvis_obliquity_deg == pytest.approx(0.5 * obliquity, abs=1e-6)
    assert rep.pelvis_rotation_deg == pytest.approx(rotation, abs=1e-6)
    assert rep.pelvis_residual_deg == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("plane", ["tilt", "obliquity", "rotation"])
def test_drift_is_the_largest_turn_about_any_axis(plane):
    rep = measure(made(**{f"pelvis_{plane}_deg": bump(-4.0)}))
    assert rep.pelvis_drift_deg == pytest.approx(4.0, abs=1e-6)


def test_drift_of_two_planes_is_that_of_the_rotation_not_their_sum():
    rep = measure(made(pelvis_tilt_deg=bump(3.0), pelvis_obliquity_deg=bump(4.0)))
    assert rep.pelvis_drift_deg == pytest.approx(5.0, abs=0.02)  # small angles add as vectors


def test_what_the_pelvis_does_before_and_after_does_not_count():
    apart = bump(9.0, 0.0, 1.9) + bump(9.0, 8.2, 11.0)
    assert measure(made(pelvis_tilt_deg=apart)).pelvis_drift_deg == pytest.approx(0.0, abs=1e-6)


def test_the_residual_is_left_over_at_the_end():
    rep = measure(made(pelvis_rotation_deg=2.0 * ramp((TIME_S - 2.0) / 4.0)))
    assert rep.pelvis_residual_deg == pytest.approx(2.0, abs=1e-6)
    assert rep.pelvis_drift_deg == pytest.approx(2.0, abs=1e-6)


def test_off_axis_movement_is_of_the_thigh():
    rep = measure(made(flexion_deg=3 + bump(4.0), adduction_deg=bump(-6.0)))
    assert rep.hip_flexion_deg == pytest.approx(4.0, abs=1e-6)
    assert rep.hip_adduction_deg == pytest.approx(-6.0, abs=1e-6)


def test_a_quiet_repetition_is_clean_and_has_no_flag():
    rep = measure()
    assert (rep.verdict, rep.flags) == ("clean", ())
    assert rep.counts


@pytest.mark.parametrize("name", FLAGGED)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_beyond_its_limit_in_either_direction_is_compensated(name, sign):
    limit = getattr(Settings(), f"{name}_limit_deg")
    column = f"{name.removeprefix('hip_')}_deg"
    within = measure(made(**{column: bump(sign * (limit - 0.1))}))
    beyond = measure(made(**{column: bump(sign * (limit + 0.1))}))
    assert (within.verdict, within.flags) == ("clean", ())
    assert (beyond.verdict, beyond.flags) == ("compensated", (name,))
    assert beyond.counts


def test_limits_can_be_set():
    angles = made(pelvis_tilt_deg=bump(3.0))
    assert measure(angles, settings=Settings(pelvis_tilt_limit_deg=2.0)).verdict == "compensated"


def test_no_hold_is_flagged_and_still_counts():
    rep = measure(phases=replace(PHASES, hold_end_s=4.3))
    assert "no_hold" in rep.flags
    assert rep.counts


@pytest.mark.parametrize(("depth", "flagged"), [(1.2, False), (2.0, True)])
def test_a_reversal_at_the_end_range_is_a_bounce(depth, flagged):
    dip = depth * (ramp((TIME_S - 4.2) / 0.3) - ramp((TIME_S - 4.5) / 0.3))
    rep = measure(made(turning(MOVES) - dip))
    assert ("bounce" in rep.flags) == flagged


def test_two_stages_are_flagged():
    stages = [(2.0, 1.0), (0.8, 15.0), (0.5, 15.0), (0.7, 33.0), *MOVES[2:]]
    assert "two_stage" in measure(made(turning(stages))).flags
    assert "two_stage" not in measure().flags


def test_fast_and_dropped_are_of_the_speed():
    moves = [(2.0, 1.0), (0.9, 33.0), (2.1, 33.0), (3.0, 2.0), (9.0, 2.0)]
    rep = measure(made(turning(moves)), replace(PHASES, hold_start_s=2.9))
    assert "fast" in rep.flags  # 32 deg in 0.9 s peak at 67 deg/s
    assert "dropped" not in rep.flags


@pytest.mark.parametrize(("end", "flagged"), [(3.5, False), (4.5, True), (-2.5, True)])
def test_a_return_that_ends_elsewhere_is_flagged(end, flagged):
    moves = [*MOVES[:3], (3.0, end), (9.0, end)]
    rep = measure(made(turning(moves)))
    assert ("return_error" in rep.flags) == flagged
    assert rep.return_error_deg == pytest.approx(end - 1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("over", "until_s", "flagged"), [(3.0, 99, False), (6.0, 99, True), (6.0, 8.2, False)]
)
def test_going_outward_after_the_return_is_an_overshoot_unless_it_is_the_next(
    over, until_s, flagged
):
    moves = [*MOVES[:3], (3.0, 1.0), (0.3, 1.0), (0.8, 1.0 - over), (0.8, 1.0), (9.0, 1.0)]
    rep = measure(made(turning(moves)), until_s=until_s)
    assert ("overshoot" in rep.flags) == flagged


# A leg let go swings out and settles within two seconds of its return; what moves outward after
# several seconds of rest is the person shifting, not the end of that turn.
@pytest.mark.parametrize(("rest_s", "flagged"), [(1.2, True), (3.6, False)])
def test_a_swing_outward_belongs_to_the_return_for_two_seconds(rest_s, flagged):
    moves = [*MOVES[:3], (3.0, 1.0), (rest_s, 1.0), (0.8, -5.0), (0.8, 1.0), (9.0, 1.0)]
    assert ("overshoot" in measure(made(turning(moves)), until_s=99).flags) == flagged


@pytest.mark.parametrize(("length_s", "void"), [(0.45, False), (0.55, True)])
def test_more_than_half_a_second_not_measured_voids_it(length_s, void):
    gap = np.array([[ORIGIN_S + 6.0, ORIGIN_S + 6.0 + length_s]])
    rep = measure(gaps_s=gap)
    assert (rep.verdict == "not_counted") == void
    assert ("gap" in rep.flags) == void
    assert (rep.rom_deg is None) == void
    assert rep.inward_s == 2.0  # what is known stays


def test_a_gap_counts_only_as_far_as_it_lies_within():
    beyond = np.array([[ORIGIN_S - 2.0, ORIGIN_S + 2.4], [ORIGIN_S + 7.6, ORIGIN_S + 12.0]])
    assert measure(gaps_s=beyond).verdict == "clean"


def test_two_short_gaps_are_not_one_long_one():
    gaps = ORIGIN_S + np.array([[3.0, 3.4], [6.0, 6.4]])
    assert measure(gaps_s=gaps).verdict == "clean"


@pytest.mark.parametrize("hold", [True, False])
def test_broken_off_has_null_where_nothing_was_seen(hold):
    hold_s = 4.0 if hold else np.nan
    phases = Phases(2.0, hold_s, np.nan, 4.8 if hold else 3.2, 0.5, np.nan, True)
    rep = measure(phases=phases)
    assert rep.verdict == "not_counted"
    assert "broken_off" in rep.flags
    assert "no_hold" not in rep.flags
    for name in ("hold_end_s", "hold_s", "return_s", "return_error_deg", "pelvis_residual_deg"):
        assert getattr(rep, name) is None
    assert rep.peak_return_speed_deg_s is None
    assert (rep.inward_s is None) != hold


def test_no_number_is_ever_nan():
    for rep in (measure(), measure(phases=Phases(2.0, np.nan, np.nan, 3.2, 0.5, np.nan, True))):
        for field in fields(rep):
            value = getattr(rep, field.name)
            assert not (isinstance(value, float) and np.isnan(value)), field.name


def test_uncertainties_are_stated_and_positive():
    rep = measure(made(pelvis_tilt_deg=bump(3.0)))
    for field in fields(rep):
        if field.name.endswith("uncertainty_deg"):
            assert getattr(rep, field.name) > 0.0, field.name


def test_the_speed_within_a_phase_is_not_cut_at_its_edges():
    inside = phase_speed(made().ir_deg, 2.0, 4.0)
    assert len(inside) == 2.0 * GRID_HZ + 1
    assert abs(inside[0]) < 0.5
    assert inside.max() == pytest.approx(30.0, rel=0.01)
    assert len(phase_speed(made().ir_deg, 2.0, np.nan)) == 0
