"""A whole set, from the first scan to the last row."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

from imu.codecs.protocol import Decoded, choose_rate
from imu.collector.choosing import Candidate, Wanted, ask_roles, find_candidates, settle_roles
from imu.collector.discovery import Discovery
from imu.collector.observer import Observer, SensorStatus
from imu.collector.plans import Recorded, RecordPlan
from imu.collector.sensor import Item, Sensor
from imu.collector.settling import STILL_S, WarmUp
from imu.collector.synchronising import stop_synchronising, synchronise
from imu.collector.tasks import end_tasks
from imu.collector.writing import LOW_BATTERY_PERCENT, SetWriter
from imu.errors import HiprotError
from imu.frames import Batch
from imu.recording import SensorInfo
from imu.storage.journal import EventJournal, probe, update_info
from imu.transports.hostclock import now
from imu.transports.links import Radio

TICK_S = 0.1
SYNC_S = 0.5
SHOW_S = 0.25
COUNTED = 3  # seconds of the countdown that are said


class Recorder:
    """Records one set.

    Parameters
    ----------
    plan : RecordPlan
        What.
    radio : Radio
        By which.
    observer : Observer
        Who is told.
    """

    def __init__(self, plan: RecordPlan, radio: Radio, observer: Observer) -> None:
        self.plan = plan
        self.stop = asyncio.Event()
        self._observer = observer
        self._radio = radio
        self._discovery = Discovery(radio)
        self._queue: deque[tuple[Sensor, Item]] = deque()
        self._sensors: dict[str, Sensor] = {}
        self._roles: dict[str, Sensor] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._writer: SetWriter | None = None
        self._events = EventJournal(plan.set_plan.folder)
        self._began_s: float | None = None
        self._shown_s = 0.0
        self._arrived = asyncio.Event()

    @property
    def running(self) -> bool:
        """Whether the set has begun."""
        return self._began_s is not None

    def mark(self, kind: str, score: float | None = None, text: str = "") -> bool:
        """Write a marker, now; False before the set runs."""
        return self._writer is not None and self._writer.mark(kind, now(), score, text)

    async def record(self) -> Recorded:
        """Do it all.

        Raises
        ------
        HiprotError
            It could not begin. What goes wrong later is in the result.
        """
        failure: HiprotError | None = None
        try:
            await self._set_up()
            await self._take_set()
        except HiprotError as error:
            failure = error
        finally:
            await self._let_go()
        recorded = self._finish(failure)
        if recorded.set_name is None and recorded.failure is not None:
            raise recorded.failure
        return recorded

    # --- before the set

    async def _set_up(self) -> None:
        """Find the sensors, set them up, start them, find out who is worn where, and settle."""
        probe(self.plan.set_plan.folder)
        wanted = Wanted(self.plan.roles, self.plan.codecs, self.plan.find_s)
        candidates = await find_candidates(self._radio, wanted, self.stop)
        if self.stop.is_set():
            return
        roles = settle_roles(wanted, candidates)
        needed = [one for one in candidates if one.address in roles.values()]
        needed = needed if len(roles) == len(wanted.roles) else candidates
        for one in needed:
            self._sensors[one.address] = self._sensor(one)
        await self._open()
        if self.stop.is_set():
            return
        await self._all("begin")
        warm = WarmUp(self._sensors.values(), self._preview)
        for address, sensor in self._sensors.items():
            self._keepers[address] = asyncio.create_task(sensor.keep(self.plan.give_up_s))
        await self._assign(roles, warm)
        if not self.stop.is_set():
            await self._settle(warm)

    async def _open(self) -> None:
        """Connect to all sensors and set them up, on one clock where that is asked for."""
        sensors = list(self._sensors.values())
        for sensor in sensors:
            self._observer.say(f"Connecting to {sensor.codec.model} {sensor.address}.")
        await self._all("open", self.plan.find_s)
        if self.plan.sync:
            await self._unless_stopped(synchronise(sensors, self._observer, self.plan.find_s))
        for sensor in sensors:
            self._tell_low_battery(sensor)

    def _sensor(self, one: Candidate) -> Sensor:
        rate_hz = choose_rate(one.codec, self.plan.rate_hz)
        sensor = Sensor(
            one.address, one.codec, rate_hz, self._discovery, lambda *item: self._arrive(item)
        )
        sensor.catch_up = self._drain
        sensor.on_outage, sensor.on_return = self._on_outage, self._on_return
        return sensor

    def _arrive(self, item: tuple[Sensor, Item]) -> None:
        self._queue.append(item)
        self._arrived.set()

    async def _next(self) -> None:
        """Wait until something arrives, at most a tick: what is shown live is not kept waiting."""
        waker = asyncio.get_running_loop().call_later(TICK_S, self._arrived.set)
        try:
            await self._arrived.wait()
        finally:
            waker.cancel()
        self._arrived.clear()

    async def _all(self, method: str, *args: float) -> None:
        """Have all sensors do one thing at the same time."""
        await self._unless_stopped(*(getattr(one, method)(*args) for one in self._sensors.values()))

    async def _unless_stopped(self, *works: Coroutine[Any, Any, None]) -> None:
        """Have things done at the same time; the first failure ends them, and so does a stop."""
        tasks = [asyncio.create_task(work) for work in works]
        stopped = asyncio.create_task(self.stop.wait())
        try:
            waiting: set[asyncio.Task[Any]] = {*tasks}
            while waiting and not self.stop.is_set():
                done, waiting = await asyncio.wait(
                    {*waiting, stopped}, return_when=asyncio.FIRST_COMPLETED
                )
                waiting.discard(stopped)
                for task in done - {stopped}:
                    task.result()
        finally:
            await end_tasks([stopped, *tasks])

    def _tell_low_battery(self, sensor: Sensor) -> None:
        percent = sensor.battery_percent
        if percent is not None and percent < LOW_BATTERY_PERCENT:
            self._observer.say(f"The battery of {sensor.address} is low: {percent:.0f} %.")

    async def _assign(self, roles: Mapping[str, str], warm: WarmUp) -> None:
        """Find out which sensor is worn where, and let go of those that are not needed."""
        segments = list(self.plan.roles)
        if len(roles) < len(segments):
            warming = asyncio.create_task(self._keep_warm(warm))
            try:
                roles = await ask_roles(roles, segments, warm.liveliness, self._observer, self.stop)
            finally:
                await end_tasks([warming])
        if self.stop.is_set():
            return
        self._roles = {segment: self._sensors[roles[segment]] for segment in segments}
        for address, sensor in list(self._sensors.items()):
            if address not in roles.values():
                await end_tasks([self._keepers.pop(address)])
                del self._sensors[address]
                warm.forget(sensor)
                await sensor.end()
                await sensor.let_go()

    def _preview(self, sensor: Sensor, arrival_s: float, decoded: Decoded) -> None:
        """Note what came before the set, and show it to whoever checks how the person sits."""
        sensor.note(arrival_s, decoded)
        for segment, one in self._roles.items():
            if one is sensor and decoded.samples and self.plan.preview is not None:
                self.plan.preview(Batch(segment, arrival_s, decoded.samples))

    async def _keep_warm(self, warm: WarmUp) -> None:
        while True:
            self._warm_tick(warm)
            await asyncio.sleep(TICK_S)

    def _warm_tick(self, warm: WarmUp) -> None:
        self._raise_given_up()
        while self._queue:
            warm.take(*self._queue.popleft())
        self._show()

    async def _settle(self, warm: WarmUp) -> None:
        """Wait until all stream and are still, not for ever, and begin the set with it."""
        while not self.stop.is_set() and not self.plan.ready():
            self._warm_tick(warm)
            await asyncio.sleep(TICK_S)
        self._observer.say("Sit still.")
        patience_s: float | None = None
        still_s = 0.0
        while not self.stop.is_set() and not still_s:
            self._warm_tick(warm)
            now_s = now()
            if warm.watched(now_s) and not self._start_anew(warm):
                patience_s = patience_s or now_s + self.plan.still_s
                still_s = warm.still_s()
                if not still_s and now_s > patience_s:
                    self._observer.say("Still moving; the set begins nevertheless.")
                    still_s = STILL_S
            await asyncio.sleep(TICK_S)
        if still_s:
            self._begin(warm, still_s)

    def _start_anew(self, warm: WarmUp) -> bool:
        """Have slow sensors set up once more; whether that is still to be done."""
        to_do = [one.start_anew() for one in warm.slow()]
        return any(to_do)

    def _begin(self, warm: WarmUp, still_s: float) -> None:
        """Begin the set, with the stillness just seen."""
        for sensor, delivered_hz in warm.slow().items():
            what = f"delivers {delivered_hz:.0f} of {sensor.rate_hz:g} samples a second"
            self._observer.say(f"The {self._segment(sensor)} sensor {what}.")
        for sensor in self._roles.values():
            rate_hz = warm.delivered_hz(sensor)
            if rate_hz is not None:
                sensor.settings = {**sensor.settings, "measured_rate_hz": round(rate_hz, 3)}
            sensor.reconnects = 0
        self._write_info()
        self._writer = SetWriter(
            self.plan.set_plan, self._roles, self._events, self._observer.say, Sensor.note
        )
        self._writer.take(warm.hand_over(now(), still_s))

    def _write_info(self) -> None:
        sensors = {
            segment: SensorInfo(
                model=one.identity.model,
                address=one.address,
                firmware=one.identity.firmware,
                rate_hz=one.rate_hz,
                battery_percent=one.battery_percent,
            )
            for segment, one in self._roles.items()
        }
        update_info(self.plan.set_plan.folder, replace(self.plan.info, sensors=sensors))

    # --- the set

    async def _take_set(self) -> None:
        """Count down, then record until stopped."""
        begin_s = now()
        go_s = begin_s + self.plan.countdown_s
        end_s = float("inf") if self.plan.seconds is None else go_s + self.plan.seconds
        counted = int(self.plan.countdown_s)
        self._began_s = begin_s
        syncing = asyncio.create_task(self._keep_synced())
        try:
            while not self.stop.is_set() and now() < end_s:
                if counted >= 0 and now() >= go_s - counted:
                    self._say_count(counted)
                    counted -= 1
                self._raise_given_up()
                if syncing.done():
                    syncing.result()
                self._drain()
                self._show()
                await self._next()
        finally:
            await end_tasks([syncing])

    def _say_count(self, counted: int) -> None:
        """Say the last three seconds of the countdown, and its end."""
        if counted <= COUNTED:
            self._observer.say(str(counted) if counted else self.plan.go)

    async def _keep_synced(self) -> None:
        """Bring what is written down to the disk, in a thread: a slow disk delays nobody."""
        while self._writer is not None:
            await asyncio.sleep(SYNC_S)
            await asyncio.to_thread(self._writer.sync)

    def _drain(self) -> None:
        """Write what has come."""
        if self._writer is not None and self._queue:
            items = list(self._queue)
            self._queue.clear()
            self._writer.take(items)

    def _raise_given_up(self) -> None:
        """End where a sensor is given up, or watching it broke."""
        for task in self._keepers.values():
            if task.done() and not task.cancelled():
                task.result()

    def _segment(self, sensor: Sensor) -> str:
        names = [segment for segment, one in self._roles.items() if one is sensor]
        return names[0] if names else sensor.address

    def _on_outage(self, sensor: Sensor, why: str) -> None:
        segment = self._segment(sensor)
        self._observer.say(f"The {segment} sensor: {why}.")
        if self._writer is not None:
            since_s = sensor.last_sample_s or now()
            self._writer.mark("dropout", since_s, None, f"{segment}: {why}")

    def _on_return(self, sensor: Sensor, away_s: float) -> None:
        segment = self._segment(sensor)
        self._observer.say(f"The {segment} sensor is back, after {away_s:.1f} s.")
        if self._writer is not None:
            back_s = sensor.last_sample_s or now()
            self._writer.mark("reconnect", back_s, None, f"{segment}: back after {away_s:.1f} s")

    # --- the end

    async def _let_go(self) -> None:
        """End the streams and let go of the sensors; never fails."""
        await end_tasks(self._keepers.values())
        await self._discovery.close()
        sensors = list(self._sensors.values())
        await asyncio.gather(*(one.end() for one in sensors))
        if self.plan.sync:
            await stop_synchronising(sensors)
        await asyncio.gather(*(one.let_go() for one in sensors))

    def _finish(self, failure: HiprotError | None) -> Recorded:
        """Write what was still on its way, and close the files; the first failure counts."""
        writer = self._writer
        if writer is not None:
            try:
                self._drain()
                writer.finish()
            except HiprotError as error:
                failure = failure or error
                writer.close()
        name = writer.name if writer else None
        return Recorded(name, self._lasted_s(), self.statuses(), failure)

    def _lasted_s(self) -> float:
        writer = self._writer
        if writer is None or writer.first_arrival_s is None:
            return 0.0
        lasts = [part.decoding.last_arrival_s or 0.0 for part in writer.parts.values()]
        return max(lasts) - writer.first_arrival_s

    # --- what is shown

    def statuses(self) -> tuple[SensorStatus, ...]:
        """How the sensors are now."""
        roles = self._roles or {f"?{address}": one for address, one in self._sensors.items()}
        return tuple(self._status(segment, one) for segment, one in roles.items())

    def _status(self, segment: str, one: Sensor) -> SensorStatus:
        tally = None if self._writer is None else self._writer.parts[segment].tally
        age_s = None if one.last_sample_s is None else now() - one.last_sample_s
        return SensorStatus(
            segment="" if segment.startswith("?") else segment,
            name=one.identity.model,
            address=one.address,
            state=one.state,
            rate_hz=one.rate_hz,
            samples=tally.samples if tally else 0,
            lost=tally.lost if tally else 0,
            refused=tally.refused if tally else 0,
            duplicates=tally.duplicates if tally else 0,
            reconnects=one.reconnects,
            age_s=age_s,
            battery_percent=one.battery_percent,
        )

    def _show(self) -> None:
        now_s = now()
        if now_s - self._shown_s >= SHOW_S:
            self._shown_s = now_s
            elapsed_s = None if self._began_s is None else now_s - self._began_s
            self._observer.show(self.statuses(), elapsed_s)
