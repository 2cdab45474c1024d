"""Movements made by hand: every orientation and angle is chosen, none comes from the simulator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.motion.grid import GRID_HZ, EvenSet, EvenStream
from imu.samples import Array, Stream
from imu.units import STANDARD_GRAVITY_MS2

UP = np.array([0.0, 0.0, 1.0])

# Pelvis axes to a world with Z up: X forward = x, Y up = z, Z right = -y.
FACING = Rotation.from_matrix([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
# Sensor flat on the sacrum to pelvis axes: its x right, y up, z backward.
FLAT = Rotation.from_matrix([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])

rotations = st.integers(0, 2**32 - 1).map(
    lambda seed: Rotation.from_quat(np.random.default_rng(seed).standard_normal(4))
)


def ramp(done: Array) -> Array:
    """Minimum-jerk course from 0 to 1; still outside 0 to 1."""
    x = np.clip(done, 0.0, 1.0)
    return np.asarray(10 * x**3 - 15 * x**4 + 6 * x**5)


def course(time_s: Array, moves: Sequence[tuple[float, float]]) -> Array:
    """Angle at some instants, of moves done one after the other.

    Each move is how long it takes and where it goes; one that goes nowhere is a pause.
    """
    value, begin_s, at = np.zeros(len(time_s)), 0.0, 0.0
    for duration_s, target in moves:
        if target != at:
            value += (target - at) * ramp((time_s - begin_s) / duration_s)
        at, begin_s = target, begin_s + duration_s
    return value


def lasting(moves: Sequence[tuple[float, float]]) -> Array:
    """Grid instants from the first move to the last."""
    return np.arange(0.0, sum(duration_s for duration_s, _ in moves), 1 / GRID_HZ)


def drill(
    reps: int,
    range_deg: float,
    inward_s: float = 2.0,
    hold_s: float = 1.0,
    return_s: float = 2.0,
    pause_s: float = 1.0,
) -> list[tuple[float, float]]:
    """Moves of a set: still for 3 s, the repetitions, still for 2 s."""
    rep = [(inward_s, range_deg), (hold_s, range_deg), (return_s, 0.0), (pause_s, 0.0)]
    return [(3.0, 0.0), *(move for _ in range(reps) for move in rep), (2.0, 0.0)]


def even_stream(to_world: Rotation, segment: str = "thigh") -> EvenStream:
    """What a perfect sensor reads on the grid that only turns, with these orientations."""
    turn = (to_world[:-1].inv() * to_world[1:]).as_rotvec()
    count = len(turn) + 1
    return EvenStream(
        segment,
        np.vstack([np.zeros(3), turn]),
        to_world.inv().apply(UP) * STANDARD_GRAVITY_MS2,
        np.ones(count, dtype=bool),
        np.zeros(count, dtype=bool),
        np.empty((0, 2)),
    )


def even_set(pelvis_to_world: Rotation, thigh_to_world: Rotation) -> EvenSet:
    """Both sensors on the grid."""
    time_s = np.arange(len(pelvis_to_world)) / GRID_HZ
    return EvenSet(
        time_s, even_stream(pelvis_to_world, "pelvis"), even_stream(thigh_to_world, "thigh")
    )


def stream(time_s: Array, to_world: Rotation, segment: str = "thigh") -> Stream:
    """What a perfect sensor reads at its own instants; rates by central differences."""
    between = np.gradient(np.arange(len(time_s)), time_s)[:, None]
    low = np.maximum(np.arange(len(time_s)) - 1, 0)
    high = np.minimum(np.arange(len(time_s)) + 1, len(time_s) - 1)
    turned = (to_world[low].inv() * to_world[high]).as_rotvec()
    rate = turned * between / (high - low)[:, None]
    return Stream(segment, time_s, to_world.inv().apply(UP) * STANDARD_GRAVITY_MS2, rate)


def seated(
    side: str,
    ir_deg: Array,
    pelvis_deg: Sequence[Array | float] = (0.0, 0.0, 0.0),
    off_axis_deg: Sequence[Array | float] = (0.0, 0.0),
    level_flexion_deg: float = 90.0,
) -> tuple[Rotation, Rotation]:
    """Pelvis and femur axes to the world, of a person facing along x.

    ``pelvis_deg`` are tilt, obliquity and rotation, ``off_axis_deg`` flexion and adduction.

    Turn for turn, in words: a pelvis tilts by turning about its right axis, the top forward; lifts
    the working hip about its forward axis; brings it forward about its up axis. The femur is
    flexed about the right axis, its knee goes towards the middle, and its front turns towards
    the middle.
    """
    tilt_deg, obliquity_deg, rotation_deg = pelvis_deg
    flexion_deg, adduction_deg = off_axis_deg
    mirror = 1.0 if side == "right" else -1.0
    count = len(ir_deg)

    def about(axis: str, angle_deg: Array | float) -> Rotation:
        angles = np.broadcast_to(angle_deg, count)
        return Rotation.from_euler(axis, angles[:, None], degrees=True)

    top_forward = about("z", -np.asarray(tilt_deg))  # +z lifts what points forward
    hip_up = about("x", -mirror * np.asarray(obliquity_deg))  # +x lowers what points right
    hip_forward = about("y", mirror * np.asarray(rotation_deg))  # +y brings the right forward
    pelvis = FACING * top_forward * hip_up * hip_forward
    flexed = about("z", level_flexion_deg + np.asarray(flexion_deg))
    inward = about("x", mirror * np.asarray(adduction_deg))
    turned = about("y", mirror * np.asarray(ir_deg))
    return pelvis, pelvis * flexed * inward * turned


def rms(values: Array) -> float:
    return float(np.sqrt((np.asarray(values) ** 2).mean()))
