"""Who is still, who moves: the last two seconds of every sensor. Pure.

A gyroscope's bias may be several degrees per second, so stillness is a steady rate and a steady
direction of gravity, not a small rate; and movement is more than any bias.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from imu.frames import Sample
from imu.samples import Array
from imu.units import RAD_PER_DEG

KEPT_S = 2.5
STILL_RADS = (
    3.0 * RAD_PER_DEG
)  # standard deviation of the rate: breathing and cheap noise stay below
STILL_WANDER_RAD = 2.5 * RAD_PER_DEG  # of gravity, from the first half of the time to the second
LIVELY_S = 0.7
LIVELY_RADS = 12.0 * RAD_PER_DEG  # a slow turn of the thigh is enough, a bias is not
LIVELY_MS2 = 3.0  # a tap
CLEARLY = 3.0  # the moved sensor stirs so many times as much as any other


class Activity:
    """The latest samples of one sensor, by their arrival."""

    def __init__(self) -> None:
        self._rows: deque[tuple[float, ...]] = deque()

    def add(self, arrival_s: float, samples: Sequence[Sample]) -> None:
        """Take samples that came."""
        self._rows.extend((arrival_s, *one.acc_ms2, *one.gyr_rads) for one in samples)
        while self._rows and self._rows[0][0] < arrival_s - KEPT_S:
            self._rows.popleft()

    def clear(self) -> None:
        """Forget all, after an interruption."""
        self._rows.clear()

    def _since(self, start_s: float) -> tuple[NDArray[np.float64], Array, Array]:
        rows = np.array([row for row in self._rows if row[0] >= start_s]).reshape(-1, 7)
        return rows[:, 0], rows[:, 1:4], rows[:, 4:]

    def still(self, now_s: float, for_s: float) -> bool:
        """Whether the sensor has been still for the last ``for_s`` seconds, at most `KEPT_S`."""
        if not self._rows or self._rows[0][0] > now_s - 0.9 * for_s:
            return False
        _, acc, gyr = self._since(now_s - for_s)
        half = len(acc) // 2
        if half < 5:
            return False
        first, second = acc[:half].mean(axis=0), acc[half:].mean(axis=0)
        norms = float(np.linalg.norm(first) * np.linalg.norm(second))
        level = norms > 0 and float(first @ second) / norms > np.cos(STILL_WANDER_RAD)
        return bool(level and np.sqrt(gyr.var(axis=0).sum()) < STILL_RADS)

    def liveliness(self, now_s: float) -> float:
        """How much it stirred in the last `LIVELY_S`; 1 is a deliberate movement or tap."""
        _, acc, gyr = self._since(now_s - LIVELY_S)
        if len(acc) < 5:
            return 0.0
        turning = float(np.sqrt((gyr**2).sum(axis=1).mean()))
        shaking = float(np.linalg.norm(acc - np.median(acc, axis=0), axis=1).max())
        return max(turning / LIVELY_RADS, shaking / LIVELY_MS2)


def moved(liveliness: Mapping[str, float]) -> str | None:
    """Tell the one sensor that was moved; None where none was, or not one alone.

    Examples
    --------
    >>> moved({"a": 2.5, "b": 0.1})
    'a'
    >>> moved({"a": 2.5, "b": 1.9}) is None
    True
    """
    if not liveliness:
        return None
    most = max(liveliness, key=liveliness.__getitem__)
    others = max((value for name, value in liveliness.items() if name != most), default=0.0)
    clear = liveliness[most] >= 1.0 and liveliness[most] >= CLEARLY * others
    return most if clear else None
