"""Heading between the sensors, from movements that both make as one body.

While a person sits still they sway and breathe; where the thigh goes along with the pelvis the
two sensors turn by the same vector, seen in two frames of different heading. So the angle from
the one to the other is that between the frames. A thigh that rests heavily on the bench does not
go along: then its turning is smaller or another, which is seen, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.motion.calibration import Sensor
from analysis.motion.grid import GRID_HZ
from analysis.motion.quaternions import rotate
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

BIN = 12  # grid instants averaged: 0.24 s; sways are slower
TRIM = 10  # grid instants left out at both ends of a stillness: turns begin and end there
BLOCK = 4  # bins that err together: a second
MIN_BLOCKS = 4
MAX_GAIN_ERROR = 0.15  # of the thigh's turning against the pelvis'
MAX_SD_RAD = 10.0 * RAD_PER_DEG  # a heading known worse is not worth telling
MIN_SD_RAD = 0.3 * RAD_PER_DEG
SPREAD = 1.5  # times the deviation seen: few blocks, and gaits of their own


@dataclass(frozen=True, slots=True)
class CommonHeading:
    """Heading of the thigh sensor's frame against the pelvis sensor's, and its deviation [rad]."""

    heading_rad: float
    sd_rad: float


def common_heading(
    pelvis: Sensor, thigh: Sensor, still: Sequence[tuple[int, int]]
) -> CommonHeading | None:
    """Heading between the sensors' frames, where they moved as one body.

    Parameters
    ----------
    pelvis, thigh : Sensor
        Orientations in frames with Z up, and turns.
    still : sequence of (int, int)
        Half-open spans in which the person sits still, grid indices.

    Returns
    -------
    CommonHeading or None
        None where they did not, or too little to tell.
    """
    pairs = [_binned(pelvis, thigh, span) for span in still]
    pairs = [pair for pair in pairs if pair.shape[1] > 2]
    if not pairs:
        return None
    one, other = np.concatenate(pairs, axis=1)
    squares = float((np.abs(one) ** 2).sum())
    gain = complex((one.conj() * other).sum() / max(squares, 1e-30))
    products = one.conj() * (other - gain * one) * np.exp(-1j * np.angle(gain))
    blocks = np.add.reduceat(products, np.arange(0, len(products), BLOCK))
    if len(blocks) < MIN_BLOCKS or abs(abs(gain) - 1.0) > MAX_GAIN_ERROR:
        return None
    sd = SPREAD * float(np.sqrt((blocks.imag**2).sum())) / squares / abs(gain)
    if sd > MAX_SD_RAD:
        return None
    return CommonHeading(float(np.angle(gain)), max(sd, MIN_SD_RAD))


def _binned(pelvis: Sensor, thigh: Sensor, span: tuple[int, int]) -> NDArray[np.complex128]:
    """Level rates of both sensors about their means (2, b), x + iy in their frames [rad/s]."""
    begin, end = span[0] + TRIM, span[1] - TRIM
    bins = max((end - begin) // BIN, 0)
    inside = slice(begin, begin + bins * BIN)
    rates = []
    for sensor in (pelvis, thigh):
        rate = rotate(sensor.quat[inside], sensor.turn_rad[inside]) * GRID_HZ
        level = rate[:, 0] + 1j * rate[:, 1]
        rates.append(level.reshape(bins, BIN).mean(axis=1) if bins else level[:0])
    both: NDArray[np.complex128] = np.array(rates)
    return both - both.mean(axis=1, keepdims=True) if bins else both
