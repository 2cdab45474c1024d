"""Acceleration and angular rate that come apart, put together into samples."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from imu.frames import Sample, Vector

GAP_INTERVALS = 3.0


class Merger:
    """Gives samples at the gyroscope's times, the acceleration interpolated there.

    A gyroscope's reading waits until acceleration around it has come. Where there is none, before
    the first and in gaps of more than 3 intervals, it is left out: nothing is invented.

    Parameters
    ----------
    interval_s : float
        Nominal time between two readings.
    most : int
        Readings of each kind that may wait.
    """

    def __init__(self, interval_s: float, most: int) -> None:
        self._gap_s = GAP_INTERVALS * interval_s
        self._most = most
        self._acc: deque[tuple[float, Vector]] = deque()
        self._gyr: deque[tuple[float, Vector]] = deque()

    def add_acceleration(self, readings: Iterable[tuple[float, Vector]]) -> bool:
        """Take readings, later than all before; false where too many would wait."""
        return self._add(self._acc, readings)

    def add_rates(self, readings: Iterable[tuple[float, Vector]]) -> bool:
        """Take readings, later than all before; false where too many would wait."""
        return self._add(self._gyr, readings)

    def _add(
        self, waiting: deque[tuple[float, Vector]], readings: Iterable[tuple[float, Vector]]
    ) -> bool:
        """Add readings, or drop them with those that wait: the other kind does not come."""
        waiting.extend(readings)
        if len(waiting) <= self._most:
            return True
        waiting.clear()
        return False

    def clear(self) -> None:
        """Drop what waits."""
        self._acc.clear()
        self._gyr.clear()

    def take(self) -> tuple[Sample, ...]:
        """Give out the samples that are whole."""
        acc, gyr = self._acc, self._gyr
        samples = []
        while acc and gyr and gyr[0][0] <= acc[-1][0]:
            time_s, gyr_rads = gyr.popleft()
            while len(acc) > 1 and acc[1][0] <= time_s:
                acc.popleft()
            acc_ms2 = self._acceleration(time_s)
            if acc_ms2 is not None:
                samples.append(Sample(time_s, acc_ms2, gyr_rads))
        return tuple(samples)

    def _acceleration(self, time_s: float) -> Vector | None:
        """Interpolate at a time that is before the second reading and not after the newest."""
        before_s, before = self._acc[0]
        if before_s == time_s:
            return before
        if before_s > time_s:
            return None
        after_s, after = self._acc[1]
        if after_s - before_s > self._gap_s:
            return None
        part = (time_s - before_s) / (after_s - before_s)
        x, y, z = (a + part * (b - a) for a, b in zip(before, after, strict=True))
        return x, y, z
