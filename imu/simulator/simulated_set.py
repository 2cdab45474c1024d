"""One simulated set: the recording and its truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imu.recording import Recording
from imu.samples import Array
from imu.simulator.drill import Plan, PlannedRep, plan_set
from imu.simulator.motion import Motion
from imu.simulator.sensors import (
    Clock,
    Mounting,
    Sampled,
    Worn,
    draw_faults,
    mount_pelvis,
    mount_shank,
    mount_thigh,
    sample,
)
from imu.simulator.settings import DrillSettings, SensorSettings
from imu.simulator.trajectory import skin_slip
from imu.simulator.truth import Gap, TrueAngles, TrueRep, true_angles, true_reps

GAP_S = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What really happened in a set.

    Attributes
    ----------
    reps : tuple of TrueRep
        The contract's rows.
    angles : TrueAngles
        Every angle on a grid of 1 ms, on the set's common time.
    worn : Mapping of str to Worn
        By segment: mounting, bias and clock of each sensor.
    true_s : Mapping of str to ndarray
        By segment: the instants each sample was really taken at, on the set's common time.
    motion : Motion
        The movement itself; its time is the common time plus ``first_s``.
    plan : Plan
        What was planned, on the motion's time.
    first_s : float
        The motion's time at the set's first sample.
    """

    reps: tuple[TrueRep, ...]
    angles: TrueAngles
    worn: Mapping[str, Worn]
    true_s: Mapping[str, Array]
    motion: Motion
    plan: Plan
    first_s: float


def simulate_set(
    drill: DrillSettings,
    sensors: SensorSettings,
    side: str,
    seed: int,
    name: str | None = None,
    sensor_seed: int | None = None,
) -> tuple[Recording, Truth]:
    """Simulate one set.

    Parameters
    ----------
    drill, sensors : DrillSettings, SensorSettings
        What the person does; what the sensors are like.
    side : str
        ``left`` or ``right``.
    seed : int
        Of everything random; the same seed gives the same set. Movement, pelvis mounting, thigh
        mounting and sensors draw from streams of their own, so that changing one setting leaves
        the rest as it was.
    name : str, optional
        The set's name; the side by default.
    sensor_seed : int, optional
        Seed of what the sets of one visit share: the sensors themselves and where the pelvis
        sensor sits; ``seed`` by default.

    Returns
    -------
    Recording
        What the sensors measured, one row a sample, unrounded.
    Truth
        What really happened.
    """
    name = name or side
    movement, heading = (np.random.default_rng([seed, use]) for use in (1, 2))
    plan = plan_set(drill, movement)
    heading_rad = float(heading.uniform(-np.pi, np.pi))
    motion = moved(side, heading_rad, drill, plan)
    worn = wear(sensors, motion.sign, seed, sensor_seed)
    sampled = {
        segment: sample(motion, segment, one, sensors, plan.end_s) for segment, one in worn.items()
    }
    truth = _truth(name, motion, plan, worn, sampled)
    streams = {segment: one.stream for segment, one in sampled.items()}
    return Recording(name, side, f"{name}.csv", streams), truth


def moved(side: str, heading_rad: float, drill: DrillSettings, plan: Plan) -> Motion:
    """Motion of a plan: the body, and the skin over it."""
    shares = {"thigh": drill.thigh_skin_share, "shank": drill.shank_skin_share}
    worn = {"thigh": (drill.skin_lag_s, drill.skin_play_deg), "shank": (0.0, 0.0)}
    skin = {
        segment: skin_slip(plan.tracks["ir"].at, share, *worn[segment], plan.end_s)
        for segment, share in shares.items()
        if (share, *worn[segment]) != (1.0, 0.0, 0.0)
    }
    neutral_flexion_deg = 90 - drill.off_level_deg
    return Motion(side, heading_rad, neutral_flexion_deg, plan.tracks, drill.knee_flexion_deg, skin)


def wear(
    sensors: SensorSettings, sign: float, seed: int, sensor_seed: int | None = None
) -> dict[str, Worn]:
    """Strap the sensors on and start their clocks; seeds as in `simulate_set`."""
    shared = seed if sensor_seed is None else sensor_seed
    pelvis, faults = (np.random.default_rng([shared, use]) for use in (3, 6))
    thigh, shank, clocks = (np.random.default_rng([seed, use]) for use in (4, 5, 7))
    mountings: dict[str, Mounting] = {
        "pelvis": mount_pelvis(sensors, pelvis),
        "thigh": mount_thigh(sensors, sign, thigh),
    }
    ppm = {"pelvis": sensors.pelvis_clock_ppm, "thigh": sensors.thigh_clock_ppm}
    if sensors.shank:
        mountings["shank"] = mount_shank(sensors, shank)
    host_s = float(clocks.uniform(1e3, 1e5)) if sensors.arrivals else 0.0
    common_s = float(clocks.uniform(0, 1e3))
    worn = {}
    for use, (segment, mounting) in enumerate(mountings.items(), start=8):
        offset_s = float(clocks.uniform(0, 4e3)) if sensors.arrivals else common_s
        clock = Clock(offset_s, ppm.get(segment, 0.0))
        rng = np.random.default_rng([seed, use])
        worn[segment] = Worn(mounting, draw_faults(sensors, faults), clock, host_s, rng)
    return worn


def _truth(
    name: str,
    motion: Motion,
    plan: Plan,
    worn: Mapping[str, Worn],
    sampled: Mapping[str, Sampled],
) -> Truth:
    first_s = float(min(one.true_s[0] for one in sampled.values()))
    last_s = float(max(one.true_s[-1] for one in sampled.values()))
    true_s = {segment: one.true_s - first_s for segment, one in sampled.items()}
    angles = true_angles(motion, plan, first_s, last_s)
    reps = tuple(_shifted(planned, first_s) for planned in plan.reps)
    gaps = _gaps({segment: true_s[segment] for segment in ("pelvis", "thigh")})
    rows = true_reps(name, motion.side, reps, angles, gaps)
    return Truth(rows, angles, worn, true_s, motion, plan, first_s)


def _shifted(planned: PlannedRep, by_s: float) -> PlannedRep:
    return PlannedRep(
        planned.inward_start_s - by_s,
        planned.inward_end_s - by_s,
        planned.return_start_s - by_s,
        planned.return_end_s - by_s,
    )


def _gaps(true_s: Mapping[str, Array]) -> list[Gap]:
    """Where a sensor has no sample for longer than a tenth of a second."""
    return [
        (float(time_s[i]), float(time_s[i + 1]))
        for time_s in true_s.values()
        for i in np.flatnonzero(np.diff(time_s) > GAP_S)
    ]
