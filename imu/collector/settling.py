"""The time before a set: frames are kept, samples only looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from imu.collector.activity import Activity
from imu.collector.sensor import Item, Linked, Note, Sensor
from imu.decoding import SensorDecoding

KEPT_S = 15.0  # of frames
WATCHED_S = 2.0  # of stream, before the delivered rate can be told
STILL_S = 1.5  # enough to begin; more is taken along where there was more
LONG_STILL_S = 2.4
LATE_S = 1.5  # without a sample: it does not stream now
SLOW = 0.55  # of the rate that was set, or less: it may not have heard the order


class Watched:
    """One sensor before the set."""

    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        self.activity = Activity()
        self.decoding = SensorDecoding(sensor.codec, sensor.address)
        self.begun_s: float | None = None
        self.last_s = 0.0
        self.counted = 0
        self.first_packet = 0

    def begin(self, settings: Linked) -> None:
        """Its stream starts, or starts anew."""
        self.decoding.begin(settings.settings)
        self.activity.clear()
        self.begun_s = None
        self.counted = self.first_packet = 0


class WarmUp:
    """Looks at all sensors until a set can begin, and keeps the frames it begins with.

    The set's own decoders start afresh with the kept frames, so that its rows depend on nothing
    that came before.

    Parameters
    ----------
    sensors : iterable of Sensor
        All that stream.
    note : callable, optional
        Is told what came out of each frame.
    """

    def __init__(self, sensors: Iterable[Sensor], note: Note = lambda *_: None) -> None:
        self._note = note
        self._watched = {one.address: Watched(one) for one in sensors}
        self._kept: deque[tuple[Sensor, Item]] = deque()

    def take(self, sensor: Sensor, item: Item) -> None:
        """Look at what came."""
        watched = self._watched.get(sensor.address)
        if watched is None:
            return
        if isinstance(item, Linked):
            watched.begin(item)
            self._kept.clear()  # a set begins with one unbroken stream of each sensor
            return
        self._kept.append((sensor, item))
        while isinstance(self._kept[0][1], Linked) or (
            self._kept[0][1].arrival_s < item.arrival_s - KEPT_S
        ):
            self._kept.popleft()
        decoded = watched.decoding.feed(item)
        self._note(sensor, item.arrival_s, decoded)
        if decoded.samples:
            watched.activity.add(item.arrival_s, decoded.samples)
            self._count(watched, item.arrival_s, len(decoded.samples))

    @staticmethod
    def _count(watched: Watched, arrival_s: float, count: int) -> None:
        if watched.begun_s is None:
            watched.begun_s = arrival_s
            watched.first_packet = count
        watched.counted += count
        watched.last_s = arrival_s

    def forget(self, sensor: Sensor) -> None:
        """Look at a sensor no longer."""
        self._watched.pop(sensor.address, None)
        self._kept = deque(item for item in self._kept if item[0] is not sensor)

    def liveliness(self) -> dict[str, float]:
        """How much every sensor stirs, by address."""
        return {
            address: one.activity.liveliness(one.last_s) for address, one in self._watched.items()
        }

    def watched(self, now_s: float) -> bool:
        """Whether all have streamed for long enough, and do so now."""
        return all(
            one.begun_s is not None
            and one.last_s - one.begun_s >= WATCHED_S
            and now_s - one.last_s < LATE_S
            for one in self._watched.values()
        )

    def still_s(self) -> float:
        """For how long all have been still: 0, `STILL_S` or `LONG_STILL_S`."""
        for span_s in (LONG_STILL_S, STILL_S):
            if all(one.activity.still(one.last_s, span_s) for one in self._watched.values()):
                return span_s
        return 0.0

    def delivered_hz(self, sensor: Sensor) -> float | None:
        """Samples a second that really come; None where that cannot be told."""
        one = self._watched[sensor.address]
        if one.begun_s is None or one.last_s - one.begun_s < WATCHED_S:
            return None
        return (one.counted - one.first_packet) / (one.last_s - one.begun_s)

    def slow(self) -> dict[Sensor, float]:
        """Tell which sensors deliver far less than they were set to, and how much [Hz]."""
        rates_hz = {one.sensor: self.delivered_hz(one.sensor) for one in self._watched.values()}
        return {one: hz for one, hz in rates_hz.items() if hz and hz < SLOW * one.rate_hz}

    def hand_over(self, now_s: float, still_s: float) -> list[tuple[Sensor, Item]]:
        """Give the frames of the last ``still_s`` seconds, in the order they came."""
        kept = [
            (sensor, item)
            for sensor, item in self._kept
            if isinstance(item, Linked) or item.arrival_s >= now_s - still_s
        ]
        self._kept.clear()
        return kept
