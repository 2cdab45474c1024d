"""One sensor's samples in SI units, on one clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imu.errors import RecordingError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StreamFaults:
    """What was wrong with the rows of one sensor, counted, not mended.

    Attributes
    ----------
    duplicates : int
        Rows that repeated an earlier row's time; left out.
    steps_back : int
        Times the sensor's clock went backwards between two rows.
    restarts : int
        Times the clock started anew, forward or back; what followed is placed by ``arrival_s``.
    """

    duplicates: int = 0
    steps_back: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What one sensor on one body segment measured: n samples, SI, sensor axes.

    Attributes
    ----------
    segment : str
        ``pelvis``, ``thigh`` or ``shank``.
    time_s : ndarray, shape (n,)
        When each sample was taken, strictly increasing. By the sensor's own clock, or by the
        set's common clock after `imu.clock.align`.
    acc_ms2 : ndarray, shape (n, 3)
        Specific force: a sensor at rest reads +9.81 along the axis that points up.
    gyr_rads : ndarray, shape (n, 3)
        Angular velocity, right-handed.
    arrival_s : ndarray, shape (n,), or None
        When the host received each sample, by the host's monotonic clock.
    mag_ut : ndarray, shape (n, 3), or None
        Magnetic field [µT]. Carried, never used.
    faults : StreamFaults
        What was wrong with the rows.
    """

    segment: str
    time_s: Array
    acc_ms2: Array
    gyr_rads: Array
    arrival_s: Array | None = None
    mag_ut: Array | None = None
    faults: StreamFaults = field(default_factory=StreamFaults)

    def __post_init__(self) -> None:
        n = len(self.time_s)
        for name in ("acc_ms2", "gyr_rads"):
            shape = getattr(self, name).shape
            if shape != (n, 3):
                raise ValueError(f"{self.segment}: {name} has shape {shape}, expected ({n}, 3)")
        if n > 1 and np.diff(self.time_s).min() <= 0:
            raise RecordingError(
                self.segment, "time_s does not increase", "Sort the rows or drop duplicates."
            )
