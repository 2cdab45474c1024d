"""Movella (formerly Xsens) DOT: one sample a notification, stamped by the sensor's clock.

Layouts from the vendor's BLE Services Specification (XD0506P, 2021 and 2023) unless marked. A
notification is padded with zeros to the size of its characteristic. The sensor goes on measuring
when the link is lost, and sends nothing where the payload is not subscribed before the start.
"""

from __future__ import annotations

import struct
from math import inf
from typing import NamedTuple

from imu.codecs.clocks import DeviceClock
from imu.codecs.dialogue import Ask, Dialogue, Pause, Read, Subscribe, Unsubscribe, Write
from imu.codecs.protocol import NOTHING, Codec, Decoded, Identity, StreamSettings
from imu.errors import FrameError, LinkError
from imu.frames import Advertisement, Frame, Sample, Vector
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

COMPANY = 0x0886
NAMES = ("Movella DOT", "Xsens DOT")  # the second up to firmware 2.4.0


def _uuid(short: int) -> str:
    return f"1517{short:04x}-4947-11e9-8646-d663bd873d93"


CONFIGURATION_SERVICE, DEVICE_INFO, DEVICE_CONTROL = _uuid(0x1000), _uuid(0x1001), _uuid(0x1002)
MEASUREMENT_SERVICE, MEASUREMENT_CONTROL = _uuid(0x2000), _uuid(0x2001)
MEDIUM_PAYLOAD = _uuid(0x2003)
BATTERY_SERVICE, BATTERY = _uuid(0x3000), _uuid(0x3001)  # not Bluetooth's own battery service
MESSAGE_SERVICE, MESSAGE_CONTROL = _uuid(0x7000), _uuid(0x7001)
MESSAGE_ACKNOWLEDGE, MESSAGE_NOTIFICATION = _uuid(0x7002), _uuid(0x7003)

RATE_QUANTITIES_MODE = 21
MEDIUM_SIZE, MESSAGE_SIZE = 40, 160

RATE_QUANTITIES = struct.Struct("<I3f3f")  # time [us, wraps], acceleration [m/s^2], rate [deg/s]
DEVICE_INFO_LAYOUT = struct.Struct("<6s3BH5BIQ6s")  # MAC reversed, firmware, built, serial, code
DEVICE_CONTROL_LAYOUT = struct.Struct("<B23xHB5x")  # fields this write applies to, rate, filter
DEVICE_CONTROL_IDENTIFY = struct.Struct("<BB30x")
BATTERY_LAYOUT = struct.Struct("<BB")  # percent, whether charging

VISIT_IDENTIFY, VISIT_RATE = 0x01, 0x10
ACC_LIMIT_MS2 = 16.0 * STANDARD_GRAVITY_MS2 * 1.05  # the range, from the user manual, and 5 %
GYR_LIMIT_DEGS = 2000.0 * 1.05

SYNC, START_SYNC, STOP_SYNC, SYNC_STATUS, SYNC_RESULT = 2, 0x01, 0x02, 0x08, 0x03
SYNC_STOPPED, SYNC_STATE = 0x50, 0x51
SYNC_RESULTS = {
    0: "",
    5: "not enough samples; bring the sensors closer together",
    7: "the clocks differ too much; try again",
    8: "the start times differ; try again",
    9: "it was not started",
}
MODELS = {"XS-T01": "Movella DOT v1", "XS-T02": "Movella DOT v2"}


class RateQuantities(NamedTuple):
    """Payload mode 21, in SI units, sensor axes.

    Attributes
    ----------
    counter_us : int
        The sensor's clock, 32 bits.
    acc_ms2, gyr_rads : tuple of 3 float
        Specific force and angular velocity.
    """

    counter_us: int
    acc_ms2: Vector
    gyr_rads: Vector


class DeviceInfo(NamedTuple):
    """What the sensor is; the address is its MAC, ``D4:22:CD:00:12:34``."""

    address: str
    firmware: str
    product_code: str


class Message(NamedTuple):
    """A message of the message service: its kind (2 is synchronisation) and data."""

    kind: int
    data: bytes


def _refuse_size(payload: bytes, size: int, largest: int, what: str, device: str) -> None:
    """Refuse what is not ``size`` bytes followed by nothing but padding."""
    found = len(payload)
    if not size <= found <= largest or payload.count(0, size) != found - size:
        raise FrameError(device, f"{size} bytes of {what}, padded to {largest} at most", payload)


def decode_rate_quantities(payload: bytes, device: str) -> RateQuantities:
    """Decode a notification of payload mode 21, rate quantities.

    Parameters
    ----------
    payload : bytes
        28 bytes, and zeros up to 40.
    device : str
        Names the sensor in errors.

    Raises
    ------
    FrameError
        Another length, padding that is not zero, values beyond what the sensor can measure.
    """
    _refuse_size(payload, RATE_QUANTITIES.size, MEDIUM_SIZE, "rate quantities", device)
    counter_us, ax, ay, az, gx, gy, gz = RATE_QUANTITIES.unpack_from(payload)
    acc_fits = max(ax, ay, az) <= ACC_LIMIT_MS2 and min(ax, ay, az) >= -ACC_LIMIT_MS2
    gyr_fits = max(gx, gy, gz) <= GYR_LIMIT_DEGS and min(gx, gy, gz) >= -GYR_LIMIT_DEGS
    is_number = ax + ay + az + gx + gy + gz < inf  # one NaN makes the sum a NaN
    if not (acc_fits and gyr_fits and is_number):
        raise FrameError(device, "values within +-16 g and +-2000 deg/s", payload)
    rates = (gx * RAD_PER_DEG, gy * RAD_PER_DEG, gz * RAD_PER_DEG)
    return RateQuantities(counter_us, (ax, ay, az), rates)


def encode_rate_quantities(values: RateQuantities) -> bytes:
    """Write a notification of payload mode 21, padded; inverse of `decode_rate_quantities`."""
    rates = (rate / RAD_PER_DEG for rate in values.gyr_rads)
    packed = RATE_QUANTITIES.pack(values.counter_us, *values.acc_ms2, *rates)
    return packed.ljust(MEDIUM_SIZE, b"\0")


def decode_device_info(payload: bytes, device: str) -> DeviceInfo:
    """Decode characteristic 1001, 34 bytes."""
    if len(payload) != DEVICE_INFO_LAYOUT.size:
        raise FrameError(device, f"{DEVICE_INFO_LAYOUT.size} bytes of device info", payload)
    mac, *fields, code = DEVICE_INFO_LAYOUT.unpack(payload)
    firmware = ".".join(str(number) for number in fields[:3])
    return DeviceInfo(mac[::-1].hex(":").upper(), firmware, code.decode("ascii", "replace"))


def encode_device_info(info: DeviceInfo) -> bytes:
    """Write characteristic 1001; the build date and serial number are left zero."""
    firmware = (int(number) for number in info.firmware.split("."))
    mac = _mac(info.address)[::-1]
    code = info.product_code.encode("ascii")
    return DEVICE_INFO_LAYOUT.pack(mac, *firmware, 0, 0, 0, 0, 0, 0, 0, 0, code)


def decode_output_rate(payload: bytes, device: str) -> int:
    """Decode the output rate [Hz] from characteristic 1002, 32 bytes."""
    if len(payload) != DEVICE_CONTROL_LAYOUT.size:
        raise FrameError(device, f"{DEVICE_CONTROL_LAYOUT.size} bytes of device control", payload)
    rate: int = DEVICE_CONTROL_LAYOUT.unpack(payload)[1]
    return rate


def encode_output_rate(rate_hz: int) -> bytes:
    """Write characteristic 1002 so that only the output rate changes."""
    return DEVICE_CONTROL_LAYOUT.pack(VISIT_RATE, rate_hz, 0)


def decode_battery(payload: bytes, device: str) -> float:
    """Decode characteristic 3001: percent."""
    if len(payload) != BATTERY_LAYOUT.size or payload[0] > 100:
        raise FrameError(device, "2 bytes of battery level, at most 100 %", payload)
    return float(payload[0])


def encode_battery(percent: float) -> bytes:
    """Write characteristic 3001, not charging."""
    return BATTERY_LAYOUT.pack(round(percent), 0)


def encode_measurement(start: bool) -> bytes:
    """Write characteristic 2001: start or stop measuring in mode 21."""
    return bytes((1, int(start), RATE_QUANTITIES_MODE))


def decode_message(payload: bytes, device: str) -> Message:
    """Decode a message: kind, length, data, and a checksum that makes the sum 0.

    Raises
    ------
    FrameError
        Broken off, a wrong checksum, or anything but zeros behind it.
    """
    size = payload[1] + 3 if len(payload) > 2 else MESSAGE_SIZE
    _refuse_size(payload, size, MESSAGE_SIZE, "message", device)
    if sum(payload) % 256:
        raise FrameError(device, "a message whose bytes sum to 0", payload)
    return Message(payload[0], payload[2 : size - 1])


def encode_message(message: Message) -> bytes:
    """Write a message; inverse of `decode_message`."""
    frame = bytes((message.kind, len(message.data))) + message.data
    return frame + bytes((-sum(frame) % 256,))


def _mac(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))


class DotDecoder:
    """Decoder of one DOT; the times are its own clock's, 1 us, unwrapped."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._clock = DeviceClock(32, 1e-6)
        self._last_s = -inf

    def feed(self, frame: Frame) -> Decoded:
        """Take one frame."""
        try:
            if frame.characteristic == MEDIUM_PAYLOAD:
                return self._take(frame)
            if frame.characteristic == BATTERY:
                return Decoded(battery_percent=decode_battery(frame.payload, self._device))
        except FrameError as error:
            return Decoded(refused=(error,))
        return NOTHING

    def _take(self, frame: Frame) -> Decoded:
        values = decode_rate_quantities(frame.payload, self._device)
        restarts = self._clock.restarts
        time_s = self._clock.place(values.counter_us, frame.arrival_s)
        if time_s is None:
            raise FrameError(self._device, "a time that goes with its arrival", frame.payload)
        if time_s <= self._last_s:
            return Decoded(duplicates=1)
        self._last_s = time_s
        sample = Sample(time_s, values.acc_ms2, values.gyr_rads)
        return Decoded((sample,), restarts=self._clock.restarts - restarts)

    def relink(self, settings: StreamSettings) -> None:  # noqa: ARG002  one mode, any rate
        """Go on after a lost link."""
        self._clock.relink()

    def finish(self) -> Decoded:
        """Nothing is ever held back."""
        return NOTHING


class DotCodec:
    """The family of the Movella DOT; also puts several of them on one clock.

    Rates can be changed neither while measuring nor while synchronised, so `prepare` comes before
    `start_sync`. 120 Hz is for recording on the sensor only.
    """

    name = "movella-dot"
    model = "Movella DOT"
    rates_hz: tuple[float, ...] = (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
    default_rate_hz = 60.0
    clock = "the sensor's clock, 1 us"
    service = MEDIUM_PAYLOAD
    can_identify = True
    sync_s = 14.0

    def recognises(self, advertisement: Advertisement) -> bool:
        """By its name, or by the maker's company identifier (one source)."""
        return advertisement.name.startswith(NAMES) or COMPANY in advertisement.manufacturer_data

    def describe(self) -> Dialogue[Identity]:
        """Ask for model, firmware and battery."""
        info = decode_device_info((yield Read(DEVICE_INFO)), self.model)
        battery = yield Read(BATTERY, optional=True)
        percent = decode_battery(battery, self.model) if battery else None
        return Identity(MODELS.get(info.product_code, self.model), info.firmware, percent)

    def identify(self) -> Dialogue[None]:
        """Blink red for ten seconds."""
        yield Write(DEVICE_CONTROL, DEVICE_CONTROL_IDENTIFY.pack(VISIT_IDENTIFY, 1))

    def prepare(self, rate_hz: float) -> Dialogue[StreamSettings]:
        """Stop what still runs, set the rate where it differs, subscribe."""
        yield Write(MEASUREMENT_CONTROL, encode_measurement(False))
        found = decode_output_rate((yield Read(DEVICE_CONTROL)), self.model)
        if found != rate_hz:  # the rate is kept in flash: no needless writing
            yield Write(DEVICE_CONTROL, encode_output_rate(round(rate_hz)))
            yield Pause(0.1)
            found = decode_output_rate((yield Read(DEVICE_CONTROL)), self.model)
        if found != rate_hz:
            what = f"{self.model}: asked for {rate_hz:g} Hz, the sensor stays at {found} Hz"
            remedy = "It may be synchronised with others: switch it off and on"
            raise LinkError(f"{what}. {remedy}, or record at {found} Hz.")
        yield Subscribe(BATTERY, optional=True)
        yield Subscribe(MEDIUM_PAYLOAD)
        return {"rate_hz": float(found), "mode": RATE_QUANTITIES_MODE}

    def begin(self, settings: StreamSettings) -> Dialogue[None]:  # noqa: ARG002  set by prepare
        """Start measuring."""
        yield Write(MEASUREMENT_CONTROL, encode_measurement(True))

    def end(self, settings: StreamSettings) -> Dialogue[None]:  # noqa: ARG002  the same for all
        """Stop measuring; it would go on without a link."""
        yield Write(MEASUREMENT_CONTROL, encode_measurement(False))
        yield Unsubscribe(MEDIUM_PAYLOAD)

    def decoder(self, device: str, settings: StreamSettings) -> DotDecoder:  # noqa: ARG002
        """Make a decoder for one sensor; the settings change nothing in it."""
        return DotDecoder(device)

    def sync_address(self) -> Dialogue[str]:
        """Read the MAC, which a system may hide."""
        return decode_device_info((yield Read(DEVICE_INFO)), self.model).address

    def start_sync(self, root: str) -> Dialogue[None]:
        """Stop measuring and any synchronisation, then order a new one.

        A second order without a stop in between often hangs (reports to the vendor). The
        acknowledgement is read since the vendor does so; what counts is `sync_result`.
        """
        yield Write(MEASUREMENT_CONTROL, encode_measurement(False))
        yield from self.stop_sync()
        order = Message(SYNC, bytes((START_SYNC,)) + _mac(root)[::-1])
        yield Write(MESSAGE_CONTROL, encode_message(order))
        yield Read(MESSAGE_ACKNOWLEDGE, optional=True)

    def sync_result(self) -> Dialogue[str]:
        """Ask how it went, shortly after connecting again."""
        for pause_s in (1.5, 1.0, 1.0):
            yield Pause(pause_s)
            answer = yield Read(MESSAGE_ACKNOWLEDGE)
            try:
                kind, data = decode_message(answer, self.model)
            except FrameError:
                continue  # not written yet
            if kind == SYNC and len(data) == 2 and data[0] == SYNC_RESULT:
                return SYNC_RESULTS.get(data[1], f"unknown result 0x{data[1]:02x}; try again")
        return "the sensor tells no result; try again"

    def stop_sync(self) -> Dialogue[None]:
        """Leave the common clock; a synchronised sensor measures on and empties its battery."""
        yield Subscribe(MESSAGE_NOTIFICATION)
        stop = encode_message(Message(SYNC, bytes((STOP_SYNC,))))
        yield Ask(MESSAGE_CONTROL, stop, MESSAGE_NOTIFICATION, _tells_stopped, optional=True)
        yield Unsubscribe(MESSAGE_NOTIFICATION)


def _tells_stopped(payload: bytes) -> bool:
    return payload[:3] == bytes((SYNC, 2, SYNC_STOPPED))


CODEC: Codec = DotCodec()
