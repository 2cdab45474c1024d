"""The beginning of a set, before an analysis can say anything: stillness, neutral, a first axis.

Looked at five times a second, over the last seconds only. Biases, neutral and inclination come from
the last stillness, the femur's axis from the first turn behind it: both by the offline stages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.live.pose import Carried, Worn
from analysis.live.turning import vector_of
from analysis.motion.calibration import (
    BACKWARD,
    BIN,
    Sensor,
    first_axis,
    pelvis_axes,
    thigh_axes,
)
from analysis.motion.grid import GRID_HZ, EvenSet, EvenStream
from analysis.motion.heading import still_bias
from analysis.motion.quaternions import between, from_rotvec, multiply, running_product
from analysis.motion.stillness import find_still_spans
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

LOOKED_AT = int(15.0 * GRID_HZ)
NEXT_STILL = int(1.8 * GRID_HZ)  # another stillness this long is a new neutral
LIFTED_STILL = int(1.0 * GRID_HZ)  # the same behind a lift
LEAST_TURN_RAD = 2.0 * RAD_PER_DEG  # before an axis can be told
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What the beginning says.

    Attributes
    ----------
    pelvis, thigh : Worn
        How both sensors are worn.
    begin : int
        Grid instant from which the orientations carry on: the stillness' end.
    quats : tuple of ndarray
        Orientation of both there.
    axis_known : bool
        Whether the thigh has turned enough to tell its axis.
    """

    pelvis: Worn
    thigh: Worn
    begin: int
    quats: tuple[Array, Array]
    axis_known: bool


class Settling:
    """Looks at the beginning of a set again and again.

    Parameters
    ----------
    side : str
        ``left`` or ``right``.
    backward : ndarray, shape (3,), optional
        Pelvis sensor axis that points backward, from a trunk lean.
    """

    def __init__(self, side: str, backward: Array | None) -> None:
        self._inward = 1.0 if side == "right" else -1.0
        self._backward = BACKWARD if backward is None else backward
        self._span: tuple[int, int] | None = None

    def look(self, pelvis: Carried, thigh: Carried, lifted: bool) -> Settled | None:
        """Look at the rows so far; None while there was no stillness."""
        first = max(pelvis.first, thigh.first, pelvis.first + len(pelvis.rows) - LOOKED_AT)
        if pelvis.first + len(pelvis.rows) - first < GRID_HZ:
            return None
        both = (_stream("pelvis", pelvis, first), _stream("thigh", thigh, first))
        time_s = np.arange(first, first + len(both[0].turn_rad)) / GRID_HZ
        self._extend(find_still_spans(EvenSet(time_s, *both)) + first, lifted)
        if self._span is None or self._span[0] < first:
            return None
        span = (self._span[0] - first, self._span[1] - first)
        return self._settled(both, span, first)

    def _extend(self, spans: NDArray[np.int64], lifted: bool) -> None:
        """Take a stillness that goes on, the first one, or a later one that is long enough."""
        shortest = LIFTED_STILL if lifted else NEXT_STILL
        for begin, end in spans.tolist():
            same = self._span is not None and begin <= self._span[1]
            if self._span is None or same or end - begin >= shortest:
                self._span = (begin, end)

    def _settled(
        self, both: tuple[EvenStream, EvenStream], span: tuple[int, int], first: int
    ) -> Settled:
        poses = [_pose(stream, span) for stream in both]
        (pelvis_bias, pelvis), (thigh_bias, thigh) = poses
        axis, known = self._axis(thigh)
        return Settled(
            pelvis=Worn(pelvis_bias, pelvis_axes(pelvis, self._backward)),
            thigh=Worn(thigh_bias, thigh_axes(thigh, axis)),
            begin=first + span[1] - 1,
            quats=(pelvis.neutral, thigh.neutral),
            axis_known=known,
        )

    def _axis(self, thigh: Sensor) -> tuple[Array, bool]:
        """Axis from knee to hip, the first turn being inward; any level one before it."""
        turned = np.linalg.norm(np.cumsum(thigh.turn_rad, axis=0), axis=1)
        if len(turned) > BIN and turned.max() > LEAST_TURN_RAD:
            return first_axis(thigh, slice(0, None)) * self._inward, True
        up = multiply(_inverse(thigh.neutral), multiply(np.array([0.0, *UP]), thigh.neutral))[1:]
        level = np.cross(up, np.eye(3)[np.argmin(np.abs(up))])
        return level / np.linalg.norm(level), False


def _inverse(quat: Array) -> Array:
    inverse: Array = quat * np.array([1.0, -1.0, -1.0, -1.0])
    return inverse


def _pose(stream: EvenStream, span: tuple[int, int]) -> tuple[tuple[float, float, float], Sensor]:
    """Bias in a stillness, and the orientation from its end on."""
    bias = still_bias(stream, span).bias_rads
    force = stream.acc_ms2[slice(*span)].mean(axis=0)
    neutral = between(force / np.linalg.norm(force), UP)
    turn = stream.turn_rad[span[1] :] - bias / GRID_HZ
    quat = multiply(neutral, running_product(from_rotvec(turn))) if len(turn) else turn
    return vector_of(bias), Sensor(quat, turn, neutral)


def _stream(segment: str, carried: Carried, first: int) -> EvenStream:
    seen = carried.seen(first)
    return EvenStream(
        segment, carried.turns(first), carried.forces(first), seen, ~seen, np.empty((0, 2))
    )
