"""Rows on the live grid -> orientations of both sensors, and the angles between the segments.

Forward only. The gyroscope carries the orientation; gravity corrects its inclination slowly, since
a person's accelerations cancel only over seconds. Where an analysis of what has arrived is at hand,
the orientation is carried on from there: the smoother looked both ways in time, this cannot.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.live.grid import Row
from analysis.live.turning import (
    IDENTITY,
    Quat,
    Vector,
    from_turn,
    inverse,
    product,
    quat_of,
    turned,
    unit,
)
from analysis.motion.angles import joint_angles, seated_thigh
from analysis.motion.calibration import SegmentAxes
from analysis.motion.grid import GRID_HZ
from analysis.motion.orientation import mean_orientation
from analysis.motion.quaternions import conjugate, from_rotvec, multiply, running_product

Array = NDArray[np.float64]

GRAVITY_S = 8.0  # how slowly gravity corrects; the offline smoother looks 2 s to either side
FOUND_AGAIN_S = 0.3  # the same right behind a gap that lost the orientation
KEPT = int(30.0 * GRID_HZ)  # rows an analysis may still need to be carried on to now


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """One sensor as it is worn: its bias and its segment's axes at neutral.

    Attributes
    ----------
    bias_rads : tuple of 3 float
        Of the gyroscope, sensor axes.
    axes : SegmentAxes
        The segment's.
    slipped : tuple of 4 float
        From the sensor axes of now to those before the strap slipped.
    """

    bias_rads: Vector
    axes: SegmentAxes
    slipped: Quat = IDENTITY


class Angles(NamedTuple):
    """Hip and pelvis at one instant [deg], signs as in `analysis.motion.angles`."""

    ir: float
    flexion: float
    adduction: float
    tilt: float
    obliquity: float
    rotation: float


NEUTRAL = Angles(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Carried:
    """Orientation of one sensor, carried on row by row.

    Attributes
    ----------
    quat : tuple of 4 float
        Sensor to a frame with Z up.
    first : int
        Grid instant of the oldest row kept.
    rows : deque of Row
        The last `KEPT` ones.
    """

    def __init__(self, first: int) -> None:
        self.quat = IDENTITY
        self.first = first
        self.rows: deque[Row] = deque()
        self._bias: Vector = (0.0, 0.0, 0.0)
        self._slipped = IDENTITY
        self._found_s = GRAVITY_S

    def step(self, row: Row) -> None:
        """Carry on by one grid instant."""
        self.rows.append(row)
        if len(self.rows) > KEPT:
            self.rows.popleft()
            self.first += 1
        turn, acc = row.turn_rad, row.acc_ms2
        if self._slipped is not IDENTITY:
            turn, acc = turned(self._slipped, turn), turned(self._slipped, acc)
        x, y, z = self._bias
        own = (turn[0] - x / GRID_HZ, turn[1] - y / GRID_HZ, turn[2] - z / GRID_HZ)
        self.quat = unit(product(self.quat, from_turn(own)))
        if row.lost:
            self._found_s = FOUND_AGAIN_S
        elif row.measured:
            self._level(acc)

    def _level(self, acc: Vector) -> None:
        """Turn towards where gravity is seen, a little, and not about the vertical."""
        ax, ay, az = turned(self.quat, acc)
        size = math.sqrt(ax * ax + ay * ay + az * az)
        if size < 1e-9:
            return
        gain = 1.0 / (GRID_HZ * self._found_s * size)
        self._found_s = min(self._found_s + 1.0 / GRID_HZ, GRAVITY_S)
        self.quat = product(from_turn((gain * ay, -gain * ax, 0.0)), self.quat)

    def reaches(self, times_s: Array, origin_s: float) -> bool:
        """Whether rows are still kept from which orientations at these instants carry on."""
        begin, end = self._reached(times_s, origin_s)
        return begin <= end and begin < self.first + len(self.rows)

    def _reached(self, times_s: Array, origin_s: float) -> tuple[int, int]:
        """First and last grid instant within a span that rows are kept of."""
        begin = math.ceil((times_s[0] - origin_s) * GRID_HZ - 1e-6)
        return max(begin, self.first), math.floor((times_s[-1] - origin_s) * GRID_HZ + 1e-6)

    def carry_on(self, worn: Worn, times_s: Array, quats: Array, origin_s: float) -> None:
        """Carry on from orientations known earlier, which it `reaches`, by all rows since.

        Parameters
        ----------
        worn : Worn
            The bias that goes with them.
        times_s : ndarray, shape (k,)
            Their instants by the host's clock.
        quats : ndarray, shape (k, 4)
            The orientations.
        origin_s : float
            Grid instant 0 by the host's clock.
        """
        begin, end = self._reached(times_s, origin_s)
        self._bias, self._slipped = worn.bias_rads, worn.slipped
        since = self.turns(begin)
        count = min(end - begin + 1, len(since))
        if worn.slipped is not IDENTITY:
            since = np.array([turned(worn.slipped, tuple(turn)) for turn in since])
        since = since - np.array(worn.bias_rads) / GRID_HZ
        since[0] = 0.0
        carried = running_product(from_rotvec(since))
        at_s = origin_s + np.arange(begin, begin + count) / GRID_HZ
        known = _read_off(at_s, times_s, quats)
        anchor = mean_orientation(multiply(known, conjugate(carried[:count])))
        self.quat = unit(quat_of(multiply(anchor, carried[-1])))

    def turns(self, begin: int) -> Array:
        """Turns (n, 3) of the rows from a grid instant on."""
        return np.array([row.turn_rad for row in self._from(begin)]).reshape(-1, 3)

    def forces(self, begin: int) -> Array:
        """Specific forces (n, 3) of the rows from a grid instant on."""
        return np.array([row.acc_ms2 for row in self._from(begin)]).reshape(-1, 3)

    def seen(self, begin: int) -> NDArray[np.bool_]:
        """Whether the rows from a grid instant on were measured, (n,)."""
        return np.array([row.measured for row in self._from(begin)], dtype=bool)

    def _from(self, begin: int) -> Iterable[Row]:
        return islice(self.rows, max(begin - self.first, 0), None)


class Joint:
    """Segment axes of both sensors -> angles at one instant.

    Parameters
    ----------
    side : str
        ``left`` or ``right``.
    pelvis, thigh : Worn
        How both are worn.
    share : float
        What the internal rotation is multiplied by.
    """

    def __init__(self, side: str, pelvis: Worn, thigh: Worn, share: float) -> None:
        seat = seated_thigh(thigh.axes)
        self._inward = 1.0 if side == "right" else -1.0
        self._share = share
        self._pelvis = (inverse(quat_of(pelvis.axes.to_level)), quat_of(pelvis.axes.to_sensor))
        level = multiply(seat, conjugate(thigh.axes.to_level))
        self._thigh = (quat_of(level), quat_of(thigh.axes.to_sensor))
        self._flexion = float(joint_angles(seat)[0])

    def angles(self, pelvis: Quat, thigh: Quat) -> Angles:
        """Angles for orientations of both sensors."""
        hip = product(product(self._pelvis[0], pelvis), self._pelvis[1])
        femur = product(product(self._thigh[0], thigh), self._thigh[1])
        flexion, adduction, rotation = joint_angles(np.array(product(inverse(hip), femur)))
        back, lean, turn = joint_angles(np.array(hip))
        inward = self._inward
        return Angles(
            math.degrees(rotation) * inward * self._share,
            math.degrees(flexion - self._flexion),
            math.degrees(adduction) * inward,
            -math.degrees(back),
            -math.degrees(lean) * inward,
            math.degrees(turn) * inward,
        )


def _read_off(at_s: Array, times_s: Array, quats: Array) -> Array:
    """Orientations (n, 4) at instants between known ones that lie close together."""
    aligned = quats * np.where(quats @ quats[0] < 0.0, -1.0, 1.0)[:, None]
    read = np.column_stack([np.interp(at_s, times_s, column) for column in aligned.T])
    unit_quats: Array = read / np.linalg.norm(read, axis=1, keepdims=True)
    return unit_quats
