"""Smoothness of a speed profile: spectral arc length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CUTOFF_HZ = 10.0
AMPLITUDE_THRESHOLD = 0.05
PADDING_LEVEL = 4


def spectral_arc_length(speed: Array, rate_hz: float) -> float:
    """Spectral arc length (SPARC) of a speed profile; closer to 0 is smoother.

    Parameters
    ----------
    speed : ndarray, shape (n,)
        Speed over one phase, any unit, n >= 2.
    rate_hz : float
        Its sampling rate.

    Returns
    -------
    float
        Negative; about -1.4 for one minimum-jerk movement.

    References
    ----------
    Balasubramanian et al. (2012), IEEE Trans Biomed Eng 59:2126, and (2015), J NeuroEng Rehabil
    12:112: zero-padding level 4, cut-off 10 Hz, amplitude threshold 0.05.
    """
    points = 2 ** (int(np.ceil(np.log2(len(speed)))) + PADDING_LEVEL)
    frequency_hz = np.arange(points // 2 + 1) * rate_hz / points
    amplitude = np.abs(np.fft.rfft(speed, points))
    largest = amplitude.max()
    if largest <= 0.0:
        return 0.0
    amplitude = amplitude / largest
    below = frequency_hz <= CUTOFF_HZ
    loud = np.flatnonzero(below & (amplitude >= AMPLITUDE_THRESHOLD))
    part = slice(int(loud[0]), int(loud[-1]) + 1)
    band_hz = frequency_hz[part][-1] - frequency_hz[part][0]
    if band_hz <= 0.0:
        return 0.0
    steps = np.diff(frequency_hz[part]) / band_hz
    return -float(np.sum(np.hypot(steps, np.diff(amplitude[part]))))
