"""MbientLab MetaMotion R, RL, C and S: registers of two inertial chips, packets without a clock.

Source: the vendor's SDK and its tests, and independent public clients that agree with it byte for
byte. Packets are ``[module][register][data]``; bit 7 of a register asks for it, and marks the
answer. Acceleration and angular rate come in packets of their own, in turn, each with one triplet
or, packed, three. Which register has which layout depends on the chip, register 5 of the gyroscope
even clashes; the chip is told from the modules' own answers, never from the model's name.

Samples could be stamped on board by data processors; set aside, as a single source describes them
and they triple the packets.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from imu.codecs.counting import CountedClock, Reading, counting_rate
from imu.codecs.dialogue import Ask, Dialogue, Read, Subscribe, Unsubscribe, Write
from imu.codecs.protocol import NOTHING, Decoded, Identity, StreamSettings
from imu.errors import FrameError, LinkError
from imu.frames import FIRMWARE_REVISION, MODEL_NUMBER, Advertisement, Frame, Vector
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

SERVICE = "326a9000-85cb-9195-d9dd-464cfbbae75a"
COMMAND = "326a9001-85cb-9195-d9dd-464cfbbae75a"  # takes writes without response
NOTIFY = "326a9006-85cb-9195-d9dd-464cfbbae75a"

ACC, GYR, SETTINGS = 0x03, 0x13, 0x11
LAST_MODULE, DEBUG = 0x19, 0xFE
POWER, ENABLE, CONFIG, INFO, BATTERY = 0x01, 0x02, 0x03, 0x80, 0x8C
STOP_LOGGING, REMOVE_PROCESSORS = bytes((0x0B, 0x01, 0x00)), bytes((0x09, 0x08))
# 7.5 ms between events, none skipped, given up after 6 s: the fastest the board may ask for
FAST_LINK = struct.pack("<BBHHHH", SETTINGS, 0x09, 6, 6, 0, 600)

RATE_CODES = {25.0: 6, 50.0: 7, 100.0: 8, 200.0: 9}
GYR_RANGE_CODES = {2000: 0, 1000: 1, 500: 2, 250: 3, 125: 4}
# A knock while strapping on passes 4 g, but never a turn of the hip; that one stays below
# 600 deg/s. So half the largest ranges, for twice their resolution: 0.24 mg and 0.03 deg/s.
ACC_RANGE_G, GYR_RANGE_DEGS = 8, 1000
MODELS = {"5": "MetaMotion R", "6": "MetaMotion C", "8": "MetaMotion S"}

_TRIPLET, _BATTERY = struct.Struct("<3h"), struct.Struct("<2xBH")


@dataclass(frozen=True, slots=True)
class Chip:
    """Where a chip's data are and how it is set.

    Attributes
    ----------
    name : str
        The maker's.
    acc_implementation, gyr_implementation : int
        By which the modules tell it.
    acc_registers, gyr_registers : tuple of int
        Of one triplet, and of three.
    acc_config : int
        Added to the rate's code, from 25 Hz on.
    acc_ranges : dict of int to int
        Code of each range [g].
    packed_from : int
        Revision of the accelerometer's module from which on data come packed.
    """

    name: str
    acc_implementation: int
    gyr_implementation: int
    acc_registers: tuple[int, int]
    gyr_registers: tuple[int, int]
    acc_config: int
    acc_ranges: dict[int, int]
    packed_from: int


BMI160 = Chip(
    "BMI160", 1, 0, (0x04, 0x1C), (0x05, 0x07), 0x20, {2: 3, 4: 5, 8: 8, 16: 12}, packed_from=1
)
BMI270 = Chip(
    "BMI270", 4, 1, (0x04, 0x05), (0x04, 0x05), 0xA0, {2: 0, 4: 1, 8: 2, 16: 3}, packed_from=0
)
CHIPS = {chip.name: chip for chip in (BMI160, BMI270)}


def acc_unit(range_g: int) -> float:
    """Acceleration of one count [m/s²]."""
    return range_g * STANDARD_GRAVITY_MS2 / 32768.0


def gyr_unit(range_degs: int) -> float:
    """Angular rate of one count [rad/s]; 16.4 counts are 1 deg/s at 2000 deg/s."""
    return range_degs / 2000.0 / 16.4 * RAD_PER_DEG


@dataclass(frozen=True, slots=True)
class Packet:
    """What a packet of data looks like.

    Attributes
    ----------
    module, register : int
        Its first two bytes.
    triplets : int
        1 or 3.
    unit : float
        SI value of one count.
    """

    module: int
    register: int
    triplets: int
    unit: float


def packets(settings: StreamSettings) -> tuple[Packet, Packet]:
    """Packets of acceleration and of angular rate that a stream consists of."""
    chip, packed = CHIPS[settings["chip"]], bool(settings["packed"])
    triplets = 3 if packed else 1
    return (
        Packet(ACC, chip.acc_registers[packed], triplets, acc_unit(settings["acc_range_g"])),
        Packet(GYR, chip.gyr_registers[packed], triplets, gyr_unit(settings["gyr_range_degs"])),
    )


def decode_packet(payload: bytes, packet: Packet, device: str) -> tuple[Vector, ...]:
    """Decode a packet of data, SI units, oldest first.

    Raises
    ------
    FrameError
        Its first two bytes or its length are others.
    """
    size = 2 + packet.triplets * _TRIPLET.size
    if len(payload) != size or payload[0] != packet.module or payload[1] != packet.register:
        expected = f"{size} bytes beginning {packet.module:02x} {packet.register:02x}"
        raise FrameError(device, expected, payload)
    unit = packet.unit
    counts = _TRIPLET.iter_unpack(payload[2:])
    return tuple((x * unit, y * unit, z * unit) for x, y, z in counts)


def encode_packet(vectors: Sequence[Vector], packet: Packet) -> bytes:
    """Inverse of `decode_packet`; what is out of range is clipped."""
    counts = (max(-32768, min(32767, round(v / packet.unit))) for xyz in vectors for v in xyz)
    return struct.pack(f"<BB{3 * len(vectors)}h", packet.module, packet.register, *counts)


def encode_acc_config(chip: Chip, rate_hz: float, range_g: int) -> bytes:
    """Encode the accelerometer's rate and range."""
    conf = chip.acc_config + RATE_CODES[rate_hz]
    return bytes((ACC, CONFIG, conf, chip.acc_ranges[range_g]))


def encode_gyr_config(rate_hz: float, range_degs: int) -> bytes:
    """Encode the gyroscope's rate and range, alike for both chips (BMI270: single source)."""
    return bytes((GYR, CONFIG, 0x20 + RATE_CODES[rate_hz], GYR_RANGE_CODES[range_degs]))


def decode_module_info(payload: bytes) -> tuple[int, int] | None:
    """Tell a module's implementation and revision from its answer; None where it is absent."""
    return (payload[2], payload[3]) if len(payload) >= 4 else None


def encode_module_info(module: int, implementation: int, revision: int) -> bytes:
    """Inverse of `decode_module_info`."""
    return bytes((module, INFO, implementation, revision))


def decode_battery(payload: bytes, device: str) -> float:
    """Decode the battery's charge [percent].

    Raises
    ------
    FrameError
        It is no such answer, or above 100 %.
    """
    if len(payload) != 5 or payload[:2] != bytes((SETTINGS, BATTERY)) or payload[2] > 100:
        raise FrameError(device, "5 bytes beginning 11 8c, then 0 to 100 percent", payload)
    return float(_BATTERY.unpack(payload)[0])


def encode_battery(percent: float) -> bytes:
    """Inverse of `decode_battery`, with the voltage of a cell charged so far, roughly."""
    millivolt = round(3300.0 + 9.0 * percent)
    return bytes((SETTINGS, BATTERY)) + _BATTERY.pack(round(percent), millivolt)[2:]


def find_chip(acc: tuple[int, int] | None, gyr: tuple[int, int] | None) -> Chip:
    """Find the chip by what the accelerometer's and the gyroscope's module answer.

    Raises
    ------
    LinkError
        There is no gyroscope, or none that is known.
    """
    for chip in CHIPS.values():
        if acc and gyr and (acc[0], gyr[0]) == (chip.acc_implementation, chip.gyr_implementation):
            return chip
    found = [
        f"{name} {'missing' if info is None else f'of implementation {info[0]}'}"
        for name, info in (("accelerometer", acc), ("gyroscope", gyr))
    ]
    raise LinkError(
        "MetaMotion: expected an accelerometer and a gyroscope of a BMI160 or BMI270, found the "
        f"{' and the '.join(found)}. Use a MetaMotion R, RL, C or S."
    )


class MetaMotionDecoder:
    """Decodes the stream and pairs acceleration with angular rate; times are counted.

    A packet of one kind twice running means that the other was lost: its half is refused, and its
    samples are counted as missing. Losing the second half of one pair and the first of the next
    cannot be seen.

    Parameters
    ----------
    device : str
        Names the sensor in errors.
    settings : StreamSettings
        ``rate_hz``, ``chip``, ``packed``, ``acc_range_g``, ``gyr_range_degs``, and
        ``measured_rate_hz`` where it was measured.
    """

    def __init__(self, device: str, settings: StreamSettings) -> None:
        self.device = device
        self._clock = CountedClock(counting_rate(settings))
        self._set(settings)

    def _set(self, settings: StreamSettings) -> None:
        self._acc, self._gyr = packets(settings)
        self._waiting: tuple[bytes, tuple[Vector, ...]] | None = None
        self._paired = False  # one chip starts before the other: the first halves are no loss

    def feed(self, frame: Frame) -> Decoded:
        """Take a notification; those of other characteristics or modules give nothing."""
        if frame.characteristic != NOTIFY:
            return NOTHING
        payload = frame.payload
        try:
            head = (payload[0], payload[1]) if len(payload) > 1 else None
            if head == (GYR, self._gyr.register):
                rates = decode_packet(payload, self._gyr, self.device)
                return self._pair(payload, rates, frame.arrival_s)
            if head == (ACC, self._acc.register):
                vectors = decode_packet(payload, self._acc, self.device)
                return self._wait(payload, vectors, frame.arrival_s)
            if head == (SETTINGS, BATTERY):
                return Decoded(battery_percent=decode_battery(payload, self.device))
            self._refuse_foreign(payload)
        except FrameError as error:
            return Decoded(refused=(error,))
        return NOTHING

    def relink(self, settings: StreamSettings) -> None:
        """Drop the half of a pair; place what follows by its arrival."""
        self._set(settings)
        self._clock.relink(counting_rate(settings))

    def finish(self) -> Decoded:
        """Give what the clock held back; the half of a pair at the end is no fault."""
        return Decoded(self._clock.finish())

    def _refuse_foreign(self, payload: bytes) -> None:
        """Refuse what no module sends while streaming; answers to commands may come."""
        is_data = len(payload) > 1 and payload[0] in (ACC, GYR) and payload[1] < INFO
        is_module = len(payload) > 1 and (payload[0] <= LAST_MODULE or payload[0] == DEBUG)
        if is_data or not is_module:
            registers = f"03 {self._acc.register:02x} or 13 {self._gyr.register:02x}"
            raise FrameError(self.device, f"packets beginning {registers}", payload)

    def _wait(self, payload: bytes, vectors: tuple[Vector, ...], arrival_s: float) -> Decoded:
        before, self._waiting = self._waiting, (payload, vectors)
        return self._unpaired(before[0], arrival_s) if before else NOTHING

    def _pair(self, payload: bytes, rates: tuple[Vector, ...], arrival_s: float) -> Decoded:
        before, self._waiting = self._waiting, None
        if before is None:
            return self._unpaired(payload, arrival_s)
        self._paired = True
        readings: list[Reading] = list(zip(before[1], rates, strict=True))
        return Decoded(self._clock.place(readings, arrival_s))

    def _unpaired(self, payload: bytes, arrival_s: float) -> Decoded:
        """Refuse half of a pair."""
        if not self._paired:
            return NOTHING
        samples = self._clock.place([None] * self._acc.triplets, arrival_s)
        expected = "acceleration and angular rate in turn"
        return Decoded(samples, (FrameError(self.device, expected, payload),))


class MetaMotionCodec:
    """The family of MbientLab's sensors with a gyroscope."""

    name = "metamotion"
    model = "MetaMotion"
    rates_hz = tuple(RATE_CODES)
    default_rate_hz = 100.0
    clock = "none; samples are counted and placed by their arrivals"
    service = NOTIFY
    can_identify = False  # the bytes of its light are not documented well enough

    def recognises(self, advertisement: Advertisement) -> bool:
        """Recognise the service, or the name given by the maker (single source)."""
        return SERVICE in advertisement.services or advertisement.name.startswith("MetaWear")

    def describe(self) -> Dialogue[Identity]:
        """Ask for model, firmware and battery."""
        number = _text((yield Read(MODEL_NUMBER, optional=True)))
        firmware = _text((yield Read(FIRMWARE_REVISION, optional=True)))
        yield Subscribe(NOTIFY)
        answer = yield _ask(SETTINGS, BATTERY, optional=True)
        yield Unsubscribe(NOTIFY)
        level = float(answer[2]) if len(answer) > 2 and answer[2] <= 100 else None
        return Identity(MODELS.get(number, self.model), firmware or None, level)

    def identify(self) -> Dialogue[None]:
        """Do nothing: it cannot make itself seen."""
        yield from ()

    def prepare(self, rate_hz: float) -> Dialogue[StreamSettings]:
        """Stop what an earlier link left running, find the chip, set rate and ranges."""
        yield Subscribe(NOTIFY)
        for command in (*_stop(), STOP_LOGGING, REMOVE_PROCESSORS):
            yield _write(command)
        acc = decode_module_info((yield _ask(ACC, INFO)))
        gyr = decode_module_info((yield _ask(GYR, INFO)))
        chip = find_chip(acc, gyr)
        for module, registers in ((ACC, chip.acc_registers), (GYR, chip.gyr_registers)):
            for register in registers:
                yield _write(bytes((module, register, 0)))
        yield _write(FAST_LINK)
        yield _write(encode_acc_config(chip, rate_hz, ACC_RANGE_G))
        yield _write(encode_gyr_config(rate_hz, GYR_RANGE_DEGS))
        return {
            "rate_hz": rate_hz,
            "chip": chip.name,
            "packed": acc is not None and acc[1] >= chip.packed_from,
            "acc_range_g": ACC_RANGE_G,
            "gyr_range_degs": GYR_RANGE_DEGS,
        }

    def begin(self, settings: StreamSettings) -> Dialogue[None]:
        """Have both data sent, and switch the accelerometer on, then the gyroscope."""
        yield Subscribe(NOTIFY)
        acc, gyr = packets(settings)
        for packet in (acc, gyr):
            yield _write(bytes((packet.module, packet.register, 1)))
        for module in (ACC, GYR):
            yield _write(bytes((module, ENABLE, 1, 0)))
        for module in (ACC, GYR):
            yield _write(bytes((module, POWER, 1)))

    def end(self, settings: StreamSettings) -> Dialogue[None]:
        """Switch both off; a board left measuring empties its battery."""
        for command in _stop():
            yield _write(command)
        for packet in packets(settings):
            yield _write(bytes((packet.module, packet.register, 0)))
        yield Unsubscribe(NOTIFY)  # acknowledged, so that what was written before has arrived

    def decoder(self, device: str, settings: StreamSettings) -> MetaMotionDecoder:
        """Make a decoder for one sensor."""
        return MetaMotionDecoder(device, settings)


def _stop() -> tuple[bytes, ...]:
    """Commands that end a stream."""
    return (
        bytes((ACC, POWER, 0)),
        bytes((GYR, POWER, 0)),
        bytes((ACC, ENABLE, 0, 1)),
        bytes((GYR, ENABLE, 0, 1)),
    )


def _text(data: bytes) -> str:
    return data.decode("ascii", "replace").strip("\0 ")


def _write(command: bytes) -> Write:
    return Write(COMMAND, command, response=False)


def _ask(module: int, register: int, optional: bool = False) -> Ask:
    head = bytes((module, register))
    return Ask(COMMAND, head, NOTIFY, lambda p: p[:2] == head, response=False, optional=optional)


CODEC = MetaMotionCodec()
