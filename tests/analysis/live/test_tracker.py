"""The tracker against the offline analysis, whatever the samples come in."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from analysis.live.adopted import Adopted
from analysis.live.motion import PHASES, Motion
from analysis.live.tracker import Tracker
from analysis.sets import analyse_sets
from analysis.settings import Settings
from imu.frames import Batch
from imu.recording import Event, Recording
from imu.simulator import Truth, simulate_set
from imu.transports.replay import batches
from tests.analysis.live.following import Caller, Followed, follow
from tests.conditions import CONDITIONS

KEYS = (
    *("type", "time_s", "ir_deg", "speed_deg_s", "phase", "reps", "sure", "pelvis_tilt_deg"),
    *("pelvis_obliquity_deg", "pelvis_rotation_deg", "cue", "last", "taken_monotonic_s"),
)
CONDITION = "two_clocks_loss"  # clocks of their own, losses, packets that come late in bursts


def simulated(condition: str = CONDITION, side: str = "left") -> tuple[Recording, Truth]:
    return _simulated(condition, side)


def followed(condition: str = CONDITION, side: str = "left") -> Followed:
    return _followed(condition, side)


@cache
def _simulated(condition: str, side: str) -> tuple[Recording, Truth]:
    preset = CONDITIONS[condition]
    drill = replace(preset.drill, reps=3 if condition == CONDITION else 2)
    sensors = replace(preset.sensors, pelvis_gaps=(), thigh_gaps=())
    if condition == "mixed_rates_gap":
        sensors = replace(sensors, pelvis_gaps=((13.0, 0.4),), arrivals=True)
    return simulate_set(drill, sensors, side, 4)


@cache
def _followed(condition: str, side: str) -> Followed:
    return follow(simulated(condition, side)[0])


@cache
def taken_at(arrived: float) -> tuple[int, Adopted]:
    """How many batches have come in a share of the set, and the analysis of them."""
    recording = simulated()[0]
    every = list(batches(recording))
    count = int(arrived * len(every))
    caller = Caller(recording)
    for batch in every[:count]:
        caller.keep(batch)
    caller.analyse(0.0)
    result = caller.adopted(np.inf)
    assert result is not None
    return count, result


def shown(parts: list[list[Batch]], adopted: Adopted, count: int) -> list[Motion]:
    """What is shown of batches cut into parts, an analysis adopted after so many of the whole."""
    tracker, motions = Tracker("left"), []
    for number, pieces in enumerate(parts):
        if number == count:
            tracker.adopt(adopted)
        for piece in pieces:
            motions += tracker.push(piece.segment, piece)
    return motions


def test_any_chunking_shows_the_same():
    count, adopted = taken_at(0.5)
    every = list(batches(simulated()[0]))[: count + 200]
    rng = np.random.default_rng(1)

    def cut(batch: Batch) -> list[Batch]:
        at = int(rng.integers(0, len(batch.samples) + 1))
        return [
            batch._replace(samples=batch.samples[:at]),
            batch._replace(samples=batch.samples[at:]),
        ]

    whole = shown([[one] for one in every], adopted, count)
    single = [[one._replace(samples=(s,)) for s in one.samples] for one in every]
    assert len(whole) > 500
    assert shown(single, adopted, count) == whole
    assert shown([cut(one) for one in every], adopted, count) == whole


def test_what_comes_later_changes_nothing_shown_before():
    count, adopted = taken_at(0.5)
    parts = [[one] for one in batches(simulated()[0])][: count + 200]
    part = shown(parts[: count + 100], adopted, count)
    assert part == shown(parts, adopted, count)[: len(part)]


@pytest.mark.parametrize(
    ("condition", "side"),
    [(CONDITION, "left"), ("mixed_rates_gap", "right")],
)
def test_angles_are_the_offline_ones_after_the_first_repetition(condition, side):
    live = followed(condition, side)
    found = live.final.found
    time_s, ir_deg = live.column("time_s"), live.column("ir_deg")
    after = time_s > found.reps[0].end_s
    error = ir_deg - np.interp(time_s, found.angles.time_s, found.angles.ir_deg)
    assert np.sqrt((error[after] ** 2).mean()) < 1.0
    assert live.column("sure")[after].all()
    for plane in ("tilt", "obliquity", "rotation"):
        name = f"pelvis_{plane}_deg"
        off = live.column(name) - np.interp(
            time_s, found.angles.time_s, getattr(found.angles, name)
        )
        assert np.sqrt((off[after] ** 2).mean()) < 1.0


def test_is_unsure_until_the_first_turn_is_over():
    live, truth = followed(), simulated()[1]
    early = live.column("time_s") < truth.reps[0].hold_start_s - 0.2
    assert not live.column("sure")[early].any()


def test_time_goes_on_at_the_rate_of_the_grid():
    steps = np.diff(followed().column("time_s"))
    assert steps.min() >= 0.0
    assert np.median(steps) == pytest.approx(0.02, abs=1e-6)
    assert np.diff(followed().column("taken_monotonic_s")).min() >= 0.0


def test_the_count_is_never_ahead_of_the_person_and_the_reports_at_the_end():
    recording, truth = simulated()
    live = followed()
    ends_s = np.array([rep.end_s for rep in truth.reps])
    over = np.searchsorted(ends_s, live.column("time_s"))
    assert (live.column("reps") <= over).all()
    report = analyse_sets([recording], Settings(), None)[0]
    assert live.final.counted == sum(rep.counts for rep in report.reps) == 3
    assert live.motions[-1].reps == 3  # two seconds of stillness are enough to count the last


def test_live_and_replayed_sets_give_the_reports_table_cell_by_cell():
    recording = simulated()[0]
    report = analyse_sets([recording], Settings(), None)[0].reps
    caller = Caller(recording)
    for batch in batches(recording):
        caller.keep(batch)
    caller.analyse(0.0)
    assert caller.adopted(np.inf).found.reps == report
    assert followed().final.found.reps == report


def test_a_new_analysis_does_not_jump_in_a_steady_hold():
    count, first = taken_at(0.7)
    other = replace(first, share=1.4 * first.share)  # some 12 degrees at the end range
    rep = followed().final.found.reps[2]
    tracker, motions, adopted = Tracker("left"), [], 0
    for number, batch in enumerate(batches(simulated()[0])):
        motions += tracker.push(batch.segment, batch)
        if number == count:
            adopted += tracker.adopt(first)
        if adopted == 1 and tracker.time_s > 0.5 * (rep.hold_start_s + rep.hold_end_s):
            adopted += tracker.adopt(other)
    inside = [m for m in motions if rep.hold_start_s < m.time_s < rep.hold_end_s]
    steps = np.abs(np.diff([m.ir_deg for m in inside]))
    assert adopted == 2
    assert steps.max() < 1.0
    later = [m.ir_deg for m in inside if m.time_s > rep.hold_end_s - 0.1]
    assert later[-1] > inside[0].ir_deg + 1.0  # yet it slides over


def test_phases_follow_the_repetition():
    live = followed()
    time_s, phases = live.column("time_s"), live.column("phase")
    for rep in live.final.found.reps[1:]:
        middles = {
            "inward": 0.5 * (rep.start_s + rep.hold_start_s),
            "hold": 0.5 * (rep.hold_start_s + rep.hold_end_s),
            "return": 0.5 * (rep.hold_end_s + rep.end_s),
            "still": rep.end_s + 0.4,
        }
        for phase, at_s in middles.items():
            assert phases[np.searchsorted(time_s, at_s)] == phase


def test_a_lift_is_shown_as_one_and_is_no_repetition():
    preset = CONDITIONS["consumer60"]
    drill = replace(preset.drill, reps=1, lifts=1, still_after_lift_s=2.5)
    recording, truth = simulate_set(drill, preset.sensors, "right", 2)
    flexion = np.abs(truth.angles.columns["flexion_deg"])
    lifting_s = truth.angles.time_s[np.argmax(flexion > 3.0)]
    live = follow(recording, [Event("right", float(lifting_s) - 1.0, "lift")])
    time_s, phases = live.column("time_s"), live.column("phase")
    assert phases[np.searchsorted(time_s, lifting_s + 0.2)] == "lift"
    assert "lift" not in phases[time_s > truth.reps[0].start_s]
    assert live.column("reps").max() <= 1
    assert live.final.counted == 1


def test_a_silent_sensor_is_told():
    tracker, motions, told = Tracker("left"), [], []
    for batch in list(batches(simulated()[0]))[:1200]:
        if batch.segment == "pelvis" and tracker.time_s > 6.0:
            continue
        new = tracker.push(batch.segment, batch)
        motions += new
        told += [m for m in new if m.cue == "sensors"]
    assert told
    assert not any(m.sure for m in told)
    stalled_s = told[0].taken_monotonic_s - motions[300 - 1].taken_monotonic_s
    assert stalled_s < 2.5


def test_clean_repetitions_are_praised_once_each():
    live = followed()
    cues = [motion.cue for motion in live.motions]
    begun = [b for a, b in pairwise(cues) if b != a and b is not None]
    assert {rep.verdict for rep in live.final.found.reps} == {"clean"}
    assert begun.count("well_done") in (2, 3)  # the last one's may come with the end
    assert set(begun) == {"well_done"}


def test_strong_pain_stops_the_coaching_at_once():
    tracker, later = Tracker("left"), []
    for number, batch in enumerate(list(batches(simulated()[0]))[:300]):
        if number == 250:
            tracker.mark(Event("left", tracker.time_s, "pain", 5.0))
        shown_now = tracker.push(batch.segment, batch)
        later += shown_now if number >= 250 else []
    assert tracker.stopped
    assert {motion.cue for motion in later} == {"stop_pain"}


def test_an_analysis_too_old_to_carry_on_from_is_passed_over():
    tracker = followed().tracker
    last = followed().final
    old = replace(
        last,
        ended=False,
        counted=1,
        pelvis=replace(last.pelvis, times_s=last.pelvis.times_s - 1000.0),
    )
    assert tracker.adopt(old) is False
    assert tracker._motion("still", 0.0).reps == 3
    assert tracker.adopt(last) is True


def test_samples_that_are_no_numbers_or_come_twice_change_nothing():
    every = list(batches(simulated()[0]))[:300]
    clean, spoilt = Tracker("left"), Tracker("left")
    shown_clean, shown_spoilt = [], []
    for batch in every:
        shown_clean += clean.push(batch.segment, batch)
        nan = batch.samples[0]._replace(gyr_rads=(np.nan, 0.0, 0.0))
        more = batch._replace(samples=(nan, *batch.samples, batch.samples[-1]))
        shown_spoilt += spoilt.push(more.segment, more)
    assert shown_clean == shown_spoilt
    assert len(shown_clean) > 100
    assert (clean.dropped, spoilt.dropped) == (0, 2 * len(every))


def test_the_whole_sets_analysis_is_the_one_that_counts():
    tracker = followed().tracker
    tracker.adopt(replace(followed().final, counted=2, begun=False))
    assert tracker._motion("still", 0.0).reps == 3  # what may rest on fidgeting is passed over
    last = tracker._motion("still", 0.0).last
    assert (last.rep, last.verdict) == (3, followed().final.found.reps[-1].verdict)


def test_the_message_has_the_contracts_keys():
    message = followed().motions[-1].as_message()
    assert tuple(message) == KEYS
    assert message["type"] == "motion"
    assert message["phase"] in PHASES
    assert set(message["last"]) == {"rep", "rom_deg", "verdict"}
