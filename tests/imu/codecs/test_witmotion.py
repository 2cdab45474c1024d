"""WitMotion: frames cut, split, broken and garbled; golden bytes; a real recording."""

from __future__ import annotations

import json
import math
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.codecs.dialogue import Pause, Write
from imu.codecs.witmotion import (
    CODEC,
    COMMAND,
    FRAME_BYTES,
    MS2_PER_COUNT,
    NOTIFY,
    RADS_PER_COUNT,
    SERVICE,
    battery_percent,
    decode_frame,
    decode_reply,
    encode_command,
    encode_frame,
    encode_rate,
    encode_read,
    encode_reply,
)
from imu.emulators.witmotion import WitMotion
from imu.errors import FrameError
from imu.frames import Advertisement, Frame
from imu.units import DEG_PER_RAD, STANDARD_GRAVITY_MS2
from tests.imu.codecs.driving import (
    ADDRESS,
    HandLink,
    decode,
    motion,
    streaming,
    time_errors,
    worst,
)

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "witmotion"
needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason="golden vectors are not here")

# A real sensor's frame (public client witmotion_ble, MIT), and what it means by the datasheet.
REAL = bytes.fromhex("55617702a8fe92fe060230fecdfff8f053fcabc4")
REAL_G = (0.308105, -0.167969, -0.178711)
REAL_DEGS = (31.616211, -28.320312, -3.112793)
SETTINGS = {"rate_hz": 100.0}


def frames_of(*payloads: bytes, interval_s: float = 0.04) -> list[Frame]:
    return [Frame(NOTIFY, 50.0 + i * interval_s, p) for i, p in enumerate(payloads)]


def decoded(*payloads: bytes):
    return decode(CODEC.decoder("wit", SETTINGS), frames_of(*payloads))


def numbered(number: int) -> bytes:
    """A frame that tells its number, and whose data hold no header."""
    return encode_frame((((number % 80) * 256 * MS2_PER_COUNT, 0.0, 0.0), (0.0, 0.0, 0.0)))


def numbers(samples) -> list[int]:
    return [round(s.acc_ms2[0] / MS2_PER_COUNT / 256) for s in samples]


def test_a_real_frame_means_what_the_datasheet_says():
    acc, gyr = decode_frame(REAL, "wit")
    assert acc == pytest.approx([g * STANDARD_GRAVITY_MS2 for g in REAL_G], abs=1e-5)
    assert [w * DEG_PER_RAD for w in gyr] == pytest.approx(REAL_DEGS, abs=1e-6)


def test_a_sensor_at_rest_feels_one_g():
    # the first 16 bytes of a frame that a user printed, made whole with zeros
    acc, _ = decode_frame(bytes.fromhex("556135ff59ff0a08000000000000b9fc00000000"), "wit")
    assert math.hypot(*acc) == pytest.approx(STANDARD_GRAVITY_MS2, rel=0.02)


def test_commands_are_the_documented_bytes():
    assert encode_rate(10.0).hex() == "ffaa030600"
    assert encode_rate(100.0).hex() == "ffaa030900"
    assert encode_rate(200.0).hex() == "ffaa030b00"
    assert encode_read(0x3A).hex() == "ffaa273a00"
    assert encode_command(0x96, 0).hex() == "ffaa960000"


@needs_vectors
def test_golden_vectors():
    vectors = json.loads((VECTORS / "vectors.json").read_text())
    for one in vectors["data"]:
        payload = bytes.fromhex(one["hex"])
        if "angle_deg" in one:
            acc, gyr = decode_frame(payload, "wit")
            assert acc == pytest.approx([g * STANDARD_GRAVITY_MS2 for g in one["acc_g"]], abs=1e-5)
            assert [w * DEG_PER_RAD for w in gyr] == pytest.approx(one["gyro_dps"], abs=1e-6)
        elif "register" in one:
            register, values = decode_reply(payload, "wit")
            assert (register, list(values)) == (one["register"], one["values"][:4])
        else:
            result = decoded(payload)
            assert (result.samples, result.refused) == ((), ())
    for case in vectors["constructed_stream_cases"]:
        result = decoded(*map(bytes.fromhex, case["chunks"]))
        assert len(result.samples) == case["frames"]
        assert result.refused == ()  # the garbage is shorter than a frame and comes first
    for command in vectors["commands"]:
        if command["what"].startswith("rate"):
            rate_hz = float(command["what"].split()[1])
            assert encode_rate(rate_hz).hex() == command["hex"]


@needs_vectors
def test_a_real_recording_is_decoded_without_a_byte_left_over():
    lines = (VECTORS / "wt901-100hz.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines[1:]]
    frames = [Frame(NOTIFY, 7.0 + row["t"], bytes.fromhex(row["hex"])) for row in rows]
    decoder = CODEC.decoder("wit", SETTINGS)
    result = decode(decoder, frames)
    samples = [*result.samples, *decoder.finish().samples]
    assert len(samples) == 4 * len(rows) == 160
    assert result.refused == ()
    # Before and after a silence of 239 ms, three notifications of which then came at once, they
    # came every 40 ms, by a whole 0.13 s later: three more, 12 samples, had been lost.
    steps = {k: after.time_s - before.time_s for k, (before, after) in enumerate(pairwise(samples))}
    lost = {k: round(step * 100.0) - 1 for k, step in steps.items() if step > 0.011}
    assert list(lost) == [35]
    assert lost[35] == pytest.approx(12, abs=2)
    delays = [f.arrival_s - s.time_s for f, s in zip(frames, samples[3::4], strict=True)]
    usual = delays[:9] + delays[12:]
    assert max(usual) - min(usual) < 0.06


def recorded(result) -> list[tuple]:
    return [(s.acc_ms2, s.gyr_rads) for s in result.samples]


@given(
    rate_hz=st.sampled_from(CODEC.rates_hz),
    count=st.integers(1, 120),
    mtu=st.sampled_from([23, 60, 120, 247]),
    split=st.booleans(),
    chunk=st.integers(1, 9),
)
def test_what_the_sensor_measured_is_what_is_decoded(rate_hz, count, mtu, split, chunk):
    emulator = WitMotion(ADDRESS)
    emulator.split = split
    link, _, decoder = streaming(CODEC, emulator, rate_hz)
    truth = motion(count, rate_hz)
    result = decode(decoder, link.stream(truth, mtu=mtu, chunk=chunk))
    assert result.refused == ()
    acc, gyr = worst(result.samples, truth)
    assert acc <= MS2_PER_COUNT
    assert gyr <= RADS_PER_COUNT
    assert max(map(abs, time_errors(result.samples, truth))) < 1e-9


@given(
    values=st.lists(st.integers(-32768, 32767), min_size=6, max_size=6),
)
def test_every_value_of_the_wire_comes_back(values):
    acc = tuple(v * MS2_PER_COUNT for v in values[:3])
    gyr = tuple(v * RADS_PER_COUNT for v in values[3:])
    assert decode_frame(encode_frame((acc, gyr)), "wit") == (acc, gyr)


def test_what_is_out_of_range_is_clipped_as_a_sensor_clips():
    acc, gyr = decode_frame(encode_frame(((1e9, -1e9, 0.0), (1e9, -1e9, 0.0))), "wit")
    assert acc[0] / STANDARD_GRAVITY_MS2 == pytest.approx(16.0, rel=1e-4)
    assert gyr[1] * DEG_PER_RAD == pytest.approx(-2000.0, rel=1e-4)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40))
def test_how_the_bytes_are_cut_does_not_matter(seed, count):
    rng = random.Random(seed)
    stream = b"".join(numbered(i) for i in range(count))
    pieces, at = [], 0
    while at < len(stream):
        size = rng.randint(1, 45)
        pieces.append(stream[at : at + size])
        at += size
    frames = [Frame(NOTIFY, 50.0, piece) for piece in pieces]
    result = decode(CODEC.decoder("wit", SETTINGS), frames)
    assert numbers(result.samples) == [i % 80 for i in range(count)]
    assert result.refused == ()


@pytest.mark.parametrize("size", range(1, FRAME_BYTES))
def test_a_truncated_notification_is_never_completed_by_the_next(size):
    cut_off = numbered(1) + numbered(2)[:size]
    result = decoded(cut_off, numbered(5) + numbered(6), numbered(7))
    assert numbers(result.samples) == [1, 5, 6, 7]
    assert [error.payload for error in result.refused] == [cut_off[FRAME_BYTES:]]


@pytest.mark.parametrize("size", range(1, FRAME_BYTES))
def test_a_frame_split_over_notifications_is_whole(size):
    stream = b"".join(map(numbered, range(4)))
    result = decoded(stream[: 20 + size], stream[20 + size :])
    assert numbers(result.samples) == [0, 1, 2, 3]
    assert result.refused == ()


@pytest.mark.parametrize("lost", range(1, 11))
def test_a_lost_notification_of_a_split_stream_makes_up_nothing(lost):
    stream = b"".join(map(numbered, range(30)))
    pieces = [stream[at : at + 53] for at in range(0, len(stream), 53)]
    del pieces[lost]
    touched = set(range(lost * 53 // 20, ((lost + 1) * 53 - 1) // 20 + 1))
    result = decoded(*pieces)
    found = numbers(result.samples)
    assert set(found) <= set(range(30)) - touched
    assert len(found) >= 30 - len(touched) - 2  # those beside, cut in pieces too
    assert found == sorted(found)


@pytest.mark.parametrize("junk", [b"\0", b"\x55", b"\x55\x61", b"\0\x11\x55\0", bytes(50)])
def test_garbage_between_frames_is_refused_with_its_bytes(junk):
    before, after = numbered(1) + numbered(2), numbered(3) + numbered(4)
    result = decoded(before, junk + after, numbered(5))
    assert numbers(result.samples) == [1, 2, 3, 4, 5]
    assert [error.payload for error in result.refused] == [junk]


@pytest.mark.parametrize("size", range(1, FRAME_BYTES))
def test_the_rest_of_a_frame_that_began_before_the_stream_is_no_fault(size):
    decoder = CODEC.decoder("wit", SETTINGS)
    rest = numbered(70)[size:]
    result = decode(decoder, frames_of(rest + numbered(1) + numbered(2)))
    assert (numbers(result.samples), result.refused) == ([1, 2], ())
    decoder.relink(SETTINGS)
    later = Frame(NOTIFY, 60.0, rest + numbered(3) + numbered(4))
    result = decode(decoder, [later])
    assert result.refused == ()
    assert numbers(decoder.finish().samples) == [3, 4]


def test_more_than_the_rest_of_a_frame_is_refused_at_the_beginning_too():
    result = decoded(bytes(31) + numbered(1))
    assert numbers(result.samples) == [1]
    assert [error.payload for error in result.refused] == [bytes(31)]


@given(payloads=st.lists(st.binary(max_size=90), max_size=12))
def test_any_bytes_are_taken_without_an_exception_and_none_is_lost(payloads):
    decoder = CODEC.decoder("wit", SETTINGS)
    result = decode(decoder, frames_of(*payloads))
    kept = sum(len(error.payload) for error in result.refused)
    assert kept <= sum(map(len, payloads))
    assert len(result.refused) <= len(payloads)
    assert decoder.feed(Frame(COMMAND, 99.0, REAL)).samples == ()


@given(junk=st.lists(st.tuples(st.integers(0, 19), st.binary(min_size=1, max_size=60)), max_size=6))
def test_no_sample_is_made_up_whatever_garbage_comes_between(junk):
    payloads = []
    for i in range(20):
        payloads += [data for at, data in junk if at == i]
        payloads.append(numbered(i) + numbered(i + 20))
    frames = {numbered(i) for i in range(40)}
    for data in (data for _, data in junk):
        frames |= {data[i : i + 20] for i in range(len(data))}
    known = {decode_frame(f, "wit") for f in frames if f[:2] == b"\x55\x61" and len(f) == 20}
    assert set(recorded(decoded(*payloads))) <= known


@pytest.mark.parametrize("size", [n for n in range(40) if n != FRAME_BYTES])
def test_pure_functions_refuse_other_lengths(size):
    payload = (REAL + REAL)[:size]
    for function in (decode_frame, decode_reply):
        with pytest.raises(FrameError) as error:
            function(payload, "wit")
        assert error.value.payload == payload


def test_battery_by_its_voltage():
    assert [battery_percent(v) for v in (420, 396, 395, 379, 340, 339)] == [100, 100, 90, 50, 5, 0]
    assert battery_percent(0) is None
    assert battery_percent(-1) is None


def test_the_battery_is_told_among_samples():
    payload = numbered(1) + encode_reply(0x64, (393, 0, 0, 0)) + numbered(2)
    result = decoded(payload)
    assert result.battery_percent == 90.0
    assert numbers(result.samples) == [1, 2]
    assert decoded(encode_reply(0x3A, (393,))).battery_percent is None


def test_the_battery_is_asked_and_nothing_changed():
    emulator = WitMotion(ADDRESS)
    emulator.battery_percent = 60.0
    before = dict(emulator.registers)
    identity = HandLink(emulator).converse(CODEC.describe())
    assert identity.battery_percent == 60.0
    assert emulator.registers == before
    assert not emulator.streaming


def steps_of(dialogue, answer: bytes = b"") -> list:
    steps = [next(dialogue)]
    try:
        while True:
            steps.append(dialogue.send(answer))
    except StopIteration:
        return steps


def test_the_sensor_is_unlocked_and_given_time_and_nothing_is_saved():
    steps = steps_of(CODEC.prepare(100.0))
    written = [step.data.hex() for step in steps if isinstance(step, Write)]
    assert written == ["ffaa6988b5", "ffaa030900"]
    at = [i for i, step in enumerate(steps) if isinstance(step, Write)]
    assert all(isinstance(steps[i + 1], Pause) and steps[i + 1].seconds >= 0.1 for i in at)


class TimedLink(HandLink):
    """A link whose clock goes on while a dialogue pauses, and hardly otherwise."""

    def _write(self, characteristic: str, data: bytes) -> list:
        self.paused_s += 0.001
        return self._deliver(self.emulator.write(characteristic, data, self.paused_s))


@pytest.mark.parametrize("rate_hz", CODEC.rates_hz)
def test_the_pauses_are_long_enough_for_every_command_to_be_taken(rate_hz):
    emulator = WitMotion(ADDRESS)
    emulator.registers[0x96] = 1
    TimedLink(emulator).converse(CODEC.prepare(rate_hz))
    assert emulator.rate_hz == rate_hz
    assert emulator.registers[0x96] == 0


def test_a_rate_order_that_was_missed_is_given_again():
    emulator = WitMotion(ADDRESS)
    listen = emulator.write
    orders = []

    def deaf_at_first(characteristic, data, time_s):
        if data[:3] == encode_rate(100.0)[:3]:
            orders.append(data)
            if len(orders) < 3:
                return []
        return listen(characteristic, data, time_s)

    emulator.write = deaf_at_first
    TimedLink(emulator).converse(CODEC.prepare(100.0))
    assert (emulator.rate_hz, len(orders)) == (100.0, 3)


def test_frames_that_hold_displacement_are_set_back():
    emulator = WitMotion(ADDRESS)
    emulator.registers[0x96] = 1
    streaming(CODEC, emulator, 50.0)
    assert emulator.registers[0x96] == 0
    assert emulator.rate_hz == 50.0


def test_the_emulated_sensor_ignores_what_comes_locked_or_too_soon():
    emulator = WitMotion(ADDRESS)
    emulator.write(COMMAND, encode_rate(100.0), 1.0)
    assert emulator.rate_hz == 10.0
    emulator.write(COMMAND, bytes.fromhex("ffaa6988b5"), 2.0)
    emulator.write(COMMAND, encode_rate(100.0), 2.05)
    assert emulator.rate_hz == 10.0
    emulator.write(COMMAND, encode_rate(100.0), 2.15)
    assert (emulator.rate_hz, emulator.per_notification) == (100.0, 4)


@pytest.mark.parametrize("name", ["WT901BLE67", "WT9011DCL-BT50", "BWT901BLE", "WTSDCL"])
def test_it_is_recognised_by_its_name(name):
    assert CODEC.recognises(Advertisement("x", name))
    assert CODEC.recognises(Advertisement("x", "", services=frozenset({SERVICE})))
    assert not CODEC.recognises(Advertisement("x", "Movella DOT"))
