"""The Movella DOT: captured bytes, both directions, every way to be wrong, and synchronisation."""

from __future__ import annotations

import json
import math
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.codecs.movella_dot import (
    BATTERY,
    CODEC,
    DEVICE_CONTROL,
    MEASUREMENT_CONTROL,
    MEDIUM_PAYLOAD,
    MESSAGE_CONTROL,
    RATE_QUANTITIES,
    DotCodec,
    DotDecoder,
    Message,
    RateQuantities,
    decode_message,
    decode_rate_quantities,
    encode_message,
    encode_output_rate,
    encode_rate_quantities,
)
from imu.codecs.protocol import Synchroniser
from imu.emulators.movella_dot import MovellaDot
from imu.emulators.peripheral import RefusedError
from imu.errors import FrameError, LinkError
from imu.frames import Advertisement, Frame
from imu.units import RAD_PER_DEG
from tests.imu.codecs.driving import ADDRESS, HandLink, decode, motion, streaming, worst

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "dot" / "ble_vectors.json"

# in the vendor's BLE Services Specification
MESSAGES = {
    "020108f5": (2, "08"),
    "0207013d69f16ecad453": (2, "013d69f16ecad4"),  # synchronise with D4:CA:6E:F1:69:3D
    "02020300f9": (2, "0300"),
    "020102fb": (2, "02"),
}

ACC = st.floats(-150.0, 150.0, width=32)
GYR = st.floats(-2000.0, 2000.0, width=32).map(lambda value: value * RAD_PER_DEG)
VALUES = st.builds(
    RateQuantities,
    st.integers(0, 2**32 - 1),
    st.tuples(ACC, ACC, ACC),
    st.tuples(GYR, GYR, GYR),
)


def frame(counter_us: int, arrival_s: float) -> Frame:
    values = RateQuantities(counter_us % 2**32, (0.0, 0.0, 9.81), (0.1, 0.0, 0.0))
    return Frame(MEDIUM_PAYLOAD, arrival_s, encode_rate_quantities(values))


@pytest.mark.parametrize("text", MESSAGES)
def test_the_vendors_messages_are_decoded_and_written_again(text):
    kind, data = MESSAGES[text]
    message = Message(kind, bytes.fromhex(data))
    assert decode_message(bytes.fromhex(text), "DOT") == message
    assert encode_message(message).hex() == text


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")
def test_shared_vectors():
    vectors = json.loads(VECTORS.read_text())
    for text in vectors["messages_hex"].values():
        message = decode_message(bytes.fromhex(text), "DOT")
        assert encode_message(message) == bytes.fromhex(text)
    for text in vectors["bad_examples_in_the_official_document"].values():
        with pytest.raises(FrameError, match="sum to 0"):
            decode_message(bytes.fromhex(text), "DOT")


def test_rate_quantities_by_hand():
    payload = struct.pack("<I6f", 123456, 1.0, -2.0, 9.8125, 180.0, -90.0, 0.5) + bytes(12)
    decoded = decode_rate_quantities(payload, "DOT")
    assert decoded.counter_us == 123456
    assert decoded.acc_ms2 == (1.0, -2.0, 9.8125)
    assert decoded.gyr_rads == pytest.approx((math.pi, -math.pi / 2, math.pi / 360))


@given(VALUES)
def test_decoding_inverts_encoding(values):
    decoded = decode_rate_quantities(encode_rate_quantities(values), "DOT")
    assert decoded.counter_us == values.counter_us
    assert decoded.acc_ms2 == values.acc_ms2
    assert decoded.gyr_rads == pytest.approx(values.gyr_rads, rel=1e-7, abs=1e-40)


@given(VALUES, st.binary(min_size=1, max_size=40))
def test_every_prefix_and_every_longer_payload_is_refused(values, more):
    padded = encode_rate_quantities(values)
    packed = padded[: RATE_QUANTITIES.size]
    for size in range(len(packed), len(padded) + 1):
        assert decode_rate_quantities(padded[:size], "DOT").acc_ms2 == values.acc_ms2
    wrong = [packed[:size] for size in range(len(packed))] + [padded + more]
    if any(more):
        wrong.append((packed + more)[: len(packed) + len(more)])
    for payload in wrong:
        decoded = DotDecoder("DOT 1").feed(Frame(MEDIUM_PAYLOAD, 1.0, payload))
        assert decoded.samples == ()
        assert [error.payload for error in decoded.refused] == [payload]
        assert str(decoded.refused[0]).startswith("DOT 1: expected ")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 165.0, -165.0, 3e38])
@pytest.mark.parametrize("place", range(6))
def test_values_no_sensor_measures_are_refused(bad, place):
    numbers = [0.0] * 6
    numbers[place] = bad if abs(bad) != 165.0 or place < 3 else bad * 13.0
    payload = RATE_QUANTITIES.pack(5, *numbers)
    with pytest.raises(FrameError, match="within"):
        decode_rate_quantities(payload, "DOT")


def test_refused_values_do_not_move_the_clock():
    decoder = DotDecoder("DOT")
    bad = RATE_QUANTITIES.pack(3_000_000_000, math.nan, 0, 0, 0, 0, 0)
    frames = [Frame(MEDIUM_PAYLOAD, 0.5, bad)]
    frames += [frame(10_000_000 + index * 16_667, 1.0 + index / 60) for index in range(10)]
    frames.insert(5, Frame(MEDIUM_PAYLOAD, 1.1, bad))
    decoded = decode(decoder, frames)
    assert len(decoded.samples) == 10
    assert len(decoded.refused) == 2
    assert decoded.restarts == 0
    assert decoded.samples[0].time_s == 10.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_counter_may_wrap_wherever_it_is(start_us, times):
    """More than 71.6 minutes, so that every start meets a wrap."""
    decoder = DotDecoder("DOT")
    step_us = times * 16_667 * 1000
    frames = [frame(start_us + index * step_us, index * step_us * 1e-6) for index in range(300)]
    decoded = decode(decoder, frames)
    assert decoded.refused == ()
    assert decoded.restarts == 0
    span_s = decoded.samples[-1].time_s - decoded.samples[0].time_s
    assert span_s == pytest.approx(299 * step_us * 1e-6, abs=1e-6)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_what_comes_again_is_counted_and_left_out(repeats):
    decoder = DotDecoder("DOT")
    frames = []
    for index, times in enumerate(repeats):
        now = frame(7_000_000 + index * 16_667, 2.0 + index / 60)
        frames += [now] * (1 + times)
        if times == 3:
            frames += frames[-8:]  # a burst from before comes again
    decoded = decode(decoder, frames)
    assert len(decoded.samples) == len(repeats)
    assert decoded.duplicates == len(frames) - len(repeats)


@given(st.integers(0, 10_000_000), st.floats(0.0, 30.0), st.integers(0, 2**32 - 1))
def test_a_clock_that_starts_anew_goes_on_by_arrival(away_us, lost_s, before_us):
    decoder = DotDecoder("DOT")
    old = [frame(before_us + index * 16_667, 50.0 + index / 60) for index in range(30)]
    first = decode(decoder, old).samples
    decoder.relink({"rate_hz": 60.0, "mode": 21})
    back_s = old[-1].arrival_s + lost_s
    new_us = before_us + 2**31 + away_us
    new = [frame(new_us + index * 16_667, back_s + index / 60) for index in range(30)]
    decoded = decode(decoder, new)
    assert len(decoded.samples) == 30
    assert decoded.restarts == 1
    gap_s = decoded.samples[0].time_s - first[-1].time_s
    assert gap_s == pytest.approx(max(lost_s, 1e-6), abs=1e-5)


def test_garbage_gives_no_samples():
    rng = random.Random(1)
    decoder = DotDecoder("DOT")
    decode(decoder, [frame(1_000_000 + index * 16_667, 1 + index / 60) for index in range(60)])
    garbage = (rng.randbytes(rng.randrange(64)) for _ in range(20_000))
    decoded = decode(decoder, (Frame(MEDIUM_PAYLOAD, 2.0, one) for one in garbage))
    assert len(decoded.samples) == 0
    assert len(decoded.refused) + decoded.duplicates == 20_000
    exact = (rng.randbytes(28) for _ in range(20_000))
    decoded = decode(decoder, (Frame(MEDIUM_PAYLOAD, 2.0, one) for one in exact))
    assert len(decoded.samples) < 20


@pytest.mark.parametrize("mtu", [31, 43, 247, 517])
@pytest.mark.parametrize("rate_hz", CODEC.rates_hz)
def test_emulator_to_decoder(rate_hz, mtu):
    link, settings, decoder = streaming(CODEC, MovellaDot(ADDRESS), rate_hz)
    truth = motion(120, rate_hz, start_s=4294.0)  # across the wrap
    decoded = decode(decoder, link.stream(truth, mtu))
    acc, gyr = worst(decoded.samples, truth)
    assert acc < 1e-6
    assert gyr < 1e-6
    for sample, true in zip(decoded.samples, truth, strict=True):
        assert sample.time_s == pytest.approx(true.time_s, abs=2e-6)
    assert settings == {"rate_hz": rate_hz, "mode": 21}


def test_the_smallest_mtu_is_refused_with_its_bytes():
    link, _, decoder = streaming(CODEC, MovellaDot(ADDRESS))
    decoded = decode(decoder, link.stream(motion(5, 60.0), mtu=23))
    assert decoded.samples == ()
    assert [len(error.payload) for error in decoded.refused] == [20] * 5


def test_the_rate_is_written_only_where_it_differs_and_checked():
    emulator = MovellaDot(ADDRESS)
    written = []
    plain = emulator.write
    emulator.write = lambda *args: written.append(args[0]) or plain(*args)
    link = HandLink(emulator)
    link.converse(CODEC.prepare(60.0))
    assert DEVICE_CONTROL not in written
    assert written[0] == MEASUREMENT_CONTROL
    link.converse(CODEC.prepare(30.0))
    assert DEVICE_CONTROL in written
    assert emulator.rate_hz == 30.0


def test_a_sensor_that_still_measures_is_stopped_and_set():
    link, settings, _ = streaming(CODEC, MovellaDot(ADDRESS))
    link.lose()
    assert link.emulator.streaming
    assert link.stream(motion(3, 60.0)) == []
    again = link.converse(CODEC.prepare(20.0))
    assert not link.emulator.streaming
    assert again["rate_hz"] == 20.0
    link.converse(CODEC.begin(again))
    assert len(link.stream(motion(3, 20.0))) == 3
    link.converse(CODEC.end(settings))
    assert not link.emulator.streaming
    assert MEDIUM_PAYLOAD not in link.subscribed


def test_nothing_comes_where_the_start_is_before_the_subscription():
    link = HandLink(MovellaDot(ADDRESS))
    link.converse(CODEC.begin({}))
    assert link.emulator.streaming
    link.subscribed.add(MEDIUM_PAYLOAD)
    link.emulator.subscribe(MEDIUM_PAYLOAD, on=True)
    assert link.stream(motion(3, 60.0)) == []


def test_the_emulator_refuses_what_the_sensor_refuses():
    emulator = MovellaDot(ADDRESS)
    for characteristic, data in (
        (MEASUREMENT_CONTROL, b"\x01\x01"),
        (MEASUREMENT_CONTROL, b"\x01\x01\x11"),  # a mode for the vendor's software only
        (DEVICE_CONTROL, bytes(31)),
        (MESSAGE_CONTROL, bytes.fromhex("020102fc")),
        (MEDIUM_PAYLOAD, b"\x00"),
    ):
        with pytest.raises(RefusedError):
            emulator.write(characteristic, data, 0.0)
    with pytest.raises(RefusedError):
        emulator.read(MEDIUM_PAYLOAD)
    emulator.write(DEVICE_CONTROL, encode_output_rate(120), 0.0)
    with pytest.raises(RefusedError):
        emulator.write(MEASUREMENT_CONTROL, b"\x01\x01\x15", 0.0)


def test_battery_is_told_when_it_changes():
    link, _, decoder = streaming(CODEC, MovellaDot(ADDRESS))
    assert decode(decoder, link.stream(motion(3, 60.0))).battery_percent is None
    link.emulator.battery_percent = 41.0
    assert decode(decoder, link.stream(motion(3, 60.0))).battery_percent == 41.0
    for payload in (b"", b"\x40", b"\x65\x00", bytes(3)):
        assert decoder.feed(Frame(BATTERY, 0.0, payload)).refused[0].payload == payload


def test_description_and_blinking():
    link = HandLink(MovellaDot("d4:22:cd:00:12:34"))
    identity = link.converse(CODEC.describe())
    assert identity.model == "Movella DOT v2"
    assert identity.firmware == "3.0.0"
    assert identity.battery_percent == 90.0
    link.converse(CODEC.identify())
    assert link.emulator.identified == 1


@pytest.mark.parametrize(
    ("advertisement", "known"),
    [
        (Advertisement("1", "Xsens DOT"), True),
        (Advertisement("1", "Movella DOT"), True),
        (Advertisement("1", manufacturer_data={0x0886: b""}), True),
        (Advertisement("1", "Polar Sense", manufacturer_data={0x006B: b""}), False),
        (Advertisement("1", ""), False),
    ],
)
def test_recognition(advertisement, known):
    assert CODEC.recognises(advertisement) is known


def test_sensors_are_put_on_one_clock_and_taken_off_it():
    codec = DotCodec()
    assert isinstance(codec, Synchroniser)
    links = [HandLink(MovellaDot(f"D4:22:CD:00:00:0{index}")) for index in range(3)]
    root = links[1].converse(codec.sync_address())
    assert root == "D4:22:CD:00:00:01"
    for link in links:
        link.converse(codec.prepare(30.0))
        link.converse(codec.begin({}))  # still measuring: must be stopped first
        link.converse(codec.start_sync(root))
        assert link.emulator.root == root
        assert link.converse(codec.sync_result()) == "it was not started"
    for link in links:
        link.lose()
        assert link.emulator.synchronised
        assert link.converse(codec.sync_result()) == ""
        settings = link.converse(codec.prepare(30.0))
        with pytest.raises(LinkError, match="asked for 60 Hz, the sensor stays at 30 Hz"):
            link.converse(codec.prepare(60.0))
        link.converse(codec.begin(settings))
        assert len(link.stream(motion(3, 30.0))) == 3
        link.converse(codec.end(settings))
        link.converse(codec.stop_sync())
        assert not link.emulator.synchronised
        assert link.converse(codec.prepare(60.0))["rate_hz"] == 60.0


def test_a_synchronised_sensor_can_be_given_another_root():
    link = HandLink(MovellaDot("D4:22:CD:00:00:01"))
    for root in ("D4:22:CD:00:00:01", "D4:22:CD:00:00:02"):
        link.converse(CODEC.start_sync(root))
        assert link.emulator.root == root
        link.lose()
        assert link.converse(CODEC.sync_result()) == ""


def test_a_sensor_that_tells_no_result_of_synchronising_is_asked_again_and_given_up():
    link = HandLink(MovellaDot(ADDRESS))
    assert "try again" in link.converse(CODEC.sync_result())
    assert link.paused_s < 5.0


@given(st.binary(max_size=20))
def test_messages_go_both_ways_and_garbage_is_refused(data):
    payload = encode_message(Message(2, data))
    assert decode_message(payload + bytes(7), "DOT") == Message(2, data)
    for size in range(len(payload)):
        with pytest.raises(FrameError):
            decode_message(payload[:size], "DOT")
