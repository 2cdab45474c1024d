"""A track -> one row a sample: acceleration brought to the times of the angular rate.

Where both were sampled together nothing changes. Where they were not (phones, MetaMotion), the
acceleration is read between its neighbours, at the times of the rate, which carries the turn and
stays as it is; rates without acceleration on both sides within `MAX_BRIDGE_S` are left out.
"""

from __future__ import annotations

import numpy as np

from imu.errors import RecordingError
from imu.importers.values import Signal, Track
from imu.samples import Array, Stream

MAX_BRIDGE_S = 0.1
SAME_S = 1e-6
MIN_KEPT = 0.5


def at_times(signal: Signal, time_s: Array) -> tuple[Array, int]:
    """Read a signal at other times, between its neighbours.

    Parameters
    ----------
    signal : Signal
        n samples.
    time_s : ndarray, shape (m,)
        On the same clock.

    Returns
    -------
    ndarray, shape (m, 3), int
        NaN where the neighbours are further than `MAX_BRIDGE_S` apart or lie on one side only,
        and how many these are.

    Examples
    --------
    >>> ramp = Signal(np.array([0.0, 0.1]), np.array([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]))
    >>> at_times(ramp, np.array([0.05, 0.2]))[0].tolist()
    [[0.5, 1.5, 2.5], [nan, nan, nan]]
    """
    after = np.searchsorted(signal.time_s, time_s, "left").clip(1, len(signal.time_s) - 1)
    before = after - 1
    apart_s = signal.time_s[after] - signal.time_s[before]
    share = (time_s - signal.time_s[before]) / apart_s
    slack = SAME_S / apart_s
    inside = (share >= -slack) & (share <= 1.0 + slack)
    on_one = (np.abs(share) <= slack) | (np.abs(share - 1.0) <= slack)
    share = share.clip(0.0, 1.0)[:, None]
    values = (1.0 - share) * signal.values[before] + share * signal.values[after]
    missing = ~inside | ((apart_s > MAX_BRIDGE_S * 1.001) & ~on_one)
    values[missing] = np.nan
    return values, int(missing.sum())


def join(track: Track, segment: str) -> tuple[Stream, list[str]]:
    """Make the stream of a track.

    Returns
    -------
    Stream, list of str
        On the track's clock, and what was read between or left out, in words.

    Raises
    ------
    RecordingError
        Acceleration and rate do not go together in time.
    """
    acc, gyr = track.acc, track.gyr
    alike = len(acc.time_s) == len(gyr.time_s)
    if alike and np.abs(acc.time_s - gyr.time_s).max() <= SAME_S:
        return Stream(segment, gyr.time_s, acc.values, gyr.values, track.arrival_s), []
    values, left_out = at_times(acc, gyr.time_s)
    kept = np.isfinite(values).all(axis=1)
    if np.count_nonzero(kept) < max(2.0, MIN_KEPT * kept.size):
        what = (
            f"acceleration from {acc.time_s[0]:.2f} to {acc.time_s[-1]:.2f} s and angular rate "
            f"from {gyr.time_s[0]:.2f} to {gyr.time_s[-1]:.2f} s share too little"
        )
        remedy = f"Both must run together, and acceleration at {1 / MAX_BRIDGE_S:.0f} Hz or more."
        raise RecordingError(track.label, what, remedy)
    told = []
    exact = np.isin(np.round(gyr.time_s[kept], 6), np.round(acc.time_s, 6)).all()
    if not exact:
        told.append("acceleration read between its samples, at the times of the angular rate")
    if left_out:
        told.append(f"{left_out} samples of angular rate without acceleration left out")
    return Stream(segment, gyr.time_s[kept], values[kept], gyr.values[kept]), told
