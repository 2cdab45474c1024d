"""An emulator worn by somebody: its clock, its faults, and the truth of every sample."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from imu.emulators.peripheral import Emulator, Notification
from imu.frames import BATTERY_LEVEL, Sample, Vector
from tests.radio.air import Air
from tests.radio.peripheral import Peripheral
from tests.radio.sources import Play, Source, swing

LAST_WORDS_S = 0.01  # what was sent before a link is cut still arrives


@dataclass
class Faults:
    """What goes wrong all the time; nothing by default.

    `clock_offset_s` is what the sensor's clock shows when it is switched on, `clock_ppm` by how
    much it runs fast; `jitter_s` the deviation of the time from measuring to sending; `loss` the
    share of notifications never sent; `refuse_first` so many connections fail; `early_notify` sends
    a sample before the subscription is acknowledged.
    """

    clock_offset_s: float = 100.0
    clock_ppm: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    refuse_first: int = 0
    early_notify: bool = False
    battery_percent: float = 90.0


class Truth(NamedTuple):
    """A sample as it was taken, and its fate: sent, stalled, lost, truncated, garbage, unheard."""

    index: int
    time_s: float
    fate: str
    acc_ms2: Vector
    gyr_rads: Vector


class VirtualSensor:
    """A sensor on the air, `truth` its samples so far.

    `script` has entries ``(seconds after the stream first began, order, arguments...)``, an order
    being the name of one of the methods under faults. `record` is called with every sample's truth.
    """

    def __init__(
        self,
        emulator: Emulator,
        address: str,
        source: Source | None = None,
        faults: Faults | None = None,
        script: Sequence[Sequence] = (),
        record: Callable[[Truth], None] = lambda _: None,
    ) -> None:
        self.emulator = emulator
        self.address = address
        self.truth: list[Truth] = []
        self.faults = faults or Faults()
        self.peripheral: Peripheral | None = None
        self._source = source or swing()
        self._script = script
        self.rssi_dbm = -60
        self._record = record
        self._random = random.Random(address)
        self._born_s = time.monotonic()
        self._taken = 0
        self._stream: asyncio.Task | None = None
        self._streaming: tuple[float, int] | None = None
        self._tasks: set[asyncio.Task] = set()
        self._stalled_until_s = -math.inf
        self._next_bad = ""
        self._leaving = self._away = False
        self._held: list[Truth] | None = None
        emulator.battery_percent = self.faults.battery_percent

    async def power_on(self, air: Air, play: Play) -> None:
        self._air, self._play = air, play
        peripheral = self.peripheral = Peripheral(self.emulator, self.address, air)
        peripheral.controller.rssi_dbm = self.rssi_dbm
        peripheral.controller.refusals = self.faults.refuse_first
        peripheral.clock = self.clock
        peripheral.changed = self._match
        peripheral.unlinked = self._unlinked
        if self.faults.early_notify:
            peripheral.early = self._notify_early
        await peripheral.power_on()

    def power_off(self) -> None:
        for task in (*self._tasks, *([self._stream] if self._stream else ())):
            task.cancel()
        self.peripheral.silence()
        self._settle("lost")

    def clock(self) -> float:
        """Its own time."""
        return self._device_s(time.monotonic())

    def _device_s(self, host_s: float) -> float:
        rate = 1.0 + self.faults.clock_ppm * 1e-6
        return self.faults.clock_offset_s + (host_s - self._born_s) * rate

    def _host_s(self, device_s: float) -> float:
        rate = 1.0 + self.faults.clock_ppm * 1e-6
        return self._born_s + (device_s - self.faults.clock_offset_s) / rate

    def _spawn(self, work: Coroutine) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- streaming

    def _match(self) -> None:
        """Stream as the emulator is set."""
        emulator = self.emulator
        wanted = (emulator.rate_hz, emulator.per_notification) if emulator.streaming else None
        if wanted == self._streaming:
            return
        self._streaming = wanted
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        if wanted is not None:
            self._stream = asyncio.create_task(self._measure(*wanted))
            script, self._script = self._script, ()
            for after_s, order, *arguments in script:
                self._spawn(self._follow(after_s, order, arguments))

    async def _follow(self, after_s: float, order: str, arguments: list) -> None:
        await asyncio.sleep(after_s)
        done = getattr(self, order)(*arguments)
        if done is not None:
            await done

    async def _measure(self, rate_hz: float, together: int) -> None:
        began_s, count = self.clock(), 0
        while True:
            times_s = [began_s + (count + nth) / rate_hz for nth in range(1, together + 1)]
            count += together
            late_s = abs(self._random.gauss(0.0, self.faults.jitter_s))
            await asyncio.sleep(self._host_s(times_s[-1]) + late_s - time.monotonic())
            self._send([self._take(time_s) for time_s in times_s])

    def _take(self, time_s: float) -> Sample:
        return Sample(time_s, *self._source(self._play.elapsed_s(self._host_s(time_s))))

    def _send(self, samples: list[Sample]) -> None:
        sent = self.emulator.encode(samples, self.peripheral.mtu)
        fate = self._fate(sent)
        if fate in ("truncated", "garbage"):
            sent = [Notification(uuid, self._spoil(payload)) for uuid, payload in sent]
            self._next_bad = ""
        if fate in ("sent", "truncated", "garbage"):
            self.peripheral.send(sent)
        self._note(samples, fate)

    def _fate(self, sent: list[Notification]) -> str:
        if not any(self.peripheral.hears(uuid) for uuid, _ in sent):
            return "unheard"
        if time.monotonic() < self._stalled_until_s:
            return "stalled"
        if self._leaving or self._random.random() < self.faults.loss:
            return "lost"
        return {"": "sent", "garbage": "garbage"}.get(self._next_bad, "truncated")

    def _spoil(self, payload: bytes) -> bytes:
        if self._next_bad == "garbage":
            return self._random.randbytes(len(payload))
        kept = 0 if self._next_bad == "empty" else self._random.randrange(1, len(payload))
        return payload[:kept]

    def _note(self, samples: list[Sample], fate: str) -> None:
        for sample in samples:
            truth = Truth(self._taken, sample.time_s, fate, sample.acc_ms2, sample.gyr_rads)
            self._taken += 1
            if self._held is not None:
                self._held.append(truth)
            else:
                self._tell(truth)

    def _tell(self, truth: Truth) -> None:
        self.truth.append(truth)
        self._record(truth)

    def _notify_early(self, uuid: str) -> None:
        now_s = self.clock()
        together = self.emulator.per_notification
        back_s = 1e-3 / self.emulator.rate_hz
        samples = [self._take(now_s - nth * back_s) for nth in reversed(range(together))]
        sent = [one for one in self.emulator.encode(samples, self.peripheral.mtu) if one[0] == uuid]
        if sent:
            self.peripheral.send(sent)
            self._note(samples, "sent")

    # --- links

    def _unlinked(self) -> None:
        self._leaving = False
        self._settle("lost")
        self._match()
        if not self._away:
            self._spawn(self.peripheral.advertise())

    def _settle(self, fate: str) -> None:
        """What was held crossed, or was lost."""
        held, self._held = self._held or [], None
        for truth in held:
            crossed = fate == "sent" or truth.fate in ("stalled", "unheard")
            self._tell(truth if crossed else truth._replace(fate=fate))

    # --- faults

    async def drop(self, away_s: float = 3.0) -> None:
        """Lose the link as if out of range; back on the air after a while."""
        self._leaving = self._away = True
        await asyncio.sleep(LAST_WORDS_S)
        self._air.cut(self.peripheral.controller)
        self.peripheral.silence()
        if away_s != math.inf:
            self._spawn(self._return(away_s))

    async def _return(self, away_s: float) -> None:
        await asyncio.sleep(away_s)
        self._away = self._leaving = False
        await self.peripheral.advertise()

    async def off(self) -> None:
        """Be gone for good."""
        await self.drop(math.inf)

    def stall(self, seconds: float) -> None:
        """Stay linked and measure, but send nothing."""
        self._stalled_until_s = time.monotonic() + seconds

    def hold(self, seconds: float) -> None:
        """Let nothing cross, then all of it at once."""
        self._held = self._held or []
        self._air.hold(self.peripheral.controller, seconds)
        asyncio.get_running_loop().call_later(seconds, self._settle, "sent")

    def next_bad(self, kind: str) -> None:
        """Spoil the next notification: ``truncate``, ``garbage`` or ``empty``."""
        self._next_bad = kind

    def refuse(self, count: int) -> None:
        """Let so many more connections fail."""
        controller = self.peripheral.controller
        controller.refusals = controller.refused + count

    def battery(self, percent: float) -> None:
        """Have a level, and say so to whoever asked for it."""
        self.emulator.battery_percent = percent
        if self.peripheral.hears(BATTERY_LEVEL):
            level = self.emulator.read(BATTERY_LEVEL)
            self.peripheral.send([Notification(BATTERY_LEVEL, level)])
