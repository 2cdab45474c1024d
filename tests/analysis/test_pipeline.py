"""From a session to its analysis, end to end, on simulated visits with their truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.motion.grid import GRID_HZ
from analysis.pipeline import Analysis, analyse
from analysis.sets import analyse_set
from analysis.settings import Settings
from imu.errors import RecordingError
from imu.recording import Recording
from imu.samples import Stream
from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator.sessions import (
    Marker,
    SessionSettings,
    SimulatedSession,
    simulate_session,
)
from tests.benchmarks.scoring import score_set

SENSORS = SensorSettings(rate_hz=60, gyr_noise_deg_s_rthz=0.015, gyr_bias_deg_s=0.8)
STIFF = DrillSettings(reps=6, range_deg=22.0)
SUPPLE = DrillSettings(reps=6, range_deg=36.0)


def simulated_visit(**changes: object) -> SimulatedSession:
    settings = SessionSettings({"left": STIFF, "right": SUPPLE}, SENSORS, seed=5)
    return simulate_session("visit", replace(settings, **changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def visit() -> SimulatedSession:
    return simulated_visit(markers=(Marker("left", "pinch", 4, "front", rep=3),))


@pytest.fixture(scope="module")
def analysis(visit: SimulatedSession) -> Analysis:
    return analyse(visit.session, Settings())


def test_both_sides_are_found_in_order(analysis: Analysis, visit: SimulatedSession) -> None:
    assert [one.name for one in analysis.sets] == ["left", "right"]
    for one in analysis.sets:
        assert [rep.rep for rep in one.reps] == list(range(1, 7))
        assert len(visit.truths[one.name].reps) == 6


def test_the_sides_differ_by_what_they_differ(analysis: Analysis, visit: SimulatedSession) -> None:
    means = {
        name: np.mean([rep.rom_deg for rep in truth.reps]) for name, truth in visit.truths.items()
    }
    compared = next(one for one in analysis.comparisons if one.measure == "rom_deg")
    # 0.2 deg is the project's budget for the difference of the sides
    assert compared.difference == pytest.approx(means["right"] - means["left"], abs=0.4)
    assert compared.verdict == "different"


def test_alike_sides_are_matched() -> None:
    both = {"left": SUPPLE, "right": SUPPLE}
    session = simulated_visit(sets=both).session
    compared = next(
        one for one in analyse(session, Settings()).comparisons if one.measure == "rom_deg"
    )
    assert compared.verdict == "matched"


def test_a_single_side_is_analysed_without_a_comparison(visit: SimulatedSession) -> None:
    alone = replace(visit.session, recordings=visit.session.recordings[:1], events=())
    analysis = analyse(alone, Settings())
    assert len(analysis.sets) == 1
    assert analysis.comparisons == ()


def test_markers_fall_into_their_repetition(analysis: Analysis) -> None:
    assert [one.rep for one in analysis.markers] == [3]


def test_the_numbers_on_the_grid_are_those_of_the_rows(analysis: Analysis) -> None:
    for one in analysis.sets:
        time_s = one.angles.time_s
        assert len(one.rep_numbers) == len(time_s)
        for rep in one.reps:
            own = time_s[one.rep_numbers == rep.rep]
            assert own[0] == pytest.approx(rep.start_s, abs=1 / GRID_HZ)
            assert own[-1] == pytest.approx(rep.end_s, abs=1 / GRID_HZ)


def test_angles_are_zero_at_neutral(analysis: Analysis) -> None:
    for one in analysis.sets:
        before = one.angles.time_s < one.reps[0].start_s - 0.3
        for name in ("ir_deg", "flexion_deg", "adduction_deg", "pelvis_tilt_deg"):
            # breathing and wander of some tenths go on in stillness
            assert abs(getattr(one.angles, name)[before].mean()) < 0.2, name


def test_a_trunk_lean_makes_tilt_and_obliquity_right() -> None:
    """The sensor is 8 degrees off flat: the lean finds what the sensor's face does not tell."""
    drill = replace(SUPPLE, pelvis_tilt_deg=8.0, pelvis_obliquity_deg=0.5)
    sensors = replace(SENSORS, pelvis_off_flat_deg=8.0)
    errors = {}
    for leaned in (False, True):
        visit = simulated_visit(sets={"right": drill}, sensors=sensors, calibration=leaned)
        found = analyse(visit.session, Settings()).sets[0]
        errors[leaned] = np.mean(
            [
                abs(rep.pelvis_obliquity_deg - true.pelvis_obliquity_deg)
                for rep, true in zip(found.reps, visit.truths["right"].reps, strict=True)
            ]
        )
    assert errors[True] < 0.25
    assert errors[True] < errors[False]


def test_a_gap_voids_exactly_the_repetition_it_lies_in() -> None:
    _, truth = simulate_set(SUPPLE, SENSORS, "right", 8)
    hit = truth.reps[2]
    middle_s = truth.first_s + 0.5 * (hit.start_s + hit.end_s)
    for segment in ("pelvis", "thigh"):
        sensors = replace(SENSORS, **{f"{segment}_gaps": ((middle_s - 0.4, 0.8),)})
        recording, _ = simulate_set(SUPPLE, sensors, "right", 8)
        reps = analyse_set(recording, Settings()).reps
        assert [rep.rep for rep in reps if rep.verdict == "not_counted"] == [3]
        assert "gap" in reps[2].flags


@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_a_set_broken_off_keeps_what_came_before(share: float) -> None:
    recording, truth = simulate_set(replace(SUPPLE, broken_off=share), SENSORS, "left", 9)
    score = score_set(recording, truth)
    assert (score.missed, score.invented) == ((), ())
    verdicts = [pair.found.verdict for pair in score.pairs]
    assert verdicts == ["clean"] * 5 + ["not_counted"]
    assert "broken_off" in score.pairs[-1].found.flags


@pytest.mark.parametrize("turn_s", [4.0, 9.0])
def test_very_slow_sets_are_no_stillness(turn_s: float) -> None:
    slow = replace(SUPPLE, reps=3, inward_s=turn_s, return_s=turn_s, hold_s=1.5)
    score = score_set(*simulate_set(slow, SENSORS, "right", 10))
    assert (score.refusal, score.missed, score.invented) == ("", (), ())
    assert np.abs(score.errors("rom_deg")).max() < 0.6


def cut(recording: Recording, begin_s: float, end_s: float) -> Recording:
    """Part of a recording, from and to some times after its first sample."""
    streams = {}
    for name, one in recording.streams.items():
        since = one.time_s - one.time_s[0]
        keep = (since >= begin_s) & (since < end_s)
        streams[name] = Stream(name, one.time_s[keep], one.acc_ms2[keep], one.gyr_rads[keep])
    return replace(recording, streams=streams)


def test_a_set_that_ends_before_the_first_turn_is_refused() -> None:
    recording, truth = simulate_set(SUPPLE, replace(SENSORS, rate_hz=30), "left", 11)
    assert_refused(cut(recording, 0.0, truth.reps[0].start_s), "no repetition")


def test_someone_who_never_sits_still_is_refused() -> None:
    restless = replace(
        SUPPLE, still_before_s=0.1, hold_s=0.0, pause_s=0.0, still_after_s=0.0, inward_s=1.0
    )
    recording, _ = simulate_set(replace(restless, return_s=1.0), SENSORS, "left", 11)
    assert_refused(recording, "no still moment")


def assert_refused(recording: Recording, what: str) -> None:
    with pytest.raises(AnalysisError, match=rf"^left\.csv: .*{what}") as error:
        analyse_set(recording, Settings())
    assert error.value.exit_status == 3
    assert "\n" not in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize("kind", ["zeros", "noise", "constant", "spinning"])
def test_nonsense_is_refused_or_graded_poor_never_a_crash(kind: str) -> None:
    """Sensors lying on a table, thrown about, or broken; every such file is met one day."""
    rng = np.random.default_rng(1)
    time_s = np.arange(0, 30, 1 / 60)
    shape = (len(time_s), 3)
    gravity = np.tile([0.0, 0.0, 9.81], (len(time_s), 1))
    made = {
        "zeros": (np.zeros(shape), np.zeros(shape)),
        "noise": (rng.normal(0, 9, shape), rng.normal(0, 3, shape)),
        "constant": (gravity, np.zeros(shape)),
        "spinning": (gravity, np.tile([0.0, 0.0, 2.0], (len(time_s), 1))),
    }
    streams = {name: Stream(name, time_s, *made[kind]) for name in ("pelvis", "thigh")}
    recording = Recording("left", "left", "left.csv", streams)
    with pytest.raises(RecordingError, match=r"^left\.csv"):
        analyse_set(recording, Settings())
