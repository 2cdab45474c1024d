"""The machine's Bluetooth, through bleak; the only module that knows it.

What it takes to be reliable with the systems' Bluetooth services, BlueZ above all:

- One scanner, and never a scan while connecting: with a scan running a connection takes ten times
  as long. Both take turns. A scan that is under way ends early where somebody wants to connect, so
  whoever scans must be prepared to scan again.
- A connection starts from the device as it was scanned, never from its address. After a failed one
  the system may have dropped the device, so it is forgotten here too and must be heard again.
- Every lost link is disconnected, although the system calls it disconnected already: else each
  further link to the same sensor delivers every notification once more.
- Notifications are switched on by BlueZ's StartNotify, bleak's default: AcquireNotify loses those
  that a sensor sends before it has acknowledged the subscription.
- No call waits for ever, and whatever bleak raises becomes one line.
- Connections are made a second apart. A sensor may ask for another connection interval as soon as
  it is connected; where that meets the next attempt, Linux (6.1) misses the end of this attempt,
  and from then on neither scans nor disconnects.
- The MTU is not asked for: BlueZ's answer is wrong.
- BlueZ keeps the links of a program that was killed. Before the first scan those are ended that a
  dead one of our own programs noted (`imu.transports.stale_links`).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

from imu.errors import LinkError, MachineError
from imu.frames import Advertisement, Frame
from imu.transports.diagnosis import adapter_trouble, is_busy, one_line, scan_trouble
from imu.transports.links import Receive
from imu.transports.stale_links import LinkNotes, default_folder, end_links

Result = TypeVar("Result")

ANSWER_S = 5.0  # a read, a write, a subscription
PART_S = 5.0  # disconnecting; ending a scan
START_S = 20.0  # starting a scan: macOS may first ask the user for permission
BUSY_S = 5.0  # another program's scan is waited for
BUSY_PAUSE_S = 0.25
APART_S = 1.0  # between connections

Backends = tuple[type[BaseBleakScanner] | None, type[BaseBleakClient] | None]


def backends() -> Backends:
    """Tell which of bleak's backends a `BleRadio` uses by default: None, the system's.

    The one place where a program may put a virtual radio in place of the machine's.
    """
    return None, None


async def _quietly(call: Awaitable[object]) -> None:
    """Await what ends something: for a bounded time, whatever comes of it."""
    with suppress(Exception):
        async with asyncio.timeout(PART_S):
            await call


class BleLink:
    """A connection to one sensor; see `imu.transports.links.Link`.

    Parameters
    ----------
    device : BLEDevice
        As it was scanned.
    receive, lost : callable
        As in `imu.transports.links.Radio.connect`.
    timeout_s : float
        How long connecting may take.
    backend : type or None
        Bleak's, None for the system's.
    notes : LinkNotes or None
        Where the link is noted for whoever comes after a kill.
    """

    def __init__(
        self,
        device: BLEDevice,
        receive: Receive,
        lost: Callable[[], None],
        timeout_s: float,
        backend: type[BaseBleakClient] | None,
        notes: LinkNotes | None = None,
    ) -> None:
        self.address = device.address
        self._notes = notes
        self._receive: Receive | None = receive
        self._on_lost = lost
        self._timeout_s = timeout_s
        self._client = BleakClient(
            device,
            disconnected_callback=lambda _: self._disconnected(),
            timeout=timeout_s,
            backend=backend,
        )
        self._services: frozenset[str] = frozenset()
        self._characteristics: dict[str, BleakGATTCharacteristic] = {}
        self._subscribed: set[str] = set()
        self._open = False
        self._lost = False
        self._parting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        LinkError
            The sensor does not answer, refuses or hangs up.
        MachineError
            The machine's Bluetooth does not work.
        """
        if self._notes is not None:
            self._notes.add(self.address)
        try:
            async with asyncio.timeout(self._timeout_s + PART_S):  # bleak's own end comes first
                await self._client.connect()
            self._take_services()
        except TimeoutError as error:
            what = f"it did not answer within {self._timeout_s:g} s"
            remedy = "Switch it on, bring it nearer, and close other programs that use it"
            raise LinkError(f"{self.address}: connecting failed, {what}. {remedy}.") from error
        except Exception as error:  # bleak's, the system's, and what is raised inside of them
            trouble = adapter_trouble(error)
            if trouble:
                raise MachineError(trouble) from error
            raise LinkError(f"{self.address}: connecting failed: {one_line(error)}.") from error
        if self._lost or not self._client.is_connected:
            raise LinkError(f"{self.address}: connecting failed, it hung up at once.")
        self._open = True

    def _take_services(self) -> None:
        """Remember what the sensor offers; the first where a UUID is there twice."""
        services = self._client.services
        self._services = frozenset(service.uuid.lower() for service in services)
        for service in services:
            for characteristic in service.characteristics:
                self._characteristics.setdefault(characteristic.uuid.lower(), characteristic)

    @property
    def lost(self) -> bool:
        """Whether the link is gone."""
        return self._lost

    def has(self, uuid: str) -> bool:
        """Whether the sensor has a service or characteristic."""
        return uuid.lower() in self._services or uuid.lower() in self._characteristics

    async def read(self, characteristic: str) -> bytes:
        """Read a characteristic."""
        found = self._find(characteristic, "read")
        return bytes(await self._ask("read", found, self._client.read_gatt_char(found)))

    async def write(self, characteristic: str, data: bytes, response: bool) -> None:
        """Write a characteristic."""
        found = self._find(characteristic, "write")
        writing = self._client.write_gatt_char(found, data, response=response)
        await self._ask("write", found, writing)

    async def subscribe(self, characteristic: str) -> None:
        """Have notifications delivered; subscribing twice does no harm."""
        found = self._find(characteristic, "subscribe")
        uuid = found.uuid.lower()
        if uuid in self._subscribed:
            return

        def notified(_: BleakGATTCharacteristic, data: bytearray) -> None:
            if self._receive is not None:
                self._receive(Frame(uuid, time.monotonic(), bytes(data)))

        await self._ask("subscribe", found, self._client.start_notify(found, notified))
        self._subscribed.add(uuid)

    async def unsubscribe(self, characteristic: str) -> None:
        """End notifications; where there are none it does no harm."""
        found = self._find(characteristic, "unsubscribe")
        if found.uuid.lower() in self._subscribed:
            await self._ask("unsubscribe", found, self._client.stop_notify(found))
            self._subscribed.discard(found.uuid.lower())

    def _find(self, uuid: str, verb: str) -> BleakGATTCharacteristic:
        """Find a characteristic on a link that lives."""
        if self._receive is None:
            how = "lost" if self._lost else "closed"
            raise LinkError(f"{self.address}: cannot {verb} {uuid}, the link is {how}.")
        if uuid.lower() not in self._characteristics:
            raise LinkError(f"{self.address}: cannot {verb} {uuid}, the sensor does not have it.")
        return self._characteristics[uuid.lower()]

    async def _ask(
        self, verb: str, characteristic: BleakGATTCharacteristic, call: Awaitable[Result]
    ) -> Result:
        """Await the sensor's answer for a bounded time."""
        tried = f"{self.address}: cannot {verb} {characteristic.uuid}"
        try:
            async with asyncio.timeout(ANSWER_S):
                return await call
        except TimeoutError as error:
            raise LinkError(f"{tried}, no answer within {ANSWER_S:g} s.") from error
        except Exception as error:  # on a dead link bleak raises whatever its insides do
            if not self._client.is_connected:
                self._disconnected()
            raise LinkError(f"{tried}: {one_line(error)}.") from error

    def _disconnected(self) -> None:
        """Take note that the link is gone, whoever ended it."""
        if self._parting is not None:
            return
        self._lost = True
        self._receive = None
        if self._open:
            self._part()
            self._on_lost()

    def _part(self) -> asyncio.Task[None]:
        """Disconnect, once; goes on where whoever waits for it is cancelled."""
        if self._parting is None:
            self._parting = asyncio.create_task(_quietly(self._client.disconnect()))
        return self._parting

    async def close(self) -> None:
        """Disconnect, also where the link is lost already; never raises, takes a bounded time."""
        self._receive = None
        await asyncio.wait([self._part()])
        if self._notes is not None:
            self._notes.remove(self.address)


class BleRadio:
    """The machine's Bluetooth; one in a process. See `imu.transports.links.Radio`.

    Parameters
    ----------
    scanner_backend, client_backend : type, optional
        Bleak's backend classes; by default those of `backends`.
    """

    def __init__(
        self,
        scanner_backend: type[BaseBleakScanner] | None = None,
        client_backend: type[BaseBleakClient] | None = None,
    ) -> None:
        scanner, client = backends()
        self._scanner_backend = scanner_backend or scanner
        self._client_backend = client_backend or client
        self._devices: dict[str, BLEDevice] = {}
        own = sys.platform == "linux" and self._client_backend is None
        self._notes = LinkNotes(default_folder()) if own else None
        self._apart_s = APART_S if own else 0.0
        self._next_s = 0.0
        self._freed = False
        self._turn = asyncio.Lock()
        self._connecting = 0
        self._scan_ended = asyncio.Event()

    async def scan(self, seconds: float) -> AsyncGenerator[Advertisement, None]:
        """Yield every advertisement as it is heard, each device again and again, for a time.

        Ends early where somebody wants to connect. What the system does goes on beside the
        caller's loop, so a slow or abandoned one holds up no connection.

        Parameters
        ----------
        seconds : float
            From when scanning begins; it waits for connections under way.

        Raises
        ------
        MachineError
            There is no adapter, it is off, a permission is missing, the system's service does not
            run, or another program does not stop scanning.
        """
        await self._turn.acquire()
        await self._free_left()
        if self._connecting:
            self._turn.release()
            return
        heard: asyncio.Queue[Advertisement | None] = asyncio.Queue()

        def done(task: asyncio.Task[None]) -> None:
            self._turn.release()
            heard.put_nowait(None)
            if not task.cancelled():
                task.exception()  # raised below, if the caller is still there

        ended = self._scan_ended = asyncio.Event()
        listening = asyncio.create_task(self._listen(seconds, ended, heard.put_nowait))
        listening.add_done_callback(done)
        try:
            while (advertisement := await heard.get()) is not None:
                yield advertisement
            listening.result()
        finally:
            ended.set()
            await asyncio.wait([listening], timeout=PART_S)

    async def _free_left(self) -> None:
        """End the links that a killed program of ours left, once."""
        if self._notes is not None and not self._freed:
            self._freed = True
            await _quietly(end_links(self._notes.take_left()))

    async def _listen(
        self, seconds: float, ended: asyncio.Event, tell: Callable[[Advertisement], None]
    ) -> None:
        """Scan until time is up or somebody ends it."""

        def detected(device: BLEDevice, data: AdvertisementData) -> None:
            self._devices[device.address.casefold()] = device
            tell(_advertisement(device, data))

        try:
            scanner = BleakScanner(detected, backend=self._scanner_backend)
        except Exception as error:  # a system that bleak does not know
            raise MachineError(scan_trouble(error)) from error
        try:
            await self._start(scanner, ended)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await ended.wait()
        finally:
            await _quietly(scanner.stop())

    async def _start(self, scanner: BleakScanner, ended: asyncio.Event) -> None:
        """Start to scan; waits some seconds for another program's scan to end."""
        give_up_s = time.monotonic() + BUSY_S
        while not ended.is_set():
            try:
                async with asyncio.timeout(START_S):
                    await scanner.start()
                return
            except Exception as error:  # bleak's, D-Bus's, the system's
                if not is_busy(error) or time.monotonic() > give_up_s:
                    raise MachineError(scan_trouble(error)) from error
            await asyncio.sleep(BUSY_PAUSE_S)

    async def connect(
        self, address: str, receive: Receive, lost: Callable[[], None], timeout_s: float
    ) -> BleLink:
        """Connect to a device that was heard in a scan before, whatever its address's case.

        Raises
        ------
        LinkError
            It was not heard yet, does not answer, refuses or hangs up; scan again before the next
            attempt.
        MachineError
            The machine's Bluetooth does not work.
        """
        self._connecting += 1
        self._scan_ended.set()
        try:
            async with self._turn:
                return await self._connect(address, receive, lost, timeout_s)
        finally:
            self._connecting -= 1

    async def _connect(
        self, address: str, receive: Receive, lost: Callable[[], None], timeout_s: float
    ) -> BleLink:
        device = self._devices.get(address.casefold())
        if device is None:
            raise LinkError(f"{address}: it was not heard in a scan. Switch it on and scan again.")
        link = BleLink(device, receive, lost, timeout_s, self._client_backend, self._notes)
        try:
            await asyncio.sleep(max(0.0, self._next_s - time.monotonic()))
            await link.open()
            self._next_s = time.monotonic() + self._apart_s
        except BaseException:  # also where the attempt is cancelled
            self._devices.pop(address.casefold(), None)
            await link.close()
            raise
        return link


def _advertisement(device: BLEDevice, data: AdvertisementData) -> Advertisement:
    """Take over what a device says of itself."""
    return Advertisement(
        device.address,
        data.local_name or device.name or "",
        data.rssi,
        frozenset(uuid.lower() for uuid in data.service_uuids),
        dict(data.manufacturer_data),
    )
