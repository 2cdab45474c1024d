"""The machine's Bluetooth against virtual sensors, and against systems that fail."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
)

from imu.codecs.protocol import Codec
from imu.errors import LinkError, MachineError
from imu.frames import BATTERY_LEVEL, Frame
from imu.transports import ble
from imu.transports.ble import BleRadio
from tests.radio.backend import BumbleClient, BumbleScanner
from tests.radio.plain import CODEC, COMPANY, DATA, LAYOUT, RATE, SERVICE, PlainEmulator
from tests.radio.sensor import Faults, VirtualSensor
from tests.radio.sources import swing
from tests.radio.world import World

SCAN_S, CONNECT_S = 0.3, 2.0
HEARS = AdvertisementData("Sensor", {}, {}, [], None, -50, ())
DEVICE = BLEDevice("D4:22:CD:00:00:01", "Sensor", None)


def address(number: int) -> str:
    return f"D4:22:CD:00:00:{number:02X}"


def plain(number: int = 1, **faults) -> VirtualSensor:
    own = address(number)
    return VirtualSensor(PlainEmulator(own), own, swing(number), Faults(**faults))


async def hear(radio: BleRadio, wanted: str | None = None, seconds: float = CONNECT_S) -> list:
    """Advertisements until a device is heard, or for a time."""
    heard = []
    async with aclosing(radio.scan(seconds if wanted else SCAN_S)) as scan:
        async for advertisement in scan:
            heard.append(advertisement)
            if advertisement.address == wanted:
                break
    return heard


async def link_to(radio: BleRadio, sensor: VirtualSensor, receive=lambda _: None, lost=lambda: 0):
    await hear(radio, sensor.address)
    return await radio.connect(sensor.address, receive, lost, CONNECT_S)


async def until(true, seconds: float = 3.0) -> None:
    """Wait until something is true; fails where it does not become so."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def numbers(frames: list[Frame]) -> list[int]:
    return [LAYOUT.unpack(frame.payload)[0] for frame in frames]


def indices(sensor: VirtualSensor, *fates: str) -> list[int]:
    return [truth.index for truth in sensor.truth if truth.fate in fates]


# --- scanning


def test_scan_tells_all_that_sensors_say_again_and_again():
    async def run():
        sensors = [plain(1), plain(2)]
        sensors[1].rssi_dbm = -80
        async with World(sensors) as world:
            return await hear(world.radio())

    heard = asyncio.run(run())
    for number, rssi_dbm in ((1, -60), (2, -80)):
        of_one = [one for one in heard if one.address == address(number)]
        assert len(of_one) > 2
        for one in of_one:
            assert one.name == "Plain sensor"
            assert one.rssi_dbm == pytest.approx(rssi_dbm, abs=2)
            assert one.services == {SERVICE}
            data = bytes.fromhex(address(number).replace(":", ""))
            assert one.manufacturer_data == {COMPANY: data}


def test_scan_takes_its_time_and_one_that_is_broken_off_ends_at_once():
    async def run():
        async with World([plain()]) as world:
            radio = world.radio()
            began_s = time.monotonic()
            await hear(radio)
            whole_s = time.monotonic() - began_s
            await hear(radio, address(1), seconds=60.0)
            began_s = time.monotonic()
            await hear(radio)  # refused by the backend if the one before still ran
            return whole_s, time.monotonic() - began_s

    for took_s in asyncio.run(run()):
        assert SCAN_S <= took_s < SCAN_S + 0.3


# --- links


def test_reads_writes_and_what_a_sensor_has():
    async def run():
        async with World([plain(battery_percent=40.0)]) as world:
            link = await link_to(world.radio(), world.sensors[0])
            assert link.has(SERVICE)
            assert link.has(DATA.upper())
            assert not link.has("7a0f0009-5f1e-4c8e-9d3b-0a1b2c3d4e5f")
            assert await link.read(BATTERY_LEVEL) == b"\x28"
            await link.write(RATE, b"\x3c", response=True)
            assert await link.read(RATE) == b"\x3c"
            assert world.sensors[0].emulator.rate_hz == 60.0
            with pytest.raises(LinkError, match=rf"{address(1)}: cannot write {RATE}: .*Not Perm"):
                await link.write(RATE, b"\x01", response=True)
            with pytest.raises(LinkError, match=r"cannot read .*, the sensor does not have it"):
                await link.read(SERVICE)
            await link.close()
            await link.close()
            with pytest.raises(LinkError, match="the link is closed"):
                await link.read(RATE)
            assert not link.lost

    asyncio.run(run())


def test_frames_of_three_sensors_are_complete_and_in_order_and_true():
    async def run():
        sensors = [plain(number, jitter_s=0.003, clock_ppm=50.0) for number in (1, 2, 3)]
        frames = {sensor.address: [] for sensor in sensors}
        async with World(sensors) as world:
            radio = world.radio()
            links = [await link_to(radio, one, frames[one.address].append) for one in sensors]
            for link in links:
                await link.subscribe(DATA)
                await link.subscribe(DATA)
            began_s = time.monotonic()
            await asyncio.sleep(2.5)
            took_s = time.monotonic() - began_s
            for link in links:
                await link.unsubscribe(DATA)
                await link.close()
            assert world.adapter.overlaps == 0
        return sensors, frames, took_s

    sensors, frames, took_s = asyncio.run(run())
    for sensor in sensors:
        came = frames[sensor.address]
        assert numbers(came) == indices(sensor, "sent")[: len(came)] == list(range(len(came)))
        assert len(came) == pytest.approx(120 * took_s, abs=12)
        assert len(came) >= len(indices(sensor, "sent")) - 1
        arrivals_s = [frame.arrival_s for frame in came]
        assert arrivals_s == sorted(arrivals_s)
        decoder = CODEC.decoder(sensor.address, {})
        samples = [one for frame in came for one in decoder.feed(frame).samples]
        for sample, truth in zip(samples, sensor.truth, strict=False):
            assert sample.time_s == pytest.approx(truth.time_s, abs=1e-6)
            assert sample.acc_ms2 == pytest.approx(truth.acc_ms2, abs=1e-5)
            assert sample.gyr_rads == pytest.approx(truth.gyr_rads, abs=1e-5)
        assert len(samples) == len(came)


def test_unsubscribed_is_silent_and_can_be_subscribed_again():
    async def run():
        frames = []
        async with World([plain()]) as world:
            link = await link_to(world.radio(), world.sensors[0], frames.append)
            await link.unsubscribe(DATA)
            await link.subscribe(DATA)
            await until(lambda: len(frames) > 5)
            await link.unsubscribe(DATA)
            count = len(frames)
            await asyncio.sleep(0.1)
            assert len(frames) == count
            await link.subscribe(DATA)
            await until(lambda: len(frames) > count + 5)
            await link.close()
        assert numbers(frames) == sorted(set(numbers(frames)))

    asyncio.run(run())


def test_what_is_sent_before_the_subscription_is_acknowledged_comes():
    async def run():
        frames = []
        async with World([plain(early_notify=True)]) as world:
            link = await link_to(world.radio(), world.sensors[0], frames.append)
            await link.subscribe(DATA)
            early = len(frames)
            await until(lambda: len(frames) > 10)
            await link.close()
        assert early == 1
        assert numbers(frames) == list(range(len(frames)))

    asyncio.run(run())


def test_any_payload_comes_as_it_is():
    async def run():
        frames = []
        async with World([plain()]) as world:
            sensor = world.sensors[0]
            link = await link_to(world.radio(), sensor, frames.append)
            await link.subscribe(DATA)
            for kind in ("empty", "truncate", "garbage"):
                count = len(frames)
                sensor.next_bad(kind)
                await until(lambda count=count: len(frames) > count + 2)
            await link.close()
        lengths = [len(frame.payload) for frame in frames]
        assert lengths.count(0) == 1
        assert sum(0 < length < LAYOUT.size for length in lengths) == 1
        assert [truth.fate for truth in sensor.truth].count("garbage") == 1
        decoder = CODEC.decoder(sensor.address, {})
        decoded = [decoder.feed(frame) for frame in frames]
        assert sum(len(one.refused) for one in decoded) == 3
        sent = indices(sensor, "sent")
        assert sum(len(one.samples) for one in decoded) == len(frames) - 3 <= len(sent)

    asyncio.run(run())


def test_a_link_that_was_held_delivers_its_backlog_in_order():
    async def run():
        frames = []
        async with World([plain()]) as world:
            sensor = world.sensors[0]
            link = await link_to(world.radio(), sensor, frames.append)
            await link.subscribe(DATA)
            await until(lambda: len(frames) > 10)
            sensor.hold(0.5)
            await asyncio.sleep(0.9)
            await link.close()
        assert numbers(frames) == indices(sensor, "sent")[: len(frames)]
        assert numbers(frames) == list(range(len(frames)))
        arrivals_s = [frame.arrival_s for frame in frames]
        waits_s = [b - a for a, b in pairwise(arrivals_s)]
        after = waits_s.index(max(waits_s)) + 1
        assert waits_s[after - 1] > 0.4
        assert arrivals_s[after + 50] - arrivals_s[after] < 0.1

    asyncio.run(run())


def test_stalled_samples_are_missing_and_the_link_lives():
    async def run():
        frames = []
        async with World([plain()]) as world:
            sensor = world.sensors[0]
            link = await link_to(world.radio(), sensor, frames.append)
            await link.subscribe(DATA)
            await until(lambda: len(frames) > 10)
            sensor.stall(0.3)
            await asyncio.sleep(0.5)
            assert not link.lost
            await link.close()
        assert numbers(frames) == indices(sensor, "sent")[: len(frames)]
        assert len(indices(sensor, "stalled")) == pytest.approx(36, abs=5)

    asyncio.run(run())


# --- links that are lost


def test_a_lost_link_says_so_once_and_delivers_nothing_more():
    async def run():
        frames, losses = [], []
        async with World([plain()]) as world:
            sensor = world.sensors[0]
            radio = world.radio()
            link = await link_to(radio, sensor, frames.append, lambda: losses.append(1))
            await link.subscribe(DATA)
            await until(lambda: len(frames) > 5)
            callbacks = [one for of in world.adapter.callbacks.values() for one in of.values()]
            await sensor.drop(60.0)
            await until(lambda: link.lost)
            count = len(frames)
            for callback in callbacks:  # as BlueZ does for a client that was not disconnected
                callback(bytearray(LAYOUT.size))
            with pytest.raises(LinkError, match="the link is lost"):
                await link.read(RATE)
            await link.close()
            await link.close()
            assert link.lost
            assert len(frames) == count
            assert losses == [1]
            assert not world.adapter.unparted
        assert numbers(frames) == indices(sensor, "sent")

    asyncio.run(run())


def test_a_closed_link_delivers_nothing_more_and_is_not_lost():
    async def run():
        frames, losses = [], []
        async with World([plain()]) as world:
            sensor = world.sensors[0]
            link = await link_to(world.radio(), sensor, frames.append, lambda: losses.append(1))
            await link.subscribe(DATA)
            await until(lambda: len(frames) > 5)
            callbacks = [one for of in world.adapter.callbacks.values() for one in of.values()]
            await link.close()
            count = len(frames)
            for callback in callbacks:
                callback(bytearray(LAYOUT.size))
            await hear(world.radio(), sensor.address)  # it is on the air again
            assert len(frames) == count
            assert losses == []
            assert not sensor.emulator.streaming

    asyncio.run(run())


@pytest.mark.parametrize("closed", [True, False])
def test_a_link_made_anew_delivers_every_sample_once(closed):
    async def run():
        frames = []
        async with World([plain()]) as world:
            sensor, radio = world.sensors[0], world.radio()
            for _ in range(3):
                link = await link_to(radio, sensor, frames.append)
                await link.subscribe(DATA)
                count = len(frames)
                await until(lambda count=count: len(frames) > count + 10)
                await sensor.drop(0.05)
                await until(lambda link=link: link.lost)
                if closed:
                    await link.close()
            await asyncio.sleep(0.05)
            assert not world.adapter.unparted
        assert numbers(frames) == indices(sensor, "sent")

    asyncio.run(run())


# --- connecting


def test_a_refused_connection_needs_a_new_scan():
    async def run():
        async with World([plain(refuse_first=1)]) as world:
            sensor, radio = world.sensors[0], world.radio()
            losses = []
            with pytest.raises(LinkError, match=f"{address(1)}: connecting failed"):
                await link_to(radio, sensor, lost=lambda: losses.append(1))
            with pytest.raises(LinkError, match="not heard in a scan"):
                await radio.connect(sensor.address, losses.append, lambda: None, CONNECT_S)
            link = await link_to(radio, sensor)
            assert await link.read(RATE) == b"\x78"
            await link.close()
            assert losses == []
            assert not world.adapter.unparted

    asyncio.run(run())


def test_a_sensor_that_is_gone_costs_the_time_given_and_no_more():
    async def run():
        async with World([plain(1), plain(2)]) as world:
            gone, there = world.sensors
            radio = world.radio()
            await hear(radio)
            await gone.off()
            began_s = time.monotonic()
            with pytest.raises(LinkError, match=r"did not answer within 0.3 s\. Switch it on"):
                await radio.connect(gone.address, lambda _: None, lambda: None, 0.3)
            assert time.monotonic() - began_s < 0.6
            link = await radio.connect(there.address, lambda _: None, lambda: None, CONNECT_S)
            await link.close()

    asyncio.run(run())


def test_connecting_that_is_cancelled_leaves_the_radio_free():
    async def run():
        async with World([plain(1), plain(2)]) as world:
            gone, there = world.sensors
            radio = world.radio()
            await hear(radio)
            await gone.off()
            attempt = asyncio.create_task(
                radio.connect(gone.address, lambda _: None, lambda: None, 60.0)
            )
            await asyncio.sleep(0.1)
            attempt.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attempt
            link = await link_to(radio, there)
            await link.close()

    asyncio.run(run())


def test_connections_are_made_one_after_the_other():
    async def run():
        async with World([plain(number) for number in (1, 2, 3)]) as world:
            radio = world.radio()
            await hear(radio)
            links = await asyncio.gather(
                *(
                    radio.connect(one.address, lambda _: None, lambda: None, CONNECT_S)
                    for one in world.sensors
                )
            )
            for link in links:
                assert await link.read(RATE) == b"\x78"
                await link.close()

    asyncio.run(run())


def test_a_scan_ends_where_somebody_wants_to_connect():
    async def run():
        async with World([plain()]) as world:
            radio = world.radio()
            await hear(radio)
            scans = [radio.scan(60.0), radio.scan(60.0)]
            await anext(scans[0])  # and nobody asks it for more
            waiting = asyncio.create_task(anext(scans[1], None))
            await asyncio.sleep(0)
            began_s = time.monotonic()
            link = await radio.connect(address(1), lambda _: None, lambda: None, CONNECT_S)
            assert time.monotonic() - began_s < 1.0
            assert world.adapter.overlaps == 0
            await asyncio.wait([waiting], timeout=1.0)
            assert waiting.done()
            for scan in scans:
                await scan.aclose()
            await link.close()
            assert await hear(radio)

    asyncio.run(run())


# --- systems that fail


class FailingScanner(BumbleScanner):
    """Raises what it has to, one error a start; then hears a device."""

    errors: list

    async def start(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.call_detection_callbacks(DEVICE, HEARS)

    async def stop(self) -> None:
        raise BleakError("not started")


def scan_with(*errors: Exception) -> list:
    backend: type[BaseBleakScanner] = type("Failing", (FailingScanner,), {"errors": list(errors)})

    async def run():
        return [one async for one in BleRadio(backend).scan(0.01)]

    return asyncio.run(run())


def missing(name: str) -> BleakBluetoothNotAvailableError:
    return BleakBluetoothNotAvailableError("it is not", BleakBluetoothNotAvailableReason[name])


FREEDESKTOP = "org.freedesktop.DBus.Error"
TROUBLES = {
    "no adapter": (missing("NO_BLUETOOTH"), "no adapter. Plug one in"),
    "classic only": (missing("NO_BLE_CENTRAL_ROLE"), "Plug in one with Bluetooth 4.0"),
    "off": (missing("POWERED_OFF"), "switched off. Switch it on"),
    "denied by the user": (missing("DENIED_BY_USER"), "privacy settings"),
    "denied, why ever": (missing("DENIED_BY_UNKNOWN"), "privacy settings"),
    "denied by the system": (missing("DENIED_BY_SYSTEM"), "Ask the administrator"),
    "not ready": (missing("UNKNOWN"), "switch it off and on"),
    "not powered": (BleakDBusError("org.bluez.Error.NotReady", ["x"]), "bluetoothctl power on"),
    "no permission": (BleakDBusError(f"{FREEDESKTOP}.AccessDenied", ["x"]), "group bluetooth"),
    "no bluetoothd": (BleakDBusError(f"{FREEDESKTOP}.ServiceUnknown", ["x"]), "start bluetooth"),
    "no D-Bus": (FileNotFoundError(2, "No such file"), "D-Bus does not run"),
    "dead D-Bus": (ConnectionRefusedError(111, "refused"), "D-Bus does not run"),
    "closed D-Bus": (PermissionError(13, "denied"), "group bluetooth"),
}
OTHERS = {
    "hang": (TimeoutError(), "does not begin to scan. Switch Bluetooth off and on"),
    "D-Bus ends": (EOFError(), "cannot scan: EOFError. Switch Bluetooth off and on"),
    "inside of bleak": (AttributeError("no\nattribute"), "cannot scan: no attribute. Switch"),
    "anything": (BleakError("Failed to start scanner."), "Failed to start scanner. Switch"),
}


@pytest.mark.parametrize(("error", "words"), (TROUBLES | OTHERS).values(), ids=TROUBLES | OTHERS)
def test_trouble_with_the_adapter_is_one_line_with_a_remedy(error, words):
    with pytest.raises(MachineError) as caught:
        scan_with(error)
    line = str(caught.value)
    assert words in line
    assert line.startswith("Bluetooth: ")
    assert line.endswith(".")
    assert "\n" not in line
    assert not isinstance(caught.value, LinkError)


def test_another_programs_scan_is_waited_for(monkeypatch):
    monkeypatch.setattr(ble, "BUSY_PAUSE_S", 0.01)
    busy = BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"])
    assert [one.name for one in scan_with(busy, busy)] == ["Sensor"]
    monkeypatch.setattr(ble, "BUSY_S", 0.03)
    with pytest.raises(MachineError, match=r"another program is scanning\. Close it"):
        scan_with(*[busy] * 100)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no D-Bus")
@pytest.mark.skipif(Path("/run/dbus/system_bus_socket").exists(), reason="D-Bus runs here")
def test_a_machine_without_dbus_is_told_so(monkeypatch):
    monkeypatch.delenv("DBUS_SYSTEM_BUS_ADDRESS", raising=False)

    async def run():
        return [one async for one in BleRadio().scan(0.1)]

    with pytest.raises(MachineError, match=r"D-Bus does not run.*Start both"):
        asyncio.run(run())


class FailingClient(BumbleClient):
    """Connects at once; each call raises what it has to, or hangs."""

    connecting: BaseException | None = None
    error: Exception | None = None
    connected = False

    @property
    def is_connected(self) -> bool:
        return self.connected

    async def connect(self, pair: bool, **_) -> None:  # noqa: ARG002
        if self.connecting is not None:
            raise self.connecting
        self.services = BleakGATTServiceCollection()
        self.services.add_service(BleakGATTService(None, 1, SERVICE))
        self.services.add_characteristic(_rate(self.services[1]))
        self.connected = True

    async def _fail(self, *_, **__):
        if self.error is None:
            await asyncio.sleep(60.0)
        raise self.error

    read_gatt_char = write_gatt_char = start_notify = disconnect = _fail


def _rate(service: BleakGATTService) -> BleakGATTCharacteristic:
    return BleakGATTCharacteristic(None, 2, RATE, ["read"], lambda: 20, service)


async def connect_with(lost=lambda: None, **traits):
    client: type[BaseBleakClient] = type("Failing", (FailingClient,), traits)
    radio = BleRadio(type("Hearing", (FailingScanner,), {"errors": []}), client)
    assert [one async for one in radio.scan(0.01)]
    return await radio.connect(DEVICE.address.lower(), lambda _: None, lost, CONNECT_S)


@pytest.mark.parametrize(("error", "words"), TROUBLES.values(), ids=TROUBLES)
def test_trouble_with_the_adapter_while_connecting(error, words):
    with pytest.raises(MachineError) as caught:
        asyncio.run(connect_with(connecting=error, error=error))
    assert words in str(caught.value)
    assert not isinstance(caught.value, LinkError)


@pytest.mark.parametrize(
    "error",
    [
        BleakError("failed to discover services, device disconnected"),
        BleakDeviceNotFoundError(DEVICE.address, "it was removed"),
        BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]),
        BleakDBusError("org.bluez.Error.InProgress", ["busy"]),
        BleakDBusError("org.freedesktop.DBus.Error.NoReply", ["no reply"]),
        TimeoutError(),
        EOFError(),
        ConnectionResetError(104, "reset"),
        AssertionError(),
        AttributeError("'NoneType' object has no attribute 'call'"),
    ],
    ids=repr,
)
def test_a_sensor_that_fails_is_one_line_that_names_it(error, monkeypatch):
    with pytest.raises(LinkError, match=f"^{DEVICE.address}: connecting failed[:,] .*[.]$"):
        asyncio.run(connect_with(connecting=error, error=error))

    async def run():
        link = await connect_with(error=error)
        for call in (link.read(RATE), link.write(RATE, b"", response=False), link.subscribe(RATE)):
            with pytest.raises(LinkError, match=f"^{DEVICE.address}: cannot .* {RATE}.*[.]$"):
                await call
        await link.close()

    monkeypatch.setattr(ble, "PART_S", 0.05)
    asyncio.run(run())


@pytest.mark.parametrize("connecting", [BleakError("no"), asyncio.CancelledError(), None], ids=repr)
def test_a_failed_attempt_is_disconnected(connecting):
    parted = []

    async def disconnect(_client):
        parted.append(1)

    async def run():
        hung_up = property(lambda _: False)
        traits = {"disconnect": disconnect, "connecting": connecting, "is_connected": hung_up}
        with pytest.raises((LinkError, asyncio.CancelledError)):
            await connect_with(**traits)

    asyncio.run(run())
    assert parted == [1]


def test_nothing_waits_for_ever(monkeypatch):
    monkeypatch.setattr(ble, "ANSWER_S", 0.05)
    monkeypatch.setattr(ble, "PART_S", 0.05)

    async def run():
        link = await connect_with()
        began_s = time.monotonic()
        with pytest.raises(LinkError, match="no answer within"):
            await link.read(RATE)
        await link.close()
        return time.monotonic() - began_s

    assert asyncio.run(run()) < 0.5


def test_a_link_found_dead_by_a_call_is_lost():
    losses = []

    async def run():
        link = await connect_with(lost=lambda: losses.append(1), error=EOFError())
        link._client._backend.connected = False
        with pytest.raises(LinkError):
            await link.read(RATE)
        assert link.lost
        await link.close()

    asyncio.run(run())
    assert losses == [1]


def test_a_third_partys_codec_is_one():
    assert isinstance(CODEC, Codec)
