"""Polar Verity Sense: real frames, packed differences, two streams put together, its dialogues."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imu.codecs.polar import (
    ACC,
    CODEC,
    COMPRESSED_DEGS,
    COMPRESSED_G,
    COMPRESSED_MG,
    CONTROL,
    DATA,
    GYRO,
    RAW_MG,
    MotionFrame,
    PolarDecoder,
    decode_frame,
    decode_parameters,
    encode_answer,
    encode_frame,
    encode_parameters,
    read_answer,
)
from imu.emulators.peripheral import RefusedError
from imu.emulators.polar import VeritySense
from imu.errors import LinkError
from imu.frames import BATTERY_LEVEL, Advertisement, Frame
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2
from tests.imu.codecs.driving import ADDRESS, HandLink, decode, motion, streaming, time_errors

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "polar" / "vectors.json"

# from the vendor's own tests (GyrDataTest, AccDataTest of polar-ble-sdk)
VENDOR = {
    "05ffffffffffffff7f80eaff08000d000301df00": (2**63 - 1, ((-22, 8, 13), (-23, 11, 16))),
    "02650000000000000081f1ff1400f00306017b0f08": (101, ((-15, 20, 1008), (-20, 17, 1008))),
    "02009435770000000001f7ffffffe703f8fffeffe503": (2 * 10**9, ((-9, -1, 999), (-8, -2, 997))),
}
# sent by a worn Verity Sense with early firmware, from a report to the vendor (polar-ble-sdk 186)
WORN = (
    "02965b065deeab7f09808ef1b9fb34fb081d2a1a1d2beee5eddbf19902fba7f0d7eb0bd70419d70638e73412105b0c"
    "3624072f22e757def31bf21f07e405f4f4f4e7fc11fa0ffcf31a12042ffd1425e81b15173c01f432baff1306faf6db"
    "fae4acf8c0aefebca0e1e00a0aebe3df3ef4edcb2080fdfa3300810732e4ffbe12da079148fcee4762c00a3fc4af42"
    "fefea300080aec1d06e72afee720c3e322ffd00fe92bf4010d1701d00834e7fa53caba010a0dbd270041ebeabf6f77"
    "f7b45facfbe7e133df7c09ed5f3f0bfc1be462bf02472400021336d84f0110d713f102ee3f88e03e"
)
SETTINGS = {
    "rate_hz": 52.0,
    "acc_range_g": 8,
    "gyr_range_degs": 2000,
    "acc_factor": 1.0,
    "gyr_factor": 0.07,
}
EPOCH_NS = 800_000_000 * 10**9
COUNT = st.integers(-(2**15), 2**15 - 1)
COUNTS = st.lists(st.tuples(COUNT, COUNT, COUNT), min_size=1, max_size=60).map(tuple)
SMALL = st.integers(-5000, 5000)
STEP = 1 / 52


def frame(measurement: int, end_s: float, counts: list[tuple[int, int, int]]) -> Frame:
    """A compressed frame, stamped at its last sample and received 50 ms later."""
    kind = COMPRESSED_MG if measurement == ACC else COMPRESSED_DEGS
    stamp_ns = EPOCH_NS + round(end_s * 1e9)
    payload = encode_frame(MotionFrame(measurement, stamp_ns, kind, tuple(counts)))
    return Frame(DATA, 10.0 + end_s + 0.05, payload)


def pairs(count: int, start_s: float = 0.0, size: int = 20) -> list[Frame]:
    """Frames of both streams at the same times; the x axis of both counts the samples."""
    out = []
    for start in range(0, count * size, size):
        counts = [(index, 0, 1000) for index in range(start, start + size)]
        end_s = start_s + (start + size) * STEP
        out += [frame(ACC, end_s, counts), frame(GYRO, end_s, counts)]
    return out


@pytest.mark.parametrize("text", VENDOR)
def test_the_vendors_frames_are_decoded_and_written_again(text):
    stamp_ns, counts = VENDOR[text]
    decoded = decode_frame(bytes.fromhex(text), "Polar")
    assert decoded.stamp_ns == stamp_ns
    assert decoded.counts == counts
    again = decode_frame(encode_frame(decoded), "Polar")
    assert again == decoded


def test_a_worn_sensors_frame_is_gravity_and_little_more():
    """The bits are packed as thought: 63 samples that hang together, bytes used up, about 1 g."""
    decoded = decode_frame(bytes.fromhex(WORN), "Polar")
    assert decoded.kind == COMPRESSED_G
    assert len(decoded.counts) == 63
    acc_g = np.array(decoded.counts) / 4096  # 0.244 mg a count, which this firmware tells
    assert np.linalg.norm(acc_g, axis=1) == pytest.approx(np.ones(63), abs=0.15)
    assert np.abs(np.diff(acc_g, axis=0)).max() < 0.1


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")
def test_shared_vectors():
    vectors = json.loads(VECTORS.read_text())
    for one in vectors["data"]:
        decoded = decode_frame(bytes.fromhex(one["hex"]), "Polar")
        expected = one.get("gyro_dps") or one["acc_mg"]
        assert decoded.stamp_ns == one["timestamp_ns"]
        assert [list(counts) for counts in decoded.counts] == expected
    (chest_strap, *_) = vectors["commands"]
    told = decode_parameters(bytes.fromhex(chest_strap["hex"])[2:], "Polar")
    assert told == {0: (200,), 1: (16,), 2: (2,)}
    assert encode_parameters(told).hex() == chest_strap["hex"][4:]


def test_what_an_owners_sensor_answered():
    """Gyroscope and accelerometer started: 0.07 for the first, nothing for the second."""
    told = read_answer(bytes.fromhex("f0020500000501295c8f3d"), "Polar")
    assert told[5][0] == pytest.approx(0.07)
    assert read_answer(bytes.fromhex("f002020000"), "Polar") == {}
    assert encode_answer(2, 5, 0, told).hex() == "f0020500000501295c8f3d"


@given(COUNTS, st.integers(0, 2**64 - 1), st.integers(1, 70), st.sampled_from([0, 1, 2, 3]))
def test_decoding_inverts_encoding(counts, stamp_ns, block, form):
    forms = ((ACC, RAW_MG), (ACC, COMPRESSED_G), (ACC, COMPRESSED_MG), (GYRO, COMPRESSED_DEGS))
    motion_frame = MotionFrame(forms[form][0], stamp_ns, forms[form][1], counts)
    assert decode_frame(encode_frame(motion_frame, block), "Polar") == motion_frame


@given(st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=2, max_size=40), st.booleans(), st.data())
def test_bytes_missing_or_left_over_are_refused(counts, raw, data):
    """A frame cut between two blocks is a shorter frame: its length stands nowhere."""
    kind = RAW_MG if raw else COMPRESSED_MG
    whole = encode_frame(MotionFrame(ACC, EPOCH_NS, kind, tuple(counts)))
    decoder = PolarDecoder("Polar", SETTINGS)
    shorter = 0
    for size in range(len(whole)):
        (error,) = decoder.feed(Frame(DATA, 1.0, whole[:size])).refused or (None,)
        if error is None:
            part = decode_frame(whole[:size], "Polar").counts
            assert part == tuple(counts[: len(part)])
            shorter += 1
        else:
            assert error.payload == whole[:size]
    assert shorter == (len(counts) - 1 if raw else math.ceil((len(counts) - 1) / 8))
    more = bytes(data.draw(st.integers(1, 5))) if raw else b"\0" * data.draw(st.integers(1, 99))
    refused = decode(decoder, [Frame(DATA, 1.0, whole + more)]).refused
    assert [error.payload for error in refused] == [whole + more]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "02",
        "02009435770000000001f7ff",
        "0200943577000000000af7ffffffe703",  # a type nobody documents
        "00009435770000000001f7ffffffe703",  # an electrocardiogram
        "02650000000000000081f1ff1400f0033301" + "00" * 20,  # 51 bits
        "02650000000000000081f1ff1400f003060000",  # a block of none
        "0200943577000000000100000000ff7f",  # 33 g
    ],
)
def test_what_is_no_frame_is_refused_with_its_bytes(text):
    payload = bytes.fromhex(text)
    decoded = PolarDecoder("Polar", SETTINGS).feed(Frame(DATA, 1.0, payload))
    assert decoded.samples == ()
    assert [error.payload for error in decoded.refused] == [payload]


@pytest.mark.parametrize("mtu", [23, 40, 100, 232, 517])
@pytest.mark.parametrize("chunk", [1, 7, 20, 71])
def test_emulator_to_decoder(mtu, chunk):
    link, settings, decoder = streaming(CODEC, VeritySense(ADDRESS))
    truth = motion(213, 52.0)
    frames = link.stream(truth, mtu, chunk)
    assert max(len(one.payload) for one in frames) <= mtu - 3
    decoded = decode(decoder, frames)
    assert decoded.refused == ()
    assert decode(decoder, []).samples == decoder.finish().samples == ()
    # acceleration and rate come in frames of other lengths: some edges may have only one of them
    assert len(decoded.samples) >= 213 - chunk
    first = 213 - len(decoded.samples)
    assert max(map(abs, time_errors(decoded.samples, truth[first:]))) < 1e-6
    for sample, true in zip(decoded.samples, truth[first:], strict=True):
        assert sample.acc_ms2 == pytest.approx(true.acc_ms2, abs=0.0005 * 9.81 + 1e-6)
        assert sample.gyr_rads == pytest.approx(true.gyr_rads, abs=0.036 * RAD_PER_DEG)
    assert settings["gyr_factor"] == pytest.approx(0.07)


@pytest.mark.parametrize("rate_hz", [50.0, 52.0, 52.943, 54.0])
def test_times_follow_the_stamps_where_the_sensor_is_faster_than_it_says(rate_hz):
    frames = []
    for index in range(40):
        counts = [(20 * index + at, 0, 0) for at in range(20)]
        end_s = (20 * index + 19) / rate_hz
        frames += [frame(ACC, end_s, counts), frame(GYRO, end_s, counts)]
    decoded = decode(PolarDecoder("Polar", SETTINGS), frames)
    assert len(decoded.samples) == 800
    origin_s = decoded.samples[20].time_s - 20 / rate_hz
    for index, sample in list(enumerate(decoded.samples))[20:]:
        assert sample.time_s - origin_s == pytest.approx(index / rate_hz, abs=1e-5)
        assert sample.gyr_rads[0] == pytest.approx(index * 0.07 * RAD_PER_DEG)


@given(st.floats(-0.4, 0.4), st.integers(8, 40), st.integers(8, 40))
def test_acceleration_is_interpolated_at_the_gyroscopes_times(offset, acc_size, gyr_size):
    """A ramp of 1 mg per interval is met exactly wherever the two streams' samples lie."""
    total = 240
    frames = []
    for first in range(0, total, acc_size):
        last = first + acc_size - 1
        counts = [(index, 0, 1000) for index in range(first, last + 1)]
        frames.append(frame(ACC, last * STEP, counts))
    for first in range(0, total, gyr_size):
        last = first + gyr_size - 1
        counts = [(index, 0, 0) for index in range(first, last + 1)]
        frames.append(frame(GYRO, (last + offset) * STEP, counts))
    frames.sort(key=lambda one: one.arrival_s)
    decoded = decode(PolarDecoder("Polar", SETTINGS), frames)
    assert decoded.refused == ()
    assert len(decoded.samples) >= total - 2 - max(acc_size, gyr_size)
    for sample in decoded.samples:
        index = round(sample.gyr_rads[0] / RAD_PER_DEG / 0.07)
        acc_mg = sample.acc_ms2[0] / STANDARD_GRAVITY_MS2 * 1e3
        assert acc_mg == pytest.approx(index + offset, abs=2e-5)


@pytest.mark.parametrize("lost", [{6}, {7}, {6, 7}, {6, 7, 8, 9}])
def test_nothing_is_invented_in_a_gap(lost):
    """Lost frames of acceleration, of the rate, of both: what is given out is as it was."""
    frames = [one for index, one in enumerate(pairs(12)) if index not in lost]
    decoded = decode(PolarDecoder("Polar", SETTINGS), frames)
    assert decoded.refused == ()
    assert decoded.duplicates == 0
    missing = 20 * len({index // 2 for index in lost})
    # an interval across a boundary of the gap has acceleration on one side only
    assert 240 - missing - 2 <= len(decoded.samples) <= 240 - missing
    for sample in decoded.samples:
        index = round(sample.gyr_rads[0] / RAD_PER_DEG / 0.07)
        assert sample.acc_ms2[0] == pytest.approx(index * 1e-3 * STANDARD_GRAVITY_MS2, abs=1e-5)
        assert sample.time_s - 8e8 == pytest.approx((index + 1) * STEP, abs=1e-5)


@pytest.mark.parametrize("measurement", [ACC, GYRO])
def test_one_stream_alone_gives_nothing_and_keeps_little(measurement):
    decoder = PolarDecoder("Polar", SETTINGS)
    counts = [(0, 0, 0)] * 20
    frames = [frame(measurement, index * 20 * STEP, counts) for index in range(1, 300)]
    decoded = decode(decoder, frames)
    assert decoded.samples == ()
    assert 8 <= len(decoded.refused) <= 12  # once in ten seconds
    assert "within 10 s" in str(decoded.refused[0])


@given(st.lists(st.integers(0, 2), min_size=2, max_size=20))
def test_what_comes_again_is_counted_and_left_out(repeats):
    frames: list[Frame] = []
    again = 0
    for times, one in zip(repeats, pairs(len(repeats)), strict=False):
        frames += [one] * (1 + times)
        again += times * 20 if one.payload[0] == GYRO else 0
    decoded = decode(PolarDecoder("Polar", SETTINGS), frames)
    assert len(decoded.samples) == 20 * (len(repeats) // 2)
    assert decoded.duplicates == again
    assert decoded.refused == ()


@given(st.floats(-0.35, 30.0), st.integers(70, 10**8))
@example(-0.35, 1000)
def test_a_clock_that_starts_anew_goes_on_by_arrival(lost_s, back_s):
    decoder = PolarDecoder("Polar", SETTINGS)
    old = pairs(6)
    first = decode(decoder, old).samples
    decoder.relink(SETTINGS)
    new = [
        Frame(DATA, one.arrival_s + back_s + old[-1].arrival_s - 10.0 + lost_s, one.payload)
        for one in pairs(6, start_s=-float(back_s))
    ]
    decoded = decode(decoder, new)
    assert decoded.restarts == 1
    assert len(decoded.samples) == 120
    gap_s = decoded.samples[0].time_s - first[-1].time_s
    arrival_s = new[0].arrival_s - old[-1].arrival_s
    assert gap_s == pytest.approx(max(arrival_s - 19 * STEP, STEP), abs=1e-4)


@pytest.mark.parametrize("measurement", [ACC, GYRO])
def test_a_stamp_much_too_near_to_the_last_one_is_refused(measurement):
    decoder = PolarDecoder("Polar", SETTINGS)
    decode(decoder, pairs(2))
    near = frame(measurement, 45 * STEP, [(0, 0, 0)] * 20)
    decoded = decode(decoder, [near])
    assert decoded.samples == ()
    assert [error.payload for error in decoded.refused] == [near.payload]


def test_the_clock_goes_on_after_a_lost_link():
    decoder = PolarDecoder("Polar", SETTINGS)
    frames = pairs(12)
    first = decode(decoder, frames[:10]).samples
    decoder.relink(SETTINGS)
    decoded = decode(decoder, frames[8:10] + frames[14:])
    assert decoded.restarts == 0
    assert decoded.duplicates == 20
    assert len(decoded.samples) == 100
    assert decoded.samples[0].time_s - first[-1].time_s == pytest.approx(41 * STEP, abs=1e-5)


def test_garbage_gives_no_samples():
    rng = random.Random(3)
    decoder = PolarDecoder("Polar", SETTINGS)
    decode(decoder, pairs(6))
    for _ in range(5000):
        payload = rng.randbytes(rng.randrange(250))
        if rng.random() < 0.5:
            head = bytes((rng.choice((ACC, GYRO)),)) + rng.randbytes(8)
            payload = head + bytes((rng.choice((0x01, 0x80, 0x81)),)) + payload
        assert decode(decoder, [Frame(DATA, 13.0, payload)]).samples == ()


def test_description_and_battery():
    link, _, decoder = streaming(CODEC, VeritySense(ADDRESS))
    identity = link.converse(CODEC.describe())
    assert (identity.model, identity.firmware) == ("Polar Verity Sense", "3.0.16")
    assert identity.battery_percent == 80.0
    link.emulator.battery_percent = 12.0
    assert decode(decoder, link.stream(motion(20, 52.0))).battery_percent == 12.0
    for payload in (b"", b"\x65", bytes(2)):
        assert decoder.feed(Frame(BATTERY_LEVEL, 0.0, payload)).refused[0].payload == payload


def test_streams_that_still_run_are_stopped_first():
    link, settings, _ = streaming(CODEC, VeritySense(ADDRESS))
    link.lose()
    assert link.emulator.streaming
    again = link.converse(CODEC.prepare(52.0))
    assert not link.emulator.streaming
    link.converse(CODEC.begin(again))
    with pytest.raises(LinkError, match="it measures already"):
        link.converse(CODEC.begin(again))
    link.converse(CODEC.end(settings))
    assert not link.emulator.streaming


def test_a_factor_that_changed_is_refused():
    link = HandLink(VeritySense(ADDRESS))
    settings = link.converse(CODEC.prepare(52.0)) | {"gyr_factor": 1.0}
    with pytest.raises(LinkError, match=r"gyr_factor is 0\.07, was 1 before"):
        link.converse(CODEC.begin(settings))


def test_a_sensor_in_its_charger_says_so():
    emulator = VeritySense(ADDRESS)
    emulator.charging = True
    with pytest.raises(LinkError, match=r"it is in its charger\. Take it out"):
        streaming(CODEC, emulator)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("", 4),
        ("09 02", 1),
        ("01 03", 2),
        ("02 02", 5),
        ("02 02 00 01", 5),
        ("02 02 00 01 c8 00 01 01 10 00 02 01 08 00", 8),
        ("02 02 00 01 34 00 01 01 18 00 02 01 08 00", 7),
        ("02 05 00 01 34 00 01 01 10 00 02 01 08 00", 9),
        ("02 05 00 01 34 00 01 01 10 00 02 01 d0 07 04 01 04", 11),
    ],
)
def test_the_emulator_refuses_what_the_sensor_refuses(command, error):
    emulator = VeritySense(ADDRESS)
    (answer,) = emulator.write(CONTROL, bytes.fromhex(command), 0.0)
    assert answer.payload[3] == error
    if error != 4:
        with pytest.raises(LinkError, match="refused to measure"):
            read_answer(answer.payload, "Polar")
    assert not emulator.streaming
    with pytest.raises(RefusedError):
        emulator.write(DATA, b"", 0.0)
    with pytest.raises(RefusedError):
        emulator.read(DATA)


def test_recognition():
    assert CODEC.recognises(Advertisement("1", "Polar Sense 0A1B2C3D"))
    assert not CODEC.recognises(Advertisement("1", "Polar H10 12345678"))
