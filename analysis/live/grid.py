"""One sensor's samples as they come -> rows on the live grid, each sample in constant time.

The clock is the line below all arrivals so far, as offline; its rate comes with the analyses of
what has come. Rates are integrated from sample to sample, so that any native rate, jitter and lost
samples give the same angle; a gap is bridged by a straight line once the sample behind it is here.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from analysis.live.turning import Vector, cross
from analysis.motion.grid import BRIDGED_FROM_S, GRID_HZ, LOST_AFTER_S
from imu.clock import ClockFit
from imu.frames import Sample

RESTART_S = 1.0  # back in time, or ahead of the arrivals, by so much: the clock began anew
LEAST_S = 1e-6  # between two samples on the host's clock

NOTHING: Vector = (0.0, 0.0, 0.0)


class Row(NamedTuple):
    """One sensor at one grid instant.

    Attributes
    ----------
    turn_rad : tuple of 3 float
        From the previous instant to this one, sensor axes, bias and all.
    acc_ms2 : tuple of 3 float
        Specific force.
    measured, lost : bool
        Whether a sample lies near; whether in a gap so long that the orientation is lost.
    arrival_s : float
        When the sample came that completed it, by the host's clock.
    """

    turn_rad: Vector
    acc_ms2: Vector
    measured: bool
    lost: bool
    arrival_s: float


class ArrivalClock:
    """A sensor's clock mapped onto the host's, from the arrivals so far."""

    def __init__(self) -> None:
        self.rate = 1.0
        self._offset_s: float | None = None
        self._last_s = -math.inf

    def take(self, time_s: float, arrival_s: float) -> bool | None:
        """Learn from one arrival.

        Returns
        -------
        bool or None
            None where the sample repeats or precedes an earlier one; True where the clock began
            anew with it.
        """
        delay_s = arrival_s - self.rate * time_s
        back_s = self._last_s - time_s
        if 0.0 <= back_s < RESTART_S:
            return None
        known = self._offset_s
        anew = known is not None and (back_s >= RESTART_S or delay_s < known - RESTART_S)
        self._offset_s = delay_s if known is None or anew else min(known, delay_s)
        self._last_s = time_s
        return anew

    def host_s(self, time_s: float) -> float:
        """Time by the host's clock."""
        return self.rate * time_s + (self._offset_s or 0.0)

    def adopt(self, fit: ClockFit) -> None:
        """Take the rate and offset of a fit to what has arrived."""
        self.rate = fit.rate
        self._offset_s = fit.host_s - fit.rate * fit.device_s


class Feed:
    """Samples of one sensor -> rows on the grid.

    Parameters
    ----------
    origin_s : float
        The grid's instant 0 by the host's clock.
    """

    def __init__(self, clock: ArrivalClock, origin_s: float) -> None:
        self._clock = clock
        self._origin_s = origin_s
        self._last: Sample | None = None
        self._host_s = -math.inf
        self._turn = NOTHING
        self.next = 0  # the next grid instant to come

    def take(self, sample: Sample, arrival_s: float, anew: bool) -> list[Row]:
        """Take the sensor's next sample; give the grid instants that it completes."""
        host_s = max(self._clock.host_s(sample.time_s), self._host_s + LEAST_S)
        last, since_s = self._last, host_s - self._host_s
        self._last, self._host_s = sample, host_s
        if last is None:
            self.next = math.ceil((host_s - self._origin_s) * GRID_HZ)
            return []
        step_s = since_s if anew else self._clock.rate * (sample.time_s - last.time_s)
        return self._rows((last, sample), since_s, step_s, arrival_s)

    def _rows(
        self, pair: tuple[Sample, Sample], since_s: float, step_s: float, arrival_s: float
    ) -> list[Row]:
        """Grid instants between two samples."""
        (_, acc, rate), (_, next_acc, next_rate) = pair
        begin_s = self._host_s - since_s - self._origin_s
        gap = (since_s <= BRIDGED_FROM_S, since_s > LOST_AFTER_S)
        rows, done = [], 0.0
        while self.next / GRID_HZ <= begin_s + since_s:
            share = (self.next / GRID_HZ - begin_s) / since_s
            share = min(max(share, done), 1.0)
            self._add(rate, next_rate, (done, share), step_s)
            force = _between(acc, next_acc, share)
            rows.append(Row(self._turn, force, *gap, arrival_s))
            self._turn, done, self.next = NOTHING, share, self.next + 1
        self._add(rate, next_rate, (done, 1.0), step_s)
        return rows

    def _add(
        self, rate: Vector, next_rate: Vector, part: tuple[float, float], step_s: float
    ) -> None:
        """Add a part of the step between two samples to the turn since the last grid instant.

        With half the cross product of what was turned so far: the order of turns counts
        (Bortz 1971).
        """
        width = (part[1] - part[0]) * step_s
        x, y, z = _between(rate, next_rate, 0.5 * (part[0] + part[1]))
        own = (x * width, y * width, z * width)
        so_far = self._turn
        a, b, c = cross(so_far, own)
        self._turn = (
            so_far[0] + own[0] + 0.5 * a,
            so_far[1] + own[1] + 0.5 * b,
            so_far[2] + own[2] + 0.5 * c,
        )


def _between(a: Vector, b: Vector, share: float) -> Vector:
    return (
        a[0] + share * (b[0] - a[0]),
        a[1] + share * (b[1] - a[1]),
        a[2] + share * (b[2] - a[2]),
    )
