"""What must not change a result: where the room faces, how sensors are worn, which side it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline
from scipy.spatial.transform import Rotation

from analysis.sets import SetAnalysis, analyse_set
from analysis.settings import Settings
from imu.recording import Recording
from imu.samples import Stream
from imu.simulator.presets import PRESETS
from imu.simulator.sensors import sample
from tests.conditions import Case

ANGLES = (
    *("rom_deg", "peak_ir_deg", "return_error_deg", "hip_flexion_deg", "hip_adduction_deg"),
    *("pelvis_tilt_deg", "pelvis_obliquity_deg", "pelvis_rotation_deg", "pelvis_drift_deg"),
)
EXACT_DEG = 0.005  # what an iterated axis and rounding may leave
ALIKE_DEG = 0.1  # the project's own limit, where samples are made anew
OTHER = {"left": "right", "right": "left"}


def analysed(recording: Recording) -> SetAnalysis:
    return analyse_set(recording, Settings())


def with_stream(recording: Recording, stream: Stream) -> Recording:
    return replace(recording, streams={**recording.streams, stream.segment: stream})


def remounted(recording: Recording, segment: str, turn: Rotation) -> Recording:
    """The same movement seen by a sensor that was put on turned."""
    one = recording.streams[segment]
    return with_stream(
        recording, replace(one, acc_ms2=turn.apply(one.acc_ms2), gyr_rads=turn.apply(one.gyr_rads))
    )


def mirrored(recording: Recording) -> Recording:
    """The same movement seen in a mirror, so of the other side.

    A mirror turns an angular velocity round (it is an axial vector) and makes the sensors' axes
    left-handed; turning their x axis round as well makes them right-handed again.
    """
    flip = np.array([-1.0, 1.0, 1.0])
    streams = {
        name: replace(one, acc_ms2=flip * one.acc_ms2, gyr_rads=-flip * one.gyr_rads)
        for name, one in recording.streams.items()
    }
    return replace(recording, side=OTHER[recording.side], streams=streams)


def resampled(recording: Recording, rate_hz: float) -> Recording:
    """Samples at another rate, read off a cubic through those there are."""
    streams = {}
    for name, one in recording.streams.items():
        time_s = np.arange(one.time_s[0], one.time_s[-1], 1 / rate_hz)
        acc, gyr = (
            make_interp_spline(one.time_s, values)(time_s) for values in (one.acc_ms2, one.gyr_rads)
        )
        streams[name] = Stream(name, time_s, acc, gyr)
    return replace(recording, streams=streams)


def every_second(recording: Recording) -> Recording:
    streams = {
        name: Stream(name, one.time_s[::2], one.acc_ms2[::2], one.gyr_rads[::2])
        for name, one in recording.streams.items()
    }
    return replace(recording, streams=streams)


def shifted(recording: Recording, by_s: float) -> Recording:
    streams = {
        name: replace(one, time_s=one.time_s + by_s) for name, one in recording.streams.items()
    }
    return replace(recording, streams=streams)


def assert_same(a: SetAnalysis, b: SetAnalysis, angle_deg: float, time_s: float) -> None:
    assert len(a.reps) == len(b.reps) > 0
    for one, other in zip(a.reps, b.reps, strict=True):
        assert one.flags == other.flags
        assert one.verdict == other.verdict
        for name in ANGLES:
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=angle_deg), name
        for name in ("start_s", "hold_start_s", "hold_end_s", "end_s"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=time_s), name


CHANGES: dict[str, Callable[[Recording], Recording]] = {
    "thigh strapped on the other way round": lambda r: remounted(
        r, "thigh", Rotation.from_euler("xyz", [170, -35, 80], degrees=True)
    ),
    "thigh turned by a quarter": lambda r: remounted(
        r, "thigh", Rotation.from_euler("x", 90, degrees=True)
    ),
    "pelvis turned about its z": lambda r: remounted(
        r, "pelvis", Rotation.from_euler("z", 137, degrees=True)
    ),
    "seen in a mirror": mirrored,
    "another origin of time": lambda r: shifted(r, 98765.4321),
    "the sensors in the other order": lambda r: replace(
        r, streams=dict(reversed(r.streams.items()))
    ),
}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_nothing_changes_with(change: str, side: str, request: pytest.FixtureRequest) -> None:
    case: Case = request.getfixturevalue(side)
    before, after = analysed(case.recording), analysed(CHANGES[change](case.recording))
    assert_same(before, after, EXACT_DEG, 0.002)


@pytest.mark.parametrize("side", ["left", "right"])
def test_where_the_room_faces_does_not_matter(side: str, request: pytest.FixtureRequest) -> None:
    """The person sits facing elsewhere; the same noise, so that it is the same measurement."""
    case: Case = request.getfixturevalue(side)
    sensors = PRESETS[case.condition].sensors
    results = []
    for turned_rad in (0.0, 2.1):
        motion = replace(case.truth.motion, heading_rad=case.truth.motion.heading_rad + turned_rad)
        streams = {
            segment: sample(
                motion,
                segment,
                replace(worn, rng=np.random.default_rng(7)),
                sensors,
                case.truth.plan.end_s,
            ).stream
            for segment, worn in case.truth.worn.items()
        }
        results.append(analysed(replace(case.recording, streams=streams)))
    assert_same(*results, EXACT_DEG, 0.002)


@pytest.mark.parametrize("side", ["left", "right"])
def test_sampling_at_120_hz_changes_no_range(side: str, request: pytest.FixtureRequest) -> None:
    case: Case = request.getfixturevalue(side)
    finer = resampled(case.recording, 120.0)
    assert_same(analysed(case.recording), analysed(finer), ALIKE_DEG, 0.02)


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_second_sample_changes_no_range(side: str, request: pytest.FixtureRequest) -> None:
    case: Case = request.getfixturevalue(side)
    fine = resampled(case.recording, 120.0)
    assert_same(analysed(fine), analysed(every_second(fine)), ALIKE_DEG, 0.02)


def test_what_is_unknown_to_the_analysis_is_left_alone(left: Case) -> None:
    """A magnetometer and a shank sensor must not move a figure."""
    rng = np.random.default_rng(0)
    streams = {
        name: replace(one, mag_ut=rng.normal(0, 30, one.acc_ms2.shape))
        for name, one in left.recording.streams.items()
    }
    thigh = left.recording.streams["thigh"]
    streams["shank"] = replace(thigh, segment="shank", acc_ms2=thigh.acc_ms2[:, ::-1])
    more = replace(left.recording, streams=streams)
    assert_same(analysed(left.recording), analysed(more), 1e-9, 1e-9)


def test_the_same_recording_gives_the_same_figures(left: Case) -> None:
    before = {name: one.acc_ms2.copy() for name, one in left.recording.streams.items()}
    assert analysed(left.recording).reps == analysed(left.recording).reps
    for name, acc in before.items():
        np.testing.assert_array_equal(acc, left.recording.streams[name].acc_ms2)
