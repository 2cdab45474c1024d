"""Movesense: captured bytes, packets in two parts, every way to be wrong, and its dialogues."""

from __future__ import annotations

import itertools
import json
import math
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.codecs.movesense import (
    CODEC,
    COMMAND,
    DATA,
    STREAM_REFERENCE,
    Answer,
    Hello,
    MovesenseDecoder,
    Vectors,
    decode_answer,
    decode_hello,
    decode_vectors,
    encode_answer,
    encode_data,
    encode_hello,
    encode_vectors,
)
from imu.emulators.movesense import Movesense
from imu.emulators.peripheral import RefusedError
from imu.errors import FrameError, LinkError
from imu.frames import BATTERY_LEVEL, Advertisement, Frame
from imu.units import RAD_PER_DEG
from tests.imu.codecs.driving import ADDRESS, HandLink, decode, motion, streaming, worst

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "movesense" / "gsp_vectors.json"

# captured from a Movesense Flash, /Meas/IMU9/52, by the authors of movesense-commander (MIT)
IMU9 = (
    "159e01005c6e61bd56d29cbd8c2a1dc1ee54e6bdccd5febc8c2a1dc1c987dcbd310513bd273e1dc1ccd5febdec0644"
    "bdf7a91dc148e1fa3f8fc225c0c3f5683f66660640cdcc1cc03e0a573f85eb0140cdcc1cc03e0a573f66660640ae47"
    "21c0b81e453f52a86f42817bb0c272e85a431b6e6a42f053acc24add5a4377706d4204ecb1c2db61594335906f420b"
    "7eb0c2d2345a43"
)

NUMBER = st.floats(-150.0, 150.0, width=32)
VECTOR = st.tuples(NUMBER, NUMBER, NUMBER)


def settings(rate_hz: float) -> dict[str, object]:
    path = f"/Meas/IMU6/{rate_hz:.0f}"
    return {"rate_hz": rate_hz, "reference": STREAM_REFERENCE, "path": path}


def body(counter_ms: int, count: int, value: float = 1.0) -> bytes:
    acc = tuple((0.0, value, 9.8) for _ in range(count))
    gyr = tuple((value, 0.0, 2.0) for _ in range(count))
    return encode_vectors(Vectors(counter_ms % 2**32, (acc, gyr)))


def packet(counter_ms: int, arrival_s: float, count: int = 8, mtu: int = 247) -> list[Frame]:
    parts = encode_data(STREAM_REFERENCE, body(counter_ms, count), mtu)
    return [Frame(DATA, arrival_s, part) for part in parts]


def packets(count: int, start_ms: int, start_s: float) -> list[Frame]:
    """At 104 Hz: 8 samples every 1000 / 13 ms."""
    return [
        frame
        for index in range(count)
        for frame in packet(start_ms + round(index * 1000 / 13), start_s + index / 13)
    ]


def test_a_captured_packet_of_three_groups():
    decoded = decode_vectors(bytes.fromhex(IMU9), 3, "Movesense")
    acc, gyr, mag = decoded.groups
    assert decoded.counter_ms == 106005
    assert len(acc) == len(gyr) == len(mag) == 4
    # at rest, z down: gravity; a full count is 0.07 deg/s; the field of the earth, and a magnet
    assert all(math.hypot(*one) == pytest.approx(9.83, abs=0.05) for one in acc)
    assert gyr[0] == pytest.approx((1.96, -2.59, 0.91), abs=1e-6)
    assert mag[3] == pytest.approx((59.890827, -88.246178, 218.206329), abs=1e-5)
    assert encode_vectors(decoded).hex() == IMU9


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")
def test_shared_vectors():
    vectors = json.loads(VECTORS.read_text())
    expected = vectors["imu9_expected"]
    decoded = decode_vectors(bytes.fromhex(vectors["captures_hex"]["imu9_52"]), 3, "Movesense")
    assert decoded.counter_ms == expected["timestamp_ms"]
    for group, name in zip(decoded.groups, ("acc_m_s2", "gyr_dps", "mag_uT"), strict=True):
        assert [list(vector) for vector in group] == expected[name]


def test_a_capture_comes_through_the_decoder():
    """Its first two groups are what /Meas/IMU6/52 sends."""
    capture = bytes.fromhex(IMU9)
    payload = b"\x02" + bytes((STREAM_REFERENCE,)) + capture[: 4 + 96]
    decoded = MovesenseDecoder("M", settings(52.0)).feed(Frame(DATA, 7.0, payload))
    times = [sample.time_s for sample in decoded.samples]
    assert times == pytest.approx([106.005 + index / 52 for index in range(4)])
    gyr_rads = decoded.samples[0].gyr_rads
    expected = (1.96 * RAD_PER_DEG, -2.59 * RAD_PER_DEG, 0.91 * RAD_PER_DEG)
    assert gyr_rads == pytest.approx(expected, rel=1e-6)
    assert decoded.samples[0].acc_ms2[2] == pytest.approx(-9.822887420654297)


@given(st.integers(1, 3), st.integers(1, 16), st.data())
def test_decoding_inverts_encoding(groups, count, data):
    group = st.tuples(*([VECTOR] * count))
    counter_ms = data.draw(st.integers(0, 2**32 - 1))
    values = Vectors(counter_ms, tuple(data.draw(group) for _ in range(groups)))
    assert decode_vectors(encode_vectors(values), groups, "M") == values


@given(st.integers(0, 65535), st.binary(max_size=8))
def test_answers_go_both_ways(status, data):
    answer = Answer(7, status, data)
    assert decode_answer(encode_answer(answer), "M") == answer
    with pytest.raises(FrameError):
        decode_answer(encode_answer(answer)[:3], "M")
    hello = Hello(1, ("1742", "Movesense", "", "app", "2.3"))
    assert decode_hello(encode_hello(hello, 9), "M") == hello


@pytest.mark.parametrize("mtu", [23, 64, 100, 201, 247, 517])
@pytest.mark.parametrize("rate_hz", CODEC.rates_hz)
@pytest.mark.parametrize("chunk", [1, 5, 16])
def test_emulator_to_decoder(rate_hz, mtu, chunk):
    link, told, decoder = streaming(CODEC, Movesense(ADDRESS), rate_hz)
    truth = motion(160, rate_hz, start_s=4294960.0)  # across the wrap
    decoded = decode(decoder, link.stream(truth, mtu, chunk))
    assert told == settings(rate_hz)
    assert decoded.refused == ()
    acc, gyr = worst(decoded.samples, truth)
    assert acc < 1e-6
    assert gyr < 1e-6
    for sample, true in zip(decoded.samples, truth, strict=True):
        # the stamp is to 1 ms, and a packet whose stamp is rounded down may be squeezed
        assert sample.time_s == pytest.approx(true.time_s, abs=0.0016)


def test_a_packet_in_two_parts_is_put_together_by_its_reference():
    whole = body(500, 8)
    first, second = encode_data(STREAM_REFERENCE, whole, mtu=150)
    decoder = MovesenseDecoder("M", settings(104.0))
    stranger = bytes((3, 7)) + bytes(60)
    answer = encode_answer(Answer(STREAM_REFERENCE, 200, b""))
    frames = [Frame(DATA, 1.0, one) for one in (first, stranger, answer, second)]
    decoded = decode(decoder, frames)
    assert len(decoded.samples) == 8
    assert [error.payload for error in decoded.refused] == [stranger]


def test_a_part_that_opens_the_stream_is_dropped_quietly_and_refused_later():
    decoder = MovesenseDecoder("M", settings(104.0))
    part = bytes((3, STREAM_REFERENCE)) + bytes(40)
    for _ in range(2):
        assert decode(decoder, [Frame(DATA, 1.0, part)]).refused == ()
        decoded = decode(decoder, [*packet(500, 1.1), Frame(DATA, 1.1, part)])
        assert [error.payload for error in decoded.refused] == [part]
        decoder.relink(settings(104.0))


@given(st.integers(0, 5), st.sampled_from([1, 2, 4, 8, 16]), st.binary(min_size=1, max_size=30))
def test_every_prefix_and_every_longer_packet_is_refused(wait, count, more):
    decoder = MovesenseDecoder("M", settings(13.0 * count))
    (whole,) = encode_data(STREAM_REFERENCE, body(500, count), mtu=517)
    for size in [*range(wait, len(whole), 6), len(whole) - 1]:
        kept = [*decoder.feed(Frame(DATA, 1.0, whole[:size])).refused, *decoder.finish().refused]
        assert [error.payload for error in kept] == [whole[:size]]
    longer = decode(decoder, [Frame(DATA, 1.0, whole + more)])
    assert longer.samples == ()
    assert [error.payload for error in longer.refused] == [whole + more]
    part = Frame(DATA, 1.0, bytes((3, STREAM_REFERENCE)) + whole[-10:] + more)
    longer = decode(decoder, [Frame(DATA, 1.0, whole[:-10]), part])
    assert longer.samples == ()
    assert [error.payload for error in longer.refused] == [whole + more]
    assert len(decode(decoder, [Frame(DATA, 1.0, whole)]).samples) == count


def test_a_half_is_refused_when_the_next_packet_comes():
    decoder = MovesenseDecoder("M", settings(104.0))
    half = packet(500, 1.0, mtu=150)[0]
    decoded = decode(decoder, [half, *packet(577, 1.1)])
    assert len(decoded.samples) == 8
    assert [error.payload for error in decoded.refused] == [half.payload]
    decoder.feed(half)
    decoder.relink(settings(104.0))
    assert decoder.finish().refused == ()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 3e38, -2400.0])
@pytest.mark.parametrize("place", [0, 23, 24, 47])
def test_values_no_sensor_measures_are_refused_and_do_not_move_the_clock(bad, place):
    numbers = [0.0] * 48
    numbers[place] = bad
    payload = bytes((2, STREAM_REFERENCE)) + struct.pack("<I48f", 3_000_000_000, *numbers)
    decoder = MovesenseDecoder("M", settings(104.0))
    decoded = decode(decoder, [Frame(DATA, 0.9, payload), *packets(5, 500, 1.0)])
    assert len(decoded.samples) == 40
    assert decoded.restarts == 0
    assert [error.payload for error in decoded.refused] == [payload]


@given(st.integers(0, 2**32 - 1))
def test_the_counter_may_wrap_wherever_it_is(start_ms):
    """More than 49.7 days, in steps of an hour."""
    decoder = MovesenseDecoder("M", settings(104.0))
    count, step_s = 1300, 3600
    frames = [
        frame
        for index in range(count)
        for frame in packet(start_ms + index * step_s * 1000, index * step_s)
    ]
    decoded = decode(decoder, frames)
    assert len(decoded.samples) == 8 * count
    assert decoded.restarts == 0
    span_s = decoded.samples[-8].time_s - decoded.samples[0].time_s
    assert span_s == pytest.approx((count - 1) * step_s, abs=1e-6)


@given(st.floats(0.9, 1.1), st.sampled_from(CODEC.rates_hz))
def test_a_sensor_faster_or_slower_than_it_says_loses_nothing(speed, rate_hz):
    decoder = MovesenseDecoder("M", settings(rate_hz))
    count = round(rate_hz) // 13
    frames = []
    for index in range(60):
        counter_ms = int(index * 1000 / 13 / speed)
        frames += packet(1000 + counter_ms, 1.0 + counter_ms * 1e-3, count, mtu=517)
    decoded = decode(decoder, frames)
    assert len(decoded.samples) == 60 * count
    assert decoded.refused == ()
    assert decoded.duplicates == 0
    for index, sample in enumerate(decoded.samples):
        true_s = 1.0 + index / rate_hz / speed
        assert sample.time_s == pytest.approx(true_s, abs=0.1 * count / rate_hz + 0.002)


def test_a_stamp_much_too_near_to_the_last_one_is_refused():
    decoder = MovesenseDecoder("M", settings(104.0))
    (near,) = packet(530, 1.03)
    decoded = decode(decoder, [*packet(500, 1.0), near, *packet(577, 1.08)])
    assert len(decoded.samples) == 16
    assert [error.payload for error in decoded.refused] == [near.payload]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_what_comes_again_is_counted_and_left_out(repeats):
    decoder = MovesenseDecoder("M", settings(104.0))
    frames: list[Frame] = []
    for times, frame in zip(repeats, packets(len(repeats), 500, 1.0), strict=True):
        frames += [frame] * (1 + times)
        if times == 3:
            frames += frames[-8:]
    decoded = decode(decoder, frames)
    assert len(decoded.samples) == 8 * len(repeats)
    assert decoded.duplicates == 8 * (len(frames) - len(repeats))


@given(st.floats(0.0, 30.0), st.integers(0, 2**32 - 1), st.integers(0, 10_000_000))
def test_a_clock_that_starts_anew_goes_on_by_arrival(lost_s, before_ms, away_ms):
    decoder = MovesenseDecoder("M", settings(104.0))
    old = packets(20, before_ms, 50.0)
    first = decode(decoder, old).samples
    decoder.relink(settings(104.0))
    new = packets(20, before_ms + 2**31 + away_ms, old[-1].arrival_s + lost_s)
    decoded = decode(decoder, new)
    assert len(decoded.samples) == 160
    assert decoded.restarts == 1
    gap_s = decoded.samples[0].time_s - first[-1].time_s
    assert gap_s == pytest.approx(max(lost_s - 7 / 104, 1 / 104), abs=1e-3)
    assert all(a.time_s < b.time_s for a, b in itertools.pairwise(first + decoded.samples))


def test_garbage_gives_no_samples():
    rng = random.Random(2)
    decoder = MovesenseDecoder("M", settings(104.0))
    for _ in range(5000):
        size = rng.randrange(250)
        payload = rng.randbytes(size)
        if rng.random() < 0.5:
            payload = bytes((rng.choice((2, 3)), STREAM_REFERENCE)) + payload
        assert decode(decoder, [Frame(DATA, 2.0, payload)]).samples == ()
    assert len(decode(decoder, packets(5, 500, 3.0)).samples) == 40


def test_description_and_battery():
    link = HandLink(Movesense(ADDRESS))
    identity = link.converse(CODEC.describe())
    assert (identity.model, identity.firmware) == ("Movesense", "2.3.1")
    assert identity.battery_percent == 85.0
    assert not link.subscribed
    link, _, decoder = streaming(CODEC, Movesense(ADDRESS))
    link.emulator.battery_percent = 33.0
    assert decode(decoder, link.stream(motion(8, 104.0))).battery_percent == 33.0
    for payload in (b"", b"\x65", bytes(2)):
        assert decoder.feed(Frame(BATTERY_LEVEL, 0.0, payload)).refused[0].payload == payload


def test_the_subscription_is_ended_before_the_link():
    link, told, _ = streaming(CODEC, Movesense(ADDRESS))
    link.converse(CODEC.end(told))
    assert not link.emulator.streaming
    assert link.stream(motion(80, 104.0)) == []
    link.converse(CODEC.begin(link.converse(CODEC.prepare(52.0))))
    assert link.emulator.rate_hz == 52.0


def test_one_left_open_is_ended_first():
    link, _, _ = streaming(CODEC, Movesense(ADDRESS))
    again = link.converse(CODEC.prepare(26.0))
    assert not link.emulator.streaming
    link.converse(CODEC.begin(again))
    with pytest.raises(LinkError, match="status 409"):
        link.converse(CODEC.begin(again))


def test_a_sensor_whose_pool_is_used_up_is_told_to_be_restarted():
    emulator = Movesense(ADDRESS)
    emulator.exhausted = True
    with pytest.raises(LinkError, match=r"status 429, expected 200\. Restart the sensor"):
        streaming(CODEC, emulator)
    link = HandLink(emulator)
    emulator.write(COMMAND, b"\x07\x01\x05", 0.0)
    link.converse(CODEC.begin(link.converse(CODEC.prepare(104.0))))
    assert emulator.streaming


def test_the_emulator_refuses_what_the_sensor_refuses():
    emulator = Movesense(ADDRESS)
    for characteristic, data in ((DATA, b"\x00\x01"), (COMMAND, b"\x00"), (COMMAND, b"\x63\x01")):
        with pytest.raises(RefusedError):
            emulator.write(characteristic, data, 0.0)
    with pytest.raises(RefusedError):
        emulator.read(DATA)
    for path in (b"/Meas/IMU6/100\0", b"/Info\0"):
        (answer,) = emulator.write(COMMAND, b"\x01\x05" + path, 0.0)
        assert decode_answer(answer.payload, "M") == Answer(5, 404, b"")
    (answer,) = emulator.write(COMMAND, b"\x02\x05", 0.0)
    assert decode_answer(answer.payload, "M").status == 404


def test_recognition():
    assert CODEC.recognises(Advertisement("1", "Movesense 174830000123"))
    assert not CODEC.recognises(Advertisement("1", "Movella DOT"))
