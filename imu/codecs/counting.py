"""The times of samples that carry none and are only counted, told by their arrivals.

Sample k is at ``origin + k / rate``. A packet can be late but never early, so its delay (arrival
minus the time of its last sample) has a lower envelope: a line, level but for the skew between
the sensor's clock and the host's. Samples that were lost make all later delays larger, for good; a
link that was held does so for a moment only. So after a silence nothing can be told at once: what
arrives is held back until its delay is usual again (nothing was lost) or has stayed larger for a
while (the difference was lost, in the silence). Losses too small to be seen against the jitter add
up until they can.

Refused: times by arrival, which carry the link's jitter of tens of ms; and a count that never
jumps, which makes a whole set late once a sensor has stalled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from imu.codecs.protocol import StreamSettings
from imu.frames import Sample, Vector

Reading = tuple[Vector, Vector]
"""Specific force [m/s²] and angular velocity [rad/s] of one sample."""

MAX_SKEW = 0.05  # what the reader of a recording allows, `imu.clock.MAX_RATE_ERROR`
SILENCE_S, SILENCE_INTERVALS = 0.15, 2.5
JITTER_S = 0.06  # links have events every 50 ms at the slowest; a delay varies by as much
STEADY_S, STEADY_INTERVALS = 0.25, 3.0
DRAINING_S = 0.08  # a delay that falls by more within STEADY_S falls because of a backlog
PATIENCE_S = 5.0  # hold nothing back for longer
BUCKET_S = 0.5
MEMORY = 60  # buckets: a skew that changes with temperature is followed within half a minute
RECENT = 4  # buckets in which a rise must have lasted
LEVEL_WITHIN_S = 1.0  # as `imu.clock.fit_clock`: a few seconds tell nothing of a skew


def counting_rate(settings: StreamSettings) -> float:
    """Tell the rate to count by [Hz]: the one set, unless the sensor clearly keeps to another."""
    rate_hz = float(settings["rate_hz"])
    measured_hz = float(settings.get("measured_rate_hz") or rate_hz)
    return measured_hz if abs(measured_hz / rate_hz - 1.0) > MAX_SKEW else rate_hz


class Line(NamedTuple):
    """The least delay to be expected.

    Attributes
    ----------
    at_s : float
        Arrival of the last delay it was drawn from.
    span_s : float
        Since the first of them.
    delay_s : float
        Least delay there.
    slope : float
        Its change with the arrival; the skew.
    doubt : float
        By how much the slope may be wrong.
    """

    at_s: float
    span_s: float
    delay_s: float
    slope: float
    doubt: float

    def rise(self, arrival_s: float, delay_s: float) -> float:
        """Tell by how much a delay is above the line [s]."""
        return delay_s - self.delay_s - self.slope * (arrival_s - self.at_s)

    def tolerance(self, arrival_s: float) -> float:
        """Tell what a delay may be above the line without any loss [s]."""
        return JITTER_S + self.doubt * (arrival_s - self.at_s + min(self.span_s, 1.0))


class Envelope:
    """The least delays of the last half minute, one for every half second."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float]] = []
        self._until_s = 0.0
        self._known = (0.0, MAX_SKEW)  # the skew and its doubt, from before the first point

    def add(self, arrival_s: float, delay_s: float) -> bool:
        """Take a packet's delay; tell whether it is the first of a bucket."""
        if not self.points or arrival_s >= self._until_s:
            self._until_s = arrival_s + BUCKET_S
            self.points.append((arrival_s, delay_s))
            del self.points[:-MEMORY]
            return True
        if delay_s < self.points[-1][1]:
            self.points[-1] = (arrival_s, delay_s)
        return False

    def restart(self) -> None:
        """Forget the delays, not the skew: after a loss their offset is another by its error."""
        line = self.line()
        if line is not None:
            self._known = (line.slope, line.doubt)
        self.points = []

    def lower(self, points: int, by_s: float) -> None:
        """Forget all but the latest delays, which a loss had made larger, and the skew.

        What was taken for a loss could still be a skew: it has to be learnt anew, or the next
        rise would be taken for a loss again.
        """
        self.points = [(arrival_s, delay_s - by_s) for arrival_s, delay_s in self.points[-points:]]
        self._known = (0.0, MAX_SKEW)

    def line(self, without: int = 0) -> Line | None:
        """Draw the line below the delays, but for the latest ``without``; None without any.

        Of all lines below the points the one with the smallest summed delay: the edge of the
        lower hull above their mean arrival, as in `imu.clock.fit_clock`.
        """
        points = _possible(self.points[: len(self.points) - without])
        if not points:
            return None
        at_s = points[-1][0]
        span_s = at_s - points[0][0]
        doubt = min(MAX_SKEW, 2.0 * JITTER_S / span_s) if span_s > 0.0 else MAX_SKEW
        slope, known = self._known
        if doubt < known:
            slope = _middle_slope(points)
        doubt = min(doubt, known)
        delay_s = min(delay - slope * (arrival - at_s) for arrival, delay in points)
        return Line(at_s, span_s, delay_s, slope, doubt)


def _possible(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Leave out delays so much larger than a later one that no skew explains it: all were late."""
    kept: list[tuple[float, float]] = []
    least, at = math.inf, 0.0
    for x, y in reversed(points):
        least, at = min(least + MAX_SKEW * (at - x), y), x
        if y <= least + JITTER_S:
            kept.append((x, y))
    return kept[::-1]


def _middle_slope(points: Sequence[tuple[float, float]]) -> float:
    """Slope of the lower hull at the mean abscissa, no steeper than any skew."""
    hull = _lower_hull(points)
    middle = sum(x for x, _ in points) / len(points)
    slowest = _slope(hull, middle - LEVEL_WITHIN_S, -MAX_SKEW)
    fastest = _slope(hull, middle + LEVEL_WITHIN_S, MAX_SKEW)
    return max(-MAX_SKEW, min(max(0.0, slowest), fastest, MAX_SKEW))


def _lower_hull(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Lower convex hull of points in order of their abscissae (monotone chain)."""
    hull: list[tuple[float, float]] = []
    for x, y in points:
        while len(hull) > 1:
            (x0, y0), (x1, y1) = hull[-2:]
            if (x1 - x0) * (y - y0) > (x - x0) * (y1 - y0):
                break
            hull.pop()
        hull.append((x, y))
    return hull


def _slope(hull: Sequence[tuple[float, float]], at: float, beyond: float) -> float:
    """Slope of the hull's edge at an abscissa; beyond its ends a given one."""
    for (x0, y0), (x1, y1) in pairwise(hull):
        if x0 <= at < x1:
            return (y1 - y0) / (x1 - x0)
    return beyond


class _Held(NamedTuple):
    """Samples of one arrival, held back."""

    arrival_s: float
    delay_s: float
    readings: tuple[Reading | None, ...]


@dataclass(slots=True)
class CountedClock:
    """Gives counted samples their times, online; a pure function of counts and arrivals.

    Parameters
    ----------
    rate_hz : float
        Nominal; the true one may be off by 5 %.

    Notes
    -----
    Times are by the sensor's own clock, as if it were true: its first sample is at its arrival,
    and a skew is left to whoever reads the recording. How packets that arrive together are cut
    does not matter.

    A notification lost on its own cannot be told from an event of the link skipped on its own
    (both make the delay larger by one packet); a loss is made good once it is clearly more than
    that, at the latest when several have added up. Losses at an even pace look like a skew: where
    1 in 100 notifications is lost on its own, times are off by 0.15 s at worst in a typical minute.
    """

    rate_hz: float
    _origin_s: float = 0.0
    _index: int = -1  # of the next sample; lost ones are counted. -1: there was none yet
    _arrival_s: float = 0.0
    _interval_s: float = 0.0
    _envelope: Envelope = field(default_factory=Envelope)
    _line: Line | None = None  # while samples are held back
    _held: list[_Held] = field(default_factory=list)
    _held_count: int = 0
    _relinked: bool = False
    _ready: list[Sample] = field(default_factory=list)

    def place(self, readings: Sequence[Reading | None], arrival_s: float) -> tuple[Sample, ...]:
        """Take what arrived, and give the samples whose time is known by now.

        Parameters
        ----------
        readings : sequence of Reading or None
            In the order they were taken; None stands for one known to be missing.
        arrival_s : float
            When the host received them, by its monotonic clock.

        Returns
        -------
        tuple of Sample
            Times increase strictly over the clock's whole life.
        """
        if not readings:
            return ()
        if self._index < 0:
            self._origin_s, self._arrival_s, self._index = arrival_s, arrival_s, 0
            self._relinked = False
        if arrival_s > self._arrival_s:
            self._pass_on(arrival_s)
        if self._line is None:
            self._stamp(readings)
        else:
            self._hold(readings)
        ready, self._ready = self._ready, []
        return tuple(ready)

    def relink(self, rate_hz: float) -> None:
        """Samples were lost: place the next one by its arrival, never before the last.

        Parameters
        ----------
        rate_hz : float
            From now on; a new rate makes what was learnt of the skew void.
        """
        self._flush()
        self._relinked = True
        if self._index >= 0 and rate_hz != self.rate_hz:
            least = self._envelope.line()
            self._origin_s += (self._index - 1) / self.rate_hz + 1.0 / rate_hz
            self._index = 0
            self._envelope = Envelope()
            if least is not None:
                self._envelope.add(least.at_s, least.delay_s)
        self.rate_hz = rate_hz

    def finish(self) -> tuple[Sample, ...]:
        """Give what was held back."""
        self._flush()
        ready, self._ready = self._ready, []
        return tuple(ready)

    def _stamp(self, readings: Sequence[Reading | None]) -> None:
        origin_s, index, rate_hz = self._origin_s, self._index, self.rate_hz
        for reading in readings:
            if reading is not None:
                self._ready.append(Sample(origin_s + index / rate_hz, *reading))
            index += 1
        self._index = index

    def _delay(self, index: int) -> float:
        """Delay of what arrived last, were it the samples before this one."""
        return self._arrival_s - (self._origin_s + (index - 1) / self.rate_hz)

    def _pass_on(self, arrival_s: float) -> None:
        """Close what arrived before, and tell whether there was a silence since."""
        spacing_s = arrival_s - self._arrival_s
        if self._line is not None:
            self._settle(arrival_s)
        elif self._envelope.add(self._arrival_s, self._delay(self._index)):
            self._catch_up()
        if self._line is None:
            limit_s = max(SILENCE_S, SILENCE_INTERVALS * self._interval_s)
            if self._relinked or spacing_s > limit_s:
                self._line = self._envelope.line()
            else:
                self._interval_s += 0.1 * (spacing_s - self._interval_s)
        self._arrival_s = arrival_s

    def _hold(self, readings: Sequence[Reading | None]) -> None:
        """Hold samples back; let all of them go where the delay is usual."""
        assert self._line is not None
        self._held_count += len(readings)
        delay_s = self._delay(self._index + self._held_count)
        held = _Held(self._arrival_s, delay_s, tuple(readings))
        self._held.append(held)
        usual_s = self._line.tolerance(self._arrival_s)
        if not self._relinked and self._line.rise(self._arrival_s, delay_s) <= usual_s:
            self._held.pop()
            self._release(lost=0)
            self._stamp(readings)

    def _settle(self, arrival_s: float) -> None:
        """Let the samples held back go once their delay has ceased to fall."""
        held_s = arrival_s - self._held[0].arrival_s
        window_s = max(STEADY_S, STEADY_INTERVALS * self._interval_s)
        if held_s >= window_s and self._is_steady(arrival_s - window_s):
            self._release()
        elif held_s > PATIENCE_S:
            # in doubt nothing is lost: what really is will be seen by _catch_up
            self._release(lost=None if self._relinked else 0)

    def _is_steady(self, since_s: float) -> bool:
        """Whether something came since, and its delays do not fall as those of a backlog."""
        # of one arrival the last tells the delay
        last = {held.arrival_s: held.delay_s for held in self._held if held.arrival_s >= since_s}
        return bool(last) and max(last.values()) - self._held[-1].delay_s <= DRAINING_S

    def _release(self, lost: int | None = None) -> None:
        """Stamp what was held back, after as many samples as its delays tell to be lost."""
        line, self._line = self._line, None
        if line is None:
            return
        if lost is None:
            rise_s = min(line.rise(held.arrival_s, held.delay_s) for held in self._held)
            lost = max(0, round(rise_s * self.rate_hz))
        if lost:
            self._index += lost
            self._envelope.restart()
        for held in self._held:
            self._stamp(held.readings)
            self._envelope.add(held.arrival_s, held.delay_s - lost / self.rate_hz)
        self._held, self._held_count, self._relinked = [], 0, False

    def _flush(self) -> None:
        """Release what is held back before anything more is known."""
        if self._line is not None:
            surely = self._relinked or self._is_steady(self._arrival_s - STEADY_S)
            self._release(lost=None if surely else 0)

    def _catch_up(self) -> None:
        """Count as lost by how much the delays have risen, where they did for good."""
        recent = self._envelope.points[-RECENT - 1 : -1]  # the very last has just begun
        line = self._envelope.line(without=RECENT + 1)
        if line is None or len(recent) < RECENT:
            return
        rises_s = [line.rise(*point) for point in recent]
        rise_s = min(rises_s)
        lasts = max(rises_s) - rise_s <= DRAINING_S
        if lasts and rise_s > line.tolerance(recent[-1][0]):
            lost = round(rise_s * self.rate_hz)
            self._index += lost
            self._envelope.lower(RECENT + 1, lost / self.rate_hz)
