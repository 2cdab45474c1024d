"""Emulated sensors on the simulator's person, in real time: the whole path without hardware."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import replace

from imu.codecs.protocol import Codec, choose_rate
from imu.emulators.peripheral import Emulator, Notification, RefusedError
from imu.emulators.table import make_emulator
from imu.errors import LinkError
from imu.frames import Advertisement, Frame, Sample
from imu.samples import Stream
from imu.simulator.sessions import simulate_lean
from imu.simulator.settings import DrillSettings, SensorSettings
from imu.simulator.simulated_set import simulate_set
from imu.transports.hostclock import now
from imu.transports.links import Receive

ADVERTISED_S = 0.2
EVENT_S = 0.03  # a usual connection interval
MTU = 247
STILL_BEFORE_S = 8.0  # until the countdown is over
LIFT_AFTER_S = 5.5  # when she is asked for it
STILL_AFTER_LIFT_S = 5.0
PREFIX = "00:00:5E:00:53"  # addresses set aside for documentation (RFC 7042)


class Person:
    """What the sensors of one simulated person measure, from a first moment on.

    Parameters
    ----------
    side : str
        ``left`` or ``right``.
    seed : int
        Of everything random.
    rate_hz : float
        Of all sensors.
    drill : DrillSettings
        What the person does. Afterwards she sits still for as long as is asked.
    leans : bool
        She leans the trunk instead, forward and back, three times.
    """

    def __init__(
        self, side: str, seed: int, rate_hz: float, drill: DrillSettings, leans: bool = False
    ) -> None:
        sensors = SensorSettings(
            rate_hz=rate_hz,
            gyr_noise_deg_s_rthz=0.015,
            gyr_bias_deg_s=0.8,
            acc_noise_mg=4,
            arrivals=True,
            pelvis_clock_ppm=40.0,
            thigh_clock_ppm=-30.0,
            shank=True,
        )
        self.rate_hz = rate_hz
        recording, self.truth = simulate_set(drill, sensors, side, seed)
        if leans:
            recording = simulate_lean(drill, sensors, side, seed, drill.still_before_s)
        self._streams = recording.streams
        times_s = self._streams["pelvis"].time_s
        self.duration_s = float(times_s[-1] - times_s[0])
        self._first_s = {name: float(one[0]) for name, one in self.truth.true_s.items()}
        self.began_s: float | None = None

    def sample(self, segment: str, index: int) -> Sample:
        """Return a sensor's sample; past the end, the last second back and forth."""
        stream: Stream = self._streams[segment]
        last = len(stream.time_s) - 1
        beyond = max(index - last, 0)
        window = int(self.rate_hz)
        away = beyond % (2 * window)
        at = min(index, last) - (away if away <= window else 2 * window - away)
        x, y, z = stream.acc_ms2[at].tolist()
        u, v, w = stream.gyr_rads[at].tolist()
        time_s = float(stream.time_s[min(index, last)]) + beyond / self.rate_hz
        return Sample(time_s, (x, y, z), (u, v, w))

    def due(self, segment: str, now_s: float) -> int:
        """Count the samples that a sensor has taken by now."""
        if self.began_s is None:
            self.began_s = now_s
        since_s = now_s - self.began_s - self._first_s[segment]
        return max(0, int(since_s * self.rate_hz) + 1)


class SimulatedLink:
    """A connection to one emulated sensor."""

    def __init__(self, emulator: Emulator, person: Person, segment: str, receive: Receive) -> None:
        self._emulator = emulator
        self._person = person
        self._segment = segment
        self._receive = receive
        self._subscribed: set[str] = set()
        self._closed = False
        self._sent = 0
        self._task = asyncio.create_task(self._stream())

    @property
    def lost(self) -> bool:
        """Never: it can only be closed."""
        return self._closed

    def has(self, uuid: str) -> bool:
        """Whether the sensor has a service or characteristic."""
        services = self._emulator.services
        return uuid in services or any(uuid in inside for inside in services.values())

    async def read(self, characteristic: str) -> bytes:
        """Read a characteristic."""
        await asyncio.sleep(EVENT_S)
        try:
            return self._emulator.read(characteristic)
        except RefusedError as error:
            raise LinkError(f"reading {characteristic} was refused ({error})") from None

    async def write(self, characteristic: str, data: bytes, response: bool) -> None:
        """Write a characteristic."""
        await asyncio.sleep(EVENT_S if response else 0)
        try:
            answers = self._emulator.write(characteristic, data, self._time_s())
        except RefusedError as error:
            raise LinkError(f"writing {characteristic} was refused ({error})") from None
        asyncio.get_running_loop().call_later(EVENT_S, self._deliver, answers)

    async def subscribe(self, characteristic: str) -> None:
        """Have notifications delivered."""
        await asyncio.sleep(EVENT_S)
        self._subscribed.add(characteristic)
        self._deliver(self._emulator.subscribe(characteristic, on=True))

    async def unsubscribe(self, characteristic: str) -> None:
        """End notifications."""
        self._subscribed.discard(characteristic)
        self._emulator.subscribe(characteristic, on=False)

    async def close(self) -> None:
        """Disconnect."""
        if not self._closed:
            self._closed = True
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._emulator.unlink()

    def _time_s(self) -> float:
        taken = self._person.due(self._segment, now())
        return self._person.sample(self._segment, taken).time_s

    def _deliver(self, notifications: Sequence[Notification]) -> None:
        now_s = now()
        for one in notifications:
            if one.characteristic in self._subscribed and not self._closed:
                self._receive(Frame(one.characteristic, now_s, one.payload))

    async def _stream(self) -> None:
        """Send what was measured since the last connection event."""
        while True:
            await asyncio.sleep(EVENT_S)
            if not self._emulator.streaming:
                self._sent = -1
                continue
            due = self._person.due(self._segment, now())
            if self._sent < 0:
                self._sent = due
            for batch in self._batches(due):
                self._deliver(self._emulator.encode(batch, MTU))

    def _batches(self, due: int) -> Iterator[list[Sample]]:
        count = self._emulator.per_notification
        while self._sent + count <= due:
            indices = range(self._sent, self._sent + count)
            self._sent += count
            yield [self._person.sample(self._segment, index) for index in indices]


class SimulatedRadio:
    """A radio with one person's sensors in range, switched on.

    Parameters
    ----------
    codec : Codec
        The family of all of them.
    segments : sequence of str
        Where they are worn.
    side : str
        ``left`` or ``right``.
    rate_hz : float or None
        As asked for; the family's own by default.
    seed : int
        Of everything random.
    drill : DrillSettings, optional
        What the person does; she sits still until the countdown is over.
    does : str
        ``lean`` or ``lift``: what she is asked to do besides, or instead; empty for neither.

    Attributes
    ----------
    person : Person
        Who wears them; knows the truth.
    addresses : dict of str to str
        By segment.
    """

    def __init__(
        self,
        codec: Codec,
        segments: Sequence[str],
        side: str,
        rate_hz: float | None = None,
        seed: int = 0,
        drill: DrillSettings | None = None,
        does: str = "",
    ) -> None:
        drill = drill or DrillSettings(still_before_s=STILL_BEFORE_S)
        if does == "lift":
            drill = replace(
                drill, lifts=1, still_before_s=LIFT_AFTER_S, still_after_lift_s=STILL_AFTER_LIFT_S
            )
        self.person = Person(side, seed, choose_rate(codec, rate_hz), drill, does == "lean")
        self.addresses = {one: f"{PREFIX}:{at:02X}" for at, one in enumerate(segments, 1)}
        self._segments = {address: segment for segment, address in self.addresses.items()}
        self._emulators = {
            address: make_emulator(codec.name, address) for address in self._segments
        }

    async def scan(self, seconds: float) -> AsyncGenerator[Advertisement, None]:
        """Yield every sensor's advertisement, again and again."""
        end_s = now() + seconds
        while now() < end_s:
            await asyncio.sleep(min(ADVERTISED_S, seconds))
            for at, (address, emulator) in enumerate(self._emulators.items()):
                yield emulator.advertisement(address, -52 - 3 * at)

    async def connect(
        self, address: str, receive: Receive, lost: Callable[[], None], timeout_s: float
    ) -> SimulatedLink:
        """Connect to a sensor.

        Raises
        ------
        LinkError
            There is none of the address.
        """
        del lost, timeout_s
        if address not in self._emulators:
            raise LinkError(f"{address} is not there")
        await asyncio.sleep(2 * EVENT_S)
        return SimulatedLink(
            self._emulators[address], self.person, self._segments[address], receive
        )
