"""Thingy:52: payloads without a header, and what little can be checked in them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.codecs.dialogue import Write
from imu.codecs.thingy52 import (
    CODEC,
    CONFIGURATION,
    CONFIGURATION_SERVICE,
    MS2_PER_COUNT,
    RADS_PER_COUNT,
    RAW,
    UT_PER_COUNT,
    Configuration,
    Raw,
    decode_configuration,
    decode_raw,
    encode_configuration,
    encode_raw,
)
from imu.emulators.peripheral import RefusedError
from imu.emulators.thingy52 import Thingy52
from imu.errors import FrameError, LinkError
from imu.frames import BATTERY_LEVEL, Advertisement, Frame
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

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "thingy52"
needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason="golden vectors are not here")
SETTINGS = {"rate_hz": 50.0}
FIELD = (20.0, 0.0, -43.0)


def payload_of(acc_g=(0.0, 0.0, 1.0), gyr_degs=(0.0, 0.0, 0.0)) -> bytes:
    acc = tuple(g * STANDARD_GRAVITY_MS2 for g in acc_g)
    gyr = tuple(w / DEG_PER_RAD for w in gyr_degs)
    return encode_raw(Raw(acc, gyr, FIELD))


STILL = payload_of()
WILD = payload_of((10.0, 0.0, 0.0), (800.0, 0.0, 0.0))
OPPOSITE = payload_of((-10.0, 0.0, 0.0), (-800.0, 0.0, 0.0))


def decoded(*payloads: bytes, interval_s: float = 0.02):
    frames = [Frame(RAW, 50.0 + interval_s * i, p) for i, p in enumerate(payloads)]
    return decode(CODEC.decoder("thingy", SETTINGS), frames)


@pytest.mark.parametrize(
    ("payload", "acc_g", "gyr_degs", "mag_ut"),
    [  # made by the firmware's fixed-point formats (1/1024 g, 1/32 deg/s, 1/16 uT), sign inverted
        ("000400000000000000000000000000000000", (-1, 0, 0), (0, 0, 0), (0, 0, 0)),
        ("0000000000fc800c60f30100f00210fdfeff", (0, 0, 1), (100, -101, 0.03125),
         (47, -47, -0.125)),
    ],
)  # fmt: skip
def test_fixed_point_values(payload, acc_g, gyr_degs, mag_ut):
    raw = decode_raw(bytes.fromhex(payload), "thingy")
    assert [a / STANDARD_GRAVITY_MS2 for a in raw.acc_ms2] == pytest.approx(acc_g)
    assert [w * DEG_PER_RAD for w in raw.gyr_rads] == pytest.approx(gyr_degs)
    assert raw.mag_ut == pytest.approx(mag_ut)
    assert encode_raw(raw).hex() == payload


@needs_vectors
def test_golden_vectors():
    for one in json.loads((VECTORS / "constructed_vectors.json").read_text())["data"]:
        raw = decode_raw(bytes.fromhex(one["hex"]), "thingy")
        # the vectors keep the firmware's sign, down positive
        assert [-a / STANDARD_GRAVITY_MS2 for a in raw.acc_ms2] == pytest.approx(one["acc_g"])
        assert [w * DEG_PER_RAD for w in raw.gyr_rads] == pytest.approx(one["gyro_dps"])
        assert raw.mag_ut == pytest.approx(one["mag_ut"])


@given(
    rate_hz=st.sampled_from([10.0, 50.0]),
    count=st.integers(1, 120),
    chunk=st.integers(1, 9),
)
def test_what_the_sensor_measured_is_what_is_decoded(rate_hz, count, chunk):
    link, _, decoder = streaming(CODEC, Thingy52(ADDRESS), rate_hz)
    truth = motion(count, rate_hz)
    result = decode(decoder, link.stream(truth, mtu=23, chunk=chunk))
    assert result.refused == ()
    acc, gyr = worst(result.samples, truth)
    assert acc <= abs(MS2_PER_COUNT)
    assert gyr <= RADS_PER_COUNT
    assert max(map(abs, time_errors(result.samples, truth))) < 1e-9


@pytest.mark.parametrize("rate_hz", [100.0, 200.0])
def test_set_higher_than_it_sends_the_measured_rate_is_counted_by(rate_hz):
    emulator = Thingy52(ADDRESS)
    link, settings, _ = streaming(CODEC, emulator, rate_hz)
    assert emulator.rate_hz == 60.0
    truth = motion(600, emulator.rate_hz)
    decoder = CODEC.decoder("thingy", {**settings, "measured_rate_hz": 60.0})
    result = decode(decoder, link.stream(truth))
    assert max(map(abs, time_errors(result.samples, truth))) < 1e-9


@given(
    values=st.lists(st.integers(-16384, 16384), min_size=3, max_size=3),
    rates=st.lists(st.integers(-32767, 32767), min_size=3, max_size=3),
    fields=st.lists(st.integers(-16000, 16000), min_size=3, max_size=3),
)
def test_every_plausible_value_of_the_wire_comes_back(values, rates, fields):
    raw = Raw(
        tuple(v * MS2_PER_COUNT for v in values),
        tuple(v * RADS_PER_COUNT for v in rates),
        tuple(v * UT_PER_COUNT for v in fields),
    )
    assert decode_raw(encode_raw(raw), "thingy") == raw


@pytest.mark.parametrize("size", [n for n in range(40) if n != 18])
def test_other_lengths_are_refused_with_their_bytes(size):
    payload = (STILL * 3)[:size]
    result = decoded(payload)
    assert result.samples == ()
    assert [e.payload for e in result.refused] == [payload]


@pytest.mark.parametrize(
    "payload",
    [
        payload_of()[:4] + (17000).to_bytes(2, "little") + payload_of()[6:],  # 16.6 g
        (-17000).to_bytes(2, "little", signed=True) + payload_of()[2:],
        payload_of()[:16] + (16100).to_bytes(2, "little"),  # 1006 uT
        payload_of()[:12] + (-16100).to_bytes(2, "little", signed=True) + payload_of()[14:],
    ],
)
def test_values_no_such_sensor_gives_are_refused(payload):
    result = decoded(STILL, payload, STILL)
    assert [e.payload for e in result.refused] == [payload]
    assert len(result.samples) == 2


def test_a_jump_is_refused_and_counted_as_a_sample():
    result = decoded(STILL, STILL, WILD, STILL)
    assert [e.payload for e in result.refused] == [WILD]
    first_s = result.samples[0].time_s
    assert [round((s.time_s - first_s) * 50.0) for s in result.samples] == [0, 1, 3]


def test_three_that_agree_are_a_movement():
    result = decoded(STILL, WILD, WILD, WILD, WILD)
    assert len(result.refused) == 2
    assert len(result.samples) == 3


def test_three_that_disagree_are_not():
    result = decoded(STILL, WILD, OPPOSITE, WILD, OPPOSITE, STILL)
    assert len(result.refused) == 4
    assert len(result.samples) == 2


@pytest.mark.parametrize(
    "payload",
    [payload_of((12.0, 0.0, 0.0)), payload_of(gyr_degs=(900.0, 0.0, 0.0))],
    ids=["knock", "turn"],
)
def test_a_knock_without_a_turn_or_a_turn_without_a_knock_is_taken(payload):
    assert decoded(STILL, payload, STILL).refused == ()


@given(payloads=st.lists(st.binary(max_size=24), max_size=12))
def test_any_bytes_are_taken_without_an_exception(payloads):
    result = decoded(*payloads)
    assert len(result.samples) + len(result.refused) == len(payloads)
    assert {e.payload for e in result.refused} <= set(payloads)


@given(seed=st.integers(0, 2**32 - 1))
def test_random_payloads_of_the_right_length_are_mostly_refused(seed):
    rng = random.Random(seed)
    payloads = [rng.randbytes(18) for _ in range(200)]
    assert len(decoded(*payloads).samples) < 40


def test_the_battery_is_told_and_checked():
    decoder = CODEC.decoder("thingy", SETTINGS)
    assert decoder.feed(Frame(BATTERY_LEVEL, 1.0, b"\x50")).battery_percent == 80.0
    for payload in (b"", b"\xff", b"\x50\x00"):
        assert [e.payload for e in decoder.feed(Frame(BATTERY_LEVEL, 1.0, payload)).refused] == [
            payload
        ]
    assert decoder.feed(Frame(CONFIGURATION, 1.0, STILL)).samples == ()


def test_the_rate_is_set_and_everything_else_left():
    emulator = Thingy52(ADDRESS)
    emulator.configuration = Configuration(700, 300, 200, 10, 0)
    link = HandLink(emulator)
    link.converse(CODEC.prepare(50.0))
    assert emulator.configuration == Configuration(700, 300, 200, 50, 0)
    assert not emulator.streaming


def test_a_rate_that_is_set_already_is_not_written_to_flash_again():
    dialogue = CODEC.prepare(50.0)
    next(dialogue)
    steps = [dialogue.send(encode_configuration(Configuration(1000, 500, 500, 50, 1)))]
    assert not any(isinstance(step, Write) for step in steps)


def test_a_configuration_of_another_length_is_refused_in_one_line():
    dialogue = CODEC.prepare(50.0)
    next(dialogue)
    with pytest.raises(LinkError, match="9 bytes") as error:
        dialogue.send(bytes(8))
    assert "\n" not in str(error.value)
    with pytest.raises(FrameError):
        decode_configuration(bytes(10), "thingy")


def test_the_stream_ends_and_the_emulated_sensor_refuses_what_it_does_not_know():
    emulator = Thingy52(ADDRESS)
    link, settings, _ = streaming(CODEC, emulator)
    assert emulator.streaming
    link.converse(CODEC.end(settings))
    assert not emulator.streaming
    for data in (bytes(8), encode_configuration(Configuration(1000, 500, 500, 4, 1))):
        with pytest.raises(RefusedError):
            emulator.write(CONFIGURATION, data, 0.0)


def test_it_says_its_battery():
    emulator = Thingy52(ADDRESS)
    emulator.battery_percent = 41.0
    link = HandLink(emulator)
    assert link.converse(CODEC.describe()).battery_percent == 41.0
    link.lacking = {BATTERY_LEVEL}
    assert link.converse(CODEC.describe()).battery_percent is None


def test_it_is_recognised_but_not_its_successor():
    assert CODEC.recognises(Advertisement("x", "Thingy"))
    assert CODEC.recognises(Advertisement("x", "", services=frozenset({CONFIGURATION_SERVICE})))
    assert not CODEC.recognises(Advertisement("x", "Thingy:53"))
