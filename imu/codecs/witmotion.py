"""WitMotion WT901BLE and its kin: a stream of 20-byte frames without check, clock or counter.

Source: the vendor's BLE protocol page and Python example; several independent public clients agree
on the frame, the scales and the commands used here, one of them with measured rates. What only a
single source says is marked so.

Several frames come in a notification, and one may be split over two. Nothing but the header tells
where a frame begins, and its two bytes occur in data too. So a frame is taken only where what
follows it begins as a header does, or nothing follows; and bytes left over from one notification
are not completed with those of the next where that one is whole by itself: it would make up a
sample.

The sensor's filter is left at its 20 Hz: a hip that turns in a second needs less, both quantities
and both sensors are late by the same few milliseconds, and the setting for more bandwidth rests on
a single source. Nothing is saved to the sensor's memory.
"""

from __future__ import annotations

import struct

from imu.codecs.counting import CountedClock, Reading, counting_rate
from imu.codecs.dialogue import Ask, Dialogue, Pause, Subscribe, Unsubscribe, Write
from imu.codecs.protocol import NOTHING, Decoded, Identity, StreamSettings
from imu.errors import FrameError
from imu.frames import Advertisement, Frame, Vector
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

# 9a34fb, not 9b34fb as in the Bluetooth base
SERVICE = "0000ffe5-0000-1000-8000-00805f9a34fb"
NOTIFY = "0000ffe4-0000-1000-8000-00805f9a34fb"
COMMAND = "0000ffe9-0000-1000-8000-00805f9a34fb"  # takes writes without response (single source)

FRAME_BYTES = 20
HEADER = 0x55
DATA, REPLY = 0x61, 0x71
_FRAME = struct.Struct("<2x9h")  # header, acceleration, angular rate, angles (not used)
_REPLY = struct.Struct("<2xH8h")  # header, first register, its and the next ones' values

MS2_PER_COUNT = 16.0 * STANDARD_GRAVITY_MS2 / 32768.0
RADS_PER_COUNT = 2000.0 * RAD_PER_DEG / 32768.0

UNLOCK = bytes.fromhex("ff aa 69 88 b5")
# 0A is 200 Hz by the datasheet, but 99 Hz was measured; 0B is 200 Hz by both
RATE_CODES = {10.0: 0x06, 20.0: 0x07, 50.0: 0x08, 100.0: 0x09, 200.0: 0x0B}
RATE, READ, BATTERY, OUTPUT = 0x03, 0x27, 0x64, 0x96
COMMAND_PAUSE_S = 0.1  # what comes sooner after a command is not taken
WAITED_S = 0.15  # as a radio may bring two commands closer together than they were sent
RATE_ORDERS = 3  # writes go without response, so one may be missed

# Volt times 100 from which on the battery holds so many percent
BATTERY_LEVELS = (
    (396, 100), (393, 90), (387, 75), (382, 60), (379, 50), (377, 40),
    (373, 30), (370, 20), (368, 15), (350, 10), (340, 5),
)  # fmt: skip


def decode_frame(payload: bytes, device: str) -> Reading:
    """Decode one frame of measurements.

    Parameters
    ----------
    payload : bytes
        20 bytes beginning ``55 61``.
    device : str
        Names the sensor in the error.

    Returns
    -------
    Reading
        Specific force [m/s²] and angular velocity [rad/s], sensor axes.

    Raises
    ------
    FrameError
        It is no such frame.
    """
    if len(payload) != FRAME_BYTES or payload[0] != HEADER or payload[1] != DATA:
        raise FrameError(device, "20 bytes beginning 55 61", payload)
    ax, ay, az, gx, gy, gz, *_ = _FRAME.unpack(payload)
    a, g = MS2_PER_COUNT, RADS_PER_COUNT
    return (ax * a, ay * a, az * a), (gx * g, gy * g, gz * g)


def encode_frame(reading: Reading) -> bytes:
    """Inverse of `decode_frame`; the angles are 0, what is out of range is clipped."""
    acc_ms2, gyr_rads = reading
    counts = _counts(acc_ms2, MS2_PER_COUNT) + _counts(gyr_rads, RADS_PER_COUNT)
    return bytes((HEADER, DATA)) + _FRAME.pack(*counts, 0, 0, 0)[2:]


def _counts(values: Vector, unit: float) -> list[int]:
    return [max(-32768, min(32767, round(value / unit))) for value in values]


def decode_reply(payload: bytes, device: str) -> tuple[int, tuple[int, ...]]:
    """Decode the answer to `encode_read`: the first register, and its and the next ones' values.

    Only the first four are certain to be the registers'; of more a single source speaks.

    Raises
    ------
    FrameError
        It is no such frame.
    """
    if len(payload) != FRAME_BYTES or payload[0] != HEADER or payload[1] != REPLY:
        raise FrameError(device, "20 bytes beginning 55 71", payload)
    register, *values = _REPLY.unpack(payload)
    return register, tuple(values[:4])


def encode_reply(register: int, values: tuple[int, ...]) -> bytes:
    """Inverse of `decode_reply`."""
    padded = (*values, *(0,) * (8 - len(values)))
    return bytes((HEADER, REPLY)) + _REPLY.pack(register, *padded)[2:]


def encode_command(register: int, value: int) -> bytes:
    """Encode the writing of a register; it is taken after `UNLOCK` only."""
    return struct.pack("<BBBh", 0xFF, 0xAA, register, value)


def encode_rate(rate_hz: float) -> bytes:
    """Encode the setting of the rate, one of `RATE_CODES`."""
    return encode_command(RATE, RATE_CODES[rate_hz])


def encode_read(register: int) -> bytes:
    """Encode the question for a register."""
    return encode_command(READ, register)


def battery_percent(centivolt: int) -> float | None:
    """Tell the charge from the battery's voltage times 100; None where it was not measured."""
    if centivolt <= 0:
        return None
    return float(next((p for least, p in BATTERY_LEVELS if centivolt >= least), 0))


def _is_header(data: bytes, at: int) -> bool:
    """Whether a header begins at a place, as far as there are bytes."""
    head = data[at : at + 2]
    return not head or (head[0] == HEADER and (len(head) < 2 or head[1] in (DATA, REPLY)))


class FrameSplitter:
    """Cuts a stream of notifications into frames.

    Parameters
    ----------
    device : str
        Names the sensor in errors.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.unlock()

    def unlock(self) -> None:
        """Begin anew, maybe in the middle of a frame."""
        self._tail = b""
        self._locked = False
        self._leading = 0  # bytes before the first frame; -1 after it

    def split(self, payload: bytes) -> tuple[list[bytes], tuple[FrameError, ...]]:
        """Give the whole frames up to the end of a notification, and what is refused."""
        frames: list[bytes] = []
        refused = bytearray()
        if self._tail and self._stands_alone(payload):
            self._refuse(self._tail, refused)
            self._tail = b""
        data, at = self._tail + payload, 0
        while at < len(data):
            if not self._locked:
                start = self._find(data, at)
                self._refuse(data[at:start], refused)
                at = start
            if len(data) - at < FRAME_BYTES and _is_header(data, at):
                break
            self._locked = _is_header(data, at) and _is_header(data, at + FRAME_BYTES)
            if self._locked:
                frames.append(data[at : at + FRAME_BYTES])
                at += FRAME_BYTES
                self._leading = -1
            else:
                self._refuse(data[at : at + 1], refused)
                at += 1
        self._tail = data[at:]
        if not refused:
            return frames, ()
        expected = "frames of 20 bytes, each beginning 55 61 or 55 71"
        return frames, (FrameError(self.device, expected, bytes(refused)),)

    @staticmethod
    def _stands_alone(payload: bytes) -> bool:
        """Whether a notification begins with a header, and one follows every 20 bytes."""
        starts = range(0, len(payload), FRAME_BYTES)
        return len(payload) > 1 and all(_is_header(payload, start) for start in starts)

    @staticmethod
    def _find(data: bytes, at: int) -> int:
        """Find where the next frame may begin: a header, and another behind the frame."""
        while at < len(data):
            if _is_header(data, at) and _is_header(data, at + FRAME_BYTES):
                return at
            at = data.find(HEADER, at + 1)
            if at < 0:
                break
        return len(data)

    def _refuse(self, data: bytes, refused: bytearray) -> None:
        """Refuse bytes; the rest of a frame that had begun before the stream is no fault."""
        if self._leading >= 0:
            self._leading += len(data)
            if self._leading < FRAME_BYTES:
                return
        refused += data


class WitMotionDecoder:
    """Decodes the stream; times are counted.

    Parameters
    ----------
    device : str
        Names the sensor in errors.
    settings : StreamSettings
        ``rate_hz``, and ``measured_rate_hz`` where it was measured.
    """

    def __init__(self, device: str, settings: StreamSettings) -> None:
        self.device = device
        self._splitter = FrameSplitter(device)
        self._clock = CountedClock(counting_rate(settings))

    def feed(self, frame: Frame) -> Decoded:
        """Take a notification; those of other characteristics give nothing."""
        if frame.characteristic != NOTIFY:
            return NOTHING
        frames, refused = self._splitter.split(frame.payload)
        readings: list[Reading] = []
        battery: float | None = None
        for data in frames:
            if data[1] == DATA:
                readings.append(decode_frame(data, self.device))
            else:
                register, values = decode_reply(data, self.device)
                battery = battery_percent(values[0]) if register == BATTERY else battery
        samples = self._clock.place(readings, frame.arrival_s)
        return Decoded(samples, refused, battery_percent=battery)

    def relink(self, settings: StreamSettings) -> None:
        """Drop the half of a frame; place what follows by its arrival."""
        self._splitter.unlock()
        self._clock.relink(counting_rate(settings))

    def finish(self) -> Decoded:
        """Give what the clock held back."""
        return Decoded(self._clock.finish())


class WitMotionCodec:
    """The family of WitMotion's Bluetooth LE sensors with the frames ``55 61``."""

    name = "witmotion"
    model = "WitMotion WT901BLE"
    rates_hz = tuple(RATE_CODES)
    default_rate_hz = 100.0
    clock = "none; samples are counted and placed by their arrivals"
    service = NOTIFY
    can_identify = False

    def recognises(self, advertisement: Advertisement) -> bool:
        """Recognise the names ``WT901BLE67``, ``WT9011DCL`` and the like, or the service."""
        name = advertisement.name
        return name.startswith("WT") or "WT901" in name or SERVICE in advertisement.services

    def describe(self) -> Dialogue[Identity]:
        """Ask for the battery."""
        yield Subscribe(NOTIFY)
        answer = yield _ask(BATTERY)
        yield Unsubscribe(NOTIFY)
        level = battery_percent(_first_value(answer, BATTERY)) if answer else None
        return Identity(self.model, battery_percent=level)

    def identify(self) -> Dialogue[None]:
        """Do nothing: it cannot make itself seen."""
        yield from ()

    def prepare(self, rate_hz: float) -> Dialogue[StreamSettings]:
        """Set the rate, and the frames' content where it was changed.

        The stream starts by itself on subscription, which is needed for answers; what comes before
        `begin` is not meant to be recorded.
        """
        yield Subscribe(NOTIFY)
        for _ in range(RATE_ORDERS):
            yield from _set(encode_rate(rate_hz))
            answer = yield _ask(RATE)
            code = _first_value(answer, RATE) if answer else 0
            if code in (RATE_CODES[rate_hz], 0):  # 0 is no rate: the register does not tell
                break
        yield Pause(WAITED_S)
        answer = yield _ask(OUTPUT)
        # with other values the frames hold displacement and speed under the same header
        # (single source); without an answer it is left alone
        if answer and _first_value(answer, OUTPUT) != 0:
            yield from _set(encode_command(OUTPUT, 0))
        return {"rate_hz": rate_hz}

    def begin(self, settings: StreamSettings) -> Dialogue[None]:  # noqa: ARG002
        """Have the stream sent, should it not be already."""
        yield Subscribe(NOTIFY)

    def end(self, settings: StreamSettings) -> Dialogue[None]:  # noqa: ARG002
        """End the stream; the rate is forgotten when the sensor is switched off."""
        yield Unsubscribe(NOTIFY)

    def decoder(self, device: str, settings: StreamSettings) -> WitMotionDecoder:
        """Make a decoder for one sensor."""
        return WitMotionDecoder(device, settings)


def _set(command: bytes) -> Dialogue[None]:
    """Unlock and write a register, with the pauses the sensor needs, before it as well."""
    yield Pause(WAITED_S)
    yield Write(COMMAND, UNLOCK, response=False)
    yield Pause(WAITED_S)
    yield Write(COMMAND, command, response=False)
    yield Pause(WAITED_S)


def _replies(payload: bytes, register: int) -> list[bytes]:
    """Find a register's answer among the frames of a notification."""
    starts = range(0, len(payload) - FRAME_BYTES + 1, FRAME_BYTES)
    head = bytes((HEADER, REPLY, register, 0))
    return [payload[s : s + FRAME_BYTES] for s in starts if payload[s : s + 4] == head]


def _first_value(payload: bytes, register: int) -> int:
    """Value of a register in a notification that answers for it."""
    return decode_reply(_replies(payload, register)[0], "WitMotion")[1][0]


def _ask(register: int) -> Ask:
    """Ask for a register; at high rates answers may be missing (single source)."""
    return Ask(
        COMMAND,
        encode_read(register),
        NOTIFY,
        lambda payload: bool(_replies(payload, register)),
        response=False,
        timeout_s=1.0,
        optional=True,
    )


CODEC = WitMotionCodec()
