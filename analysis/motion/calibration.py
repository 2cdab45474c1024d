"""Sensor axes -> segment axes, from the neutral stillness and the movement itself.

The femur's long axis is the one that the thigh turns about *relative to the pelvis*: a hiking
pelvis turns the thigh sensor too. Relative rates need the heading between the two sensors, and
that follows from the axis, since a seated person's thigh points forward at neutral; so both are
found in turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from analysis.motion.quaternions import conjugate, from_rotvec, multiply, rotate

Array = NDArray[np.float64]

BACKWARD = np.array([0.0, 0.0, 1.0])  # of the pelvis sensor, by the way it is worn
BIN = 5  # grid instants summed before the axis is sought: 0.1 s
FIRST_BINS = 100  # of a set's beginning, and its doubles: 10 s hold a repetition
SHARE_LOST = 0.04  # explained less than at best
ROUNDS = 3  # of axis and heading in turn; the last changes the axis by under 0.1 degrees


@dataclass(frozen=True, slots=True, eq=False)
class Sensor:
    """One sensor's orientation over a set.

    Attributes
    ----------
    quat : ndarray, shape (m, 4)
        Sensor to a frame with Z up, of unknown heading.
    turn_rad : ndarray, shape (m, 3)
        Turn from each instant's predecessor, sensor axes, without bias.
    neutral : ndarray, shape (4,)
        Mean orientation at the set's neutral.
    """

    quat: Array
    turn_rad: Array
    neutral: Array


@dataclass(frozen=True, slots=True, eq=False)
class SegmentAxes:
    """Axes of one segment at neutral.

    Attributes
    ----------
    to_sensor : ndarray, shape (4,)
        Segment axes (X anterior, Y up, Z right) to sensor axes.
    to_level : ndarray, shape (4,)
        Segment axes at neutral to the sensor's frame with Z up.
    """

    to_sensor: Array
    to_level: Array

    def motion(self, sensor: Sensor) -> Array:
        """Orientation of the segment (m, 4) against its own neutral axes."""
        return multiply(conjugate(self.to_level), multiply(sensor.quat, self.to_sensor))


def pelvis_axes(sensor: Sensor, backward: Array = BACKWARD) -> SegmentAxes:
    """Levelled pelvis axes at neutral: Y vertical, X opposite to the sensor's backward axis.

    Parameters
    ----------
    sensor : Sensor
        Of the pelvis.
    backward : ndarray, shape (3,)
        Sensor axis that points backward.
    """
    up = np.array([0.0, 0.0, 1.0])
    forward = -rotate(sensor.neutral, backward)
    forward = _unit(forward - (forward @ up) * up)
    return _segment(sensor, np.column_stack([forward, up, np.cross(forward, up)]))


def turned(axes: SegmentAxes, sensor: Sensor, heading_rad: float) -> SegmentAxes:
    """Axes turned about the vertical at neutral, + to the left."""
    about_up = from_rotvec(np.array([0.0, 0.0, heading_rad]))
    to_level = multiply(about_up, axes.to_level)
    return SegmentAxes(multiply(conjugate(sensor.neutral), to_level), to_level)


def thigh_axes(sensor: Sensor, axis: Array) -> SegmentAxes:
    """Femur axes at neutral: Y along the axis towards the hip, X up, Z right.

    Parameters
    ----------
    sensor : Sensor
        Of the thigh.
    axis : ndarray, shape (3,)
        From knee to hip, sensor axes, unit length.
    """
    up = np.array([0.0, 0.0, 1.0])
    along = rotate(sensor.neutral, axis)
    anterior = _unit(up - (along @ up) * along)
    return _segment(sensor, np.column_stack([anterior, along, np.cross(anterior, along)]))


def first_axis(thigh: Sensor, moving: slice) -> Array:
    """Axis that the thigh turns about in the room: the first guess of the femur's.

    Parameters
    ----------
    thigh : Sensor
        The thigh's sensor over the set.
    moving : slice
        Grid instants from the neutral's end on.

    Returns
    -------
    ndarray, shape (3,)
        Thigh sensor axes, unit length; the first large turn about it is positive.
    """
    turns, _ = _binned(thigh, moving)
    axis, _ = _principal(turns)
    turned = np.cumsum(turns @ axis)
    large = np.abs(turned) > 0.5 * np.percentile(np.abs(turned), 95)
    return axis * (-1.0 if turned[np.argmax(large)] < 0.0 else 1.0)


def thigh_axis(
    pelvis: Sensor, thigh: Sensor, pelvis_frame: SegmentAxes, moving: slice, guess: Array
) -> tuple[Array, float]:
    """Axis that the thigh turns about relative to the pelvis.

    Parameters
    ----------
    pelvis, thigh : Sensor
        Both sensors over the set.
    pelvis_frame : SegmentAxes
        For the direction in which the thigh points.
    moving : slice
        Grid instants of the repetitions.
    guess : ndarray, shape (3,)
        The axis from knee to hip, roughly; it decides the sign.

    Returns
    -------
    axis : ndarray, shape (3,)
        Thigh sensor axes, unit length.
    explained : float
        Share of the relative rotation about it, 0 to 1.
    """
    thigh_turn, thigh_quat = _binned(thigh, moving)
    pelvis_turn, pelvis_quat = _binned(pelvis, moving)
    level_turn = rotate(pelvis_quat, pelvis_turn)
    axis, explained = guess, 0.0
    for _ in range(ROUNDS):
        heading = heading_between(pelvis_frame, thigh, axis)
        carried = rotate(from_rotvec(np.array([0.0, 0.0, heading])), level_turn)
        relative = thigh_turn - rotate(conjugate(thigh_quat), carried)
        found, explained = _principal(relative)
        axis = found * (1.0 if found @ axis >= 0.0 else -1.0)
    return axis, explained


def heading_between(pelvis_frame: SegmentAxes, thigh: Sensor, axis: Array) -> float:
    """Heading of the thigh sensor's frame against the pelvis sensor's [rad].

    At neutral the thigh points forward: its axis, to the hip, runs along the pelvis' backward.
    """
    along = rotate(thigh.neutral, axis)
    backward = -rotate(pelvis_frame.to_level, np.array([1.0, 0.0, 0.0]))
    return float(np.arctan2(along[1], along[0]) - np.arctan2(backward[1], backward[0]))


def axis_to_level(thigh: Sensor, axis: Array) -> float:
    """Angle of the axis to the horizontal at neutral [rad]."""
    return float(np.arcsin(np.clip(abs(rotate(thigh.neutral, axis)[2]), 0.0, 1.0)))


def _segment(sensor: Sensor, level_axes: Array) -> SegmentAxes:
    to_level = Rotation.from_matrix(level_axes).as_quat(scalar_first=True)
    return SegmentAxes(multiply(conjugate(sensor.neutral), to_level), to_level)


def _binned(sensor: Sensor, moving: slice) -> tuple[Array, Array]:
    """Turns summed over bins and the orientation in each bin's middle."""
    turn, quat = sensor.turn_rad[moving], sensor.quat[moving]
    bins = len(turn) // BIN
    summed = turn[: bins * BIN].reshape(bins, BIN, 3).sum(axis=1)
    return summed, quat[BIN // 2 : bins * BIN : BIN]


def _principal(turns: Array) -> tuple[Array, float]:
    """Principal axis of turns (b, 3), of either sign, and the share it explains.

    Of the longest beginning that it explains about as well as any: what comes after a set,
    standing up or shifting on the bench, is about other axes.
    """
    lengths = [n for n in FIRST_BINS * 2 ** np.arange(20) if n < len(turns)]
    parts = [_axis_of(turns[:n]) for n in [*lengths, len(turns)]]
    best = max(explained for _, explained in parts)
    return [part for part in parts if part[1] > best - SHARE_LOST][-1]


def _axis_of(turns: Array) -> tuple[Array, float]:
    values, vectors = np.linalg.eigh(turns.T @ turns)
    return vectors[:, -1], float(values[-1] / max(values.sum(), 1e-30))


def _unit(v: Array) -> Array:
    unit: Array = v / np.linalg.norm(v)
    return unit
