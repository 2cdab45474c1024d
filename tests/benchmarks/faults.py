"""What people and devices do wrong, at random: ``python -m tests.benchmarks.faults [--sets N]``.

Every row spoils sound simulated sets in one way, of random size, at random times, on either sensor
and side, and asks: was it said (by a code, or a refusal that names it); was any figure that was
graded ``good`` outside its stated uncertainty; how far off the counted ranges are. The first row is
the same sets unspoilt: whatever is said there is a false alarm.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.reasons import GRADES
from analysis.sets import SetAnalysis, analyse_sets
from analysis.settings import Settings
from imu.errors import RecordingError
from imu.recording import Event, Recording
from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator import faults as spoiling
from imu.simulator.sessions import simulate_lean
from imu.simulator.simulated_set import Truth

Rng = np.random.Generator
QUIET = {"left_out", "short_stillness", "coverage", "pelvis_turned", "lift_unseen"}


@dataclass
class Case:
    """One sound set, and what stands beside it."""

    recording: Recording
    truth: Truth
    rng: Rng
    lean: Recording | None = None
    events: tuple[Event, ...] = ()

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def rest_s(self) -> float:
        """A moment in a rest between two repetitions that have others on both sides."""
        at = int(self.rng.integers(1, len(self.truth.reps) - 1))
        before, after = self.truth.reps[at - 1].end_s, self.truth.reps[at].start_s
        return self.uniform(before + 0.1, max(after - 0.4, before + 0.15))

    def segment(self) -> str:
        return str(self.rng.choice(["pelvis", "thigh"]))

    def turn_rad(self, low_deg: float, high_deg: float) -> np.ndarray:
        axis = self.rng.normal(size=3)
        return axis / np.linalg.norm(axis) * np.deg2rad(self.uniform(low_deg, high_deg))


Spoil = Callable[[Case], Recording]


def turned_pelvis(recording: Recording) -> Recording:
    """The pelvis sensor worn back to front."""
    stream = recording.streams["pelvis"]
    half = np.array([1.0, -1.0, -1.0])
    changed = replace(stream, acc_ms2=stream.acc_ms2 * half, gyr_rads=stream.gyr_rads * half)
    return spoiling.with_stream(recording, changed)


def scaled(case: Case) -> Recording:
    name = case.segment()
    stream = case.recording.streams[name]
    factor = 1.0 + case.uniform(0.12, 0.3) * case.rng.choice([-1.0, 1.0])
    return spoiling.with_stream(case.recording, replace(stream, gyr_rads=stream.gyr_rads * factor))


def fast_clock(case: Case) -> Recording:
    factor = case.uniform(1.1, 2.0)
    streams = {
        name: replace(stream, time_s=stream.time_s * factor)
        for name, stream in case.recording.streams.items()
    }
    return replace(case.recording, streams=streams)


def rounded(case: Case) -> Recording:
    streams = {
        name: replace(stream, time_s=stream.time_s.round(3) + 1e-9 * np.arange(len(stream.time_s)))
        for name, stream in case.recording.streams.items()
    }
    return replace(case.recording, streams=streams)


def backlog(case: Case) -> Recording:
    """The computer sleeps; all comes at once when it wakes."""
    first_s, lasts_s = case.uniform(3.0, 12.0), case.uniform(3.0, 20.0)
    base_s = min(float(s.arrival_s[0]) for s in case.recording.streams.values())
    streams = {}
    for name, stream in case.recording.streams.items():
        arrival_s = stream.arrival_s.copy()
        held = (arrival_s - base_s > first_s) & (arrival_s - base_s < first_s + lasts_s)
        arrival_s[held] = base_s + first_s + lasts_s + 1e-5 * np.arange(held.sum())
        streams[name] = replace(stream, arrival_s=np.maximum.accumulate(arrival_s))
    return replace(case.recording, streams=streams)


def late_thigh(case: Case) -> Recording:
    lag_s = case.uniform(0.3, 1.5) * case.rng.choice([-1.0, 1.0])
    stream = case.recording.streams["thigh"]
    return spoiling.with_stream(case.recording, replace(stream, time_s=stream.time_s + lag_s))


def jumped(case: Case) -> Recording:
    stream = case.recording.streams["thigh"]
    later = stream.time_s - stream.time_s[0] > case.rest_s()
    time_s = stream.time_s + case.uniform(0.5, 2.0) * later
    return spoiling.with_stream(case.recording, replace(stream, time_s=time_s))


def in_mid_turn(case: Case) -> Recording:
    first = case.truth.reps[0]
    assert first.hold_end_s is not None
    return spoiling.begun_late(
        case.recording, case.uniform(first.start_s + 0.3, first.hold_end_s - 0.1)
    )


def slid(case: Case) -> Recording:
    """A strap that slides slowly over the whole set."""
    turn_rad = case.turn_rad(8.0, 14.0)
    return spoiling.slipped(case.recording, case.segment(), 3.0, turn_rad, lasts_s=25.0)


@dataclass(frozen=True)
class Row:
    """A way to spoil a set.

    ``said`` holds the codes of which one must be given, or ``refused``; empty where nothing is
    wrong with the samples and the figures must be right.
    """

    name: str
    spoil: Spoil
    said: frozenset[str] = frozenset()
    lifts: int = 0
    lean: bool = False
    arrivals: bool = False
    sensors: dict[str, float] = field(default_factory=dict)


def row(name: str, spoil: Spoil, *said: str, **more: object) -> Row:
    return Row(name, spoil, frozenset(said), **more)  # type: ignore[arg-type]


ROWS = (
    row("unspoilt", lambda c: c.recording),
    row("unspoilt, with a lift", lambda c: c.recording, lifts=1),
    row(
        "pelvis and thigh sensor exchanged",
        lambda c: spoiling.exchanged(c.recording),
        "sensors_swapped",
        "refused",
    ),
    row(
        "one stream under both names",
        lambda c: spoiling.with_stream(
            c.recording, replace(c.recording.streams["thigh"], segment="pelvis")
        ),
        "refused",
    ),
    row(
        "rows of the pelvis among the thigh's",
        lambda c: spoiling.mixed(c.recording, int(c.rng.integers(2, 12)), 5.0, c.uniform(6, 20)),
        "refused",
        "jumps",
    ),
    row("begun in mid-turn", in_mid_turn, "direction_doubtful", "short_stillness", "refused"),
    row(
        "the other leg, with a lift",
        lambda c: spoiling.other_side(c.recording),
        "side_doubtful",
        lifts=1,
    ),
    row(
        "strap slips in a rest, 8 to 30°",
        lambda c: spoiling.slipped(c.recording, c.segment(), c.rest_s(), c.turn_rad(8, 30)),
        "thigh_moved",
        "pelvis_moved",
    ),
    row(
        "thigh sensor turned over in a rest",
        lambda c: spoiling.slipped(c.recording, "thigh", c.rest_s(), c.turn_rad(180, 180)),
        "thigh_moved",
    ),
    row("strap slides slowly, 8 to 14°", slid, "thigh_moved", "pelvis_moved", "uncertain"),
    row(
        "pelvis sensor back to front, with a lean",
        lambda c: turned_pelvis(c.recording),
        "pelvis_backward",
        lean=True,
    ),
    row(
        "accelerometers of the other sign, lean and lift",
        lambda c: spoiling.acc_negated(c.recording),
        "acc_sign",
        lean=True,
        lifts=1,
    ),
    row(
        "link dead, last packet repeated",
        lambda c: spoiling.dead_link(
            c.recording, c.segment(), c.uniform(9, 25), int(c.rng.integers(1, 10))
        ),
        "frozen",
    ),
    row(
        "gyroscope 0 from a moment on",
        lambda c: spoiling.dead_gyroscope(c.recording, c.segment(), c.uniform(8, 16), 1e9),
        "frozen",
    ),
    row(
        "values held for 0.1 to 0.4 s",
        lambda c: spoiling.held(c.recording, c.segment(), c.uniform(5, 20), c.uniform(0.1, 0.4)),
        "frozen",
    ),
    row(
        "every value in several rows",
        lambda c: spoiling.written_times(c.recording, int(c.rng.integers(2, 7))),
        "low_rate",
        "refused",
    ),
    row("gyroscope off by 12 to 30 %", scaled, "scale"),
    row("clock 10 to 100 % fast", fast_clock, "scale", "refused", "axes_odd"),
    row("times in whole ms", rounded),
    row("the computer sleeps for 3 to 20 s", backlog, arrivals=True),
    row("sensors out of step by 0.3 to 1.5 s", late_thigh, "out_of_step", "refused"),
    row("one clock jumps by 0.5 to 2 s in mid-set", jumped, "out_of_step", "refused"),
    row(
        "a pause of 15 to 90 s",
        lambda c: spoiling.paused(c.recording, c.rest_s(), c.uniform(15, 90)),
        "gap",
    ),
)


def drawn(row: Row, seed: int) -> Case:
    """A sound set of random shape."""
    rng = np.random.default_rng([seed, 99])
    side = str(rng.choice(["left", "right"]))
    drill = DrillSettings(
        reps=5,
        range_deg=float(rng.uniform(14, 45)),
        inward_s=float(rng.uniform(1.0, 3.0)),
        hold_s=float(rng.uniform(0.4, 1.5)),
        return_s=float(rng.uniform(1.0, 3.0)),
        pause_s=float(rng.uniform(0.7, 2.0)),
        pelvis_tilt_deg=float(rng.uniform(0, 5)),
        pelvis_obliquity_deg=float(rng.uniform(0, 5)),
        pelvis_rotation_deg=float(rng.uniform(-5, 5)),
        hip_flexion_deg=float(rng.uniform(0, 4)),
        hip_adduction_deg=float(rng.uniform(0, 4)),
        off_level_deg=float(rng.uniform(-12, 12)),
        sway_deg=float(rng.uniform(0, 0.8)),
        mixed_signs=True,
        lifts=row.lifts,
        lift_deg=float(rng.uniform(6, 18)),
    )
    sensors = SensorSettings(
        rate_hz=float(rng.choice([60.0, 100.0, 104.0, 208.0])),
        gyr_bias_deg_s=float(rng.uniform(0.1, 2.0)),
        gyr_noise_deg_s_rthz=float(rng.uniform(0.005, 0.02)),
        acc_bias_mg=float(rng.uniform(0, 20)),
        gyr_scale_sd=0.004,
        arrivals=row.arrivals,
    )
    set_seed = int(np.random.SeedSequence([seed, *side.encode()]).generate_state(1)[0])
    recording, truth = simulate_set(drill, sensors, side, set_seed, side, seed)
    lean = simulate_lean(drill, sensors, side, seed) if row.lean else None
    events = ()
    if truth.plan.lift_s is not None:
        events = (Event(side, truth.plan.lift_s - truth.first_s, "lift"),)
    return Case(recording, truth, rng, lean, events)


def outside(found: SetAnalysis, truth: Truth, shifted: bool) -> tuple[int, list[float]]:
    """Counted ranges beyond their stated uncertainty, and all errors [deg]."""
    counted = [rep for rep in found.reps if rep.counts and rep.rom_deg is not None]
    true = np.array([rep.rom_deg for rep in truth.reps])
    if len(counted) == len(true):
        errors = [abs(rep.rom_deg - t) for rep, t in zip(counted, true, strict=True)]
    elif shifted:
        errors = [float(np.abs(true - rep.rom_deg).min()) for rep in counted]
    else:
        starts = np.array([rep.start_s for rep in truth.reps])
        nearest = [int(np.abs(starts - rep.start_s).argmin()) for rep in counted]
        errors = [abs(rep.rom_deg - true[at]) for rep, at in zip(counted, nearest, strict=True)]
    bands = [rep.rom_uncertainty_deg or 0.0 for rep in counted]
    return sum(e > 1.5 * b + 0.1 for e, b in zip(errors, bands, strict=True)), errors


def run(row: Row, sets: int) -> None:
    """Print one line of the table."""
    said, falsely_good, grades, errors = 0, 0, dict.fromkeys((*GRADES, "refused"), 0), []
    shifted = row.name in ("begun in mid-turn", "clock 10 to 100 % fast")
    for seed in range(sets):
        case = drawn(row, seed)
        try:
            spoilt = row.spoil(case)
            lean = case.lean
            if lean is not None and row.said & {"pelvis_backward"}:
                lean = turned_pelvis(lean)
            elif lean is not None:
                lean = spoiling.acc_negated(lean)
            (found,) = analyse_sets([spoilt], Settings(), lean, case.events)
        except RecordingError:
            said += "refused" in row.said
            grades["refused"] += 1
            continue
        codes = set(found.quality.codes)
        said += bool(codes & row.said) if row.said else bool(codes - QUIET)
        grades[found.quality.grade] += 1
        wrong, off = outside(found, case.truth, shifted)
        errors += off
        falsely_good += found.quality.grade == "good" and wrong > 0
    share = 100.0 * said / sets
    worst = f"{np.percentile(errors, 95):7.2f}" if errors else "      –"  # noqa: RUF001
    told = " ".join(f"{n:4d}" for n in grades.values())
    print(f"{row.name:48s} {share:6.0f} {told} {falsely_good:10d} {worst}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--only", default="", help="rows whose name holds this")
    call = parser.parse_args()
    print(f"{'what was wrong':48s} said % good fair poor refu good, wrong  95 % off, deg")
    for one in ROWS:
        if call.only in one.name:
            run(one, call.sets)


if __name__ == "__main__":
    main()
