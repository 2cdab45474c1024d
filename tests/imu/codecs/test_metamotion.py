"""MetaMotion: both chips' registers, pairs of packets, golden bytes."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.codecs.dialogue import Ask, Write
from imu.codecs.metamotion import (
    BMI160,
    BMI270,
    CHIPS,
    CODEC,
    COMMAND,
    FAST_LINK,
    NOTIFY,
    SERVICE,
    Packet,
    acc_unit,
    decode_battery,
    decode_module_info,
    decode_packet,
    encode_acc_config,
    encode_battery,
    encode_gyr_config,
    encode_packet,
    find_chip,
    gyr_unit,
    packets,
)
from imu.emulators.metamotion import MetaMotion
from imu.errors import FrameError, LinkError
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

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "metamotion" / "ble_vectors.json"
needs_vectors = pytest.mark.skipif(not VECTORS.is_file(), reason="golden vectors are not here")

SETTINGS = {
    "rate_hz": 100.0,
    "chip": "BMI160",
    "packed": True,
    "acc_range_g": 8,
    "gyr_range_degs": 1000,
}
ACC, GYR = packets(SETTINGS)


def acc_packet(number: int) -> bytes:
    return encode_packet([(number * ACC.unit, 0.0, 0.0)] * 3, ACC)


def gyr_packet(number: int) -> bytes:
    return encode_packet([(number * GYR.unit, 0.0, 0.0)] * 3, GYR)


def pairs(samples) -> list[tuple[int, int]]:
    """Numbers of the two packets each pair was made of."""
    every_third = list(samples)[::3]
    return [(round(s.acc_ms2[0] / ACC.unit), round(s.gyr_rads[0] / GYR.unit)) for s in every_third]


def decoded(*payloads: bytes, settings=SETTINGS):
    frames = [Frame(NOTIFY, 50.0 + 0.015 * i, p) for i, p in enumerate(payloads)]
    return decode(CODEC.decoder("meta", settings), frames)


@pytest.mark.parametrize(
    ("payload", "packet", "unit", "expected"),
    [  # from the unit tests of the vendor's SDK; acceleration in g, rates in deg/s
        ("13053e43ff7f0080", Packet(0x13, 0x05, 1, gyr_unit(500)), DEG_PER_RAD,
         [(262.4085, 499.4970, -499.5122)]),
        ("13070915ad2608de8a1a0d2665e48d20ac2773ec", Packet(0x13, 0x07, 3, gyr_unit(1000)),
         DEG_PER_RAD, [(164.1768, 301.8598, -265.1220), (207.1341, 296.9817, -215.4573),
                       (254.0549, 309.6341, -152.5915)]),
        ("031c62b7530de9fd16d04d0e57028affa1050a01", Packet(0x03, 0x1C, 3, acc_unit(8)),
         1.0 / STANDARD_GRAVITY_MS2, [(-4.5386, 0.8328, -0.1306), (-2.9946, 0.8938, 0.1462),
                                      (-0.0288, 0.3518, 0.0649)]),
        ("030416c494a22ad0", Packet(0x03, 0x04, 1, acc_unit(4)), 1.0 / STANDARD_GRAVITY_MS2,
         [(-1.8723, -2.9194, -1.4949)]),
    ],
)  # fmt: skip
def test_packets_of_the_vendors_tests(payload, packet, unit, expected):
    vectors = decode_packet(bytes.fromhex(payload), packet, "meta")
    for vector, numbers in zip(vectors, expected, strict=True):
        assert [v * unit for v in vector] == pytest.approx(numbers, abs=6e-5)
    assert encode_packet(vectors, packet).hex() == payload


@needs_vectors
def test_golden_vectors():
    vectors = json.loads(VECTORS.read_text())
    for one in vectors["data"]:
        payload = bytes.fromhex(one["hex"])
        if one["what"] == "battery":
            assert decode_battery(payload, "meta") == one["charge_pct"]
        if "chip" not in one:
            continue  # processors and logs are not streamed
        registers = {"acc": CHIPS[one["chip"]].acc_registers}
        registers["gyro"] = CHIPS[one["chip"]].gyr_registers
        kind, packed = one["what"].split()[0], "packed" in one["what"]
        module = 0x03 if kind == "acc" else 0x13
        unit = acc_unit(one["range_g"]) if kind == "acc" else gyr_unit(one["range_dps"])
        packet = Packet(module, registers[kind][packed], 3 if packed else 1, unit)
        scale = 1.0 / STANDARD_GRAVITY_MS2 if kind == "acc" else DEG_PER_RAD
        found = decode_packet(payload, packet, "meta")
        for vector, expected in zip(found, one["expect"], strict=True):
            assert [v * scale for v in vector] == pytest.approx(expected, abs=6e-5)
    for one in vectors["config_commands"]:
        assert command(one["what"], one.get("chip")).hex() == one["hex"]
    for one in vectors["module_info"]:
        implementation, _ = decode_module_info(bytes.fromhex(one["hex"]))
        chip = CHIPS[one["chip"]]
        known = {"acc": chip.acc_implementation, "gyro": chip.gyr_implementation}
        assert implementation == known[one["module"]]


def command(what: str, chip: str | None) -> bytes:
    """Encode what a golden vector describes in words."""
    words = what.split()
    if words[0] == "acc":
        return encode_acc_config(CHIPS[chip], float(words[1]), int(words[3]))
    if words[0] == "gyro":
        return encode_gyr_config(float(words[1]), int(words[3]))
    return FAST_LINK


@pytest.mark.parametrize(
    ("encoded", "hexes"),
    [
        (encode_acc_config(BMI160, 100.0, 16), "0303280c"),
        (encode_acc_config(BMI270, 200.0, 8), "0303a902"),
        (encode_gyr_config(200.0, 2000), "13032900"),
        (FAST_LINK, "11090600060000005802"),
    ],
)
def test_commands_are_the_documented_bytes(encoded, hexes):
    assert encoded.hex() == hexes


@given(
    rate_hz=st.sampled_from(CODEC.rates_hz),
    count=st.integers(1, 100),
    chip=st.sampled_from([160, 270]),
    revision=st.sampled_from([0, 1]),
    chunk=st.integers(1, 9),
)
def test_what_the_sensor_measured_is_what_is_decoded(rate_hz, count, chip, revision, chunk):
    emulator = MetaMotion(ADDRESS)
    emulator.chip, emulator.revision = chip, revision
    link, settings, decoder = streaming(CODEC, emulator, rate_hz)
    assert settings["packed"] == (chip == 270 or revision == 1)
    assert emulator.rate_hz == rate_hz
    size = emulator.per_notification
    assert size == (3 if settings["packed"] else 1)
    truth = motion(count * size, rate_hz)
    result = decode(decoder, link.stream(truth, mtu=23, chunk=chunk))
    assert result.refused == ()
    acc, gyr = worst(result.samples, truth)
    assert acc <= acc_unit(8)
    assert gyr <= gyr_unit(1000)
    assert max(map(abs, time_errors(result.samples, truth))) < 1e-9


@given(values=st.lists(st.integers(-32768, 32767), min_size=9, max_size=9))
def test_every_value_of_the_wire_comes_back(values):
    for packet in (ACC, GYR):
        rows = [tuple(v * packet.unit for v in values[i : i + 3]) for i in (0, 3, 6)]
        assert decode_packet(encode_packet(rows, packet), packet, "meta") == tuple(rows)


@given(missing=st.sets(st.integers(2, 38), max_size=6))
def test_a_packet_that_is_lost_takes_its_other_half_with_it(missing):
    payloads = [acc_packet(i // 2) if i % 2 == 0 else gyr_packet(i // 2) for i in range(40)]
    # the second half of one pair and the first of the next, both lost, cannot be told from a pair
    missing = {i for i in missing if not (i % 2 == 1 and i + 1 in missing)}
    result = decoded(*(p for i, p in enumerate(payloads) if i not in missing))
    whole = [k for k in range(20) if 2 * k not in missing and 2 * k + 1 not in missing]
    assert pairs(result.samples) == [(k, k) for k in whole]
    halves = [2 * k + 1 if 2 * k in missing else 2 * k
              for k in range(20) if len(missing & {2 * k, 2 * k + 1}) == 1]  # fmt: skip
    assert [error.payload for error in result.refused] == [payloads[i] for i in halves]


def test_what_was_lost_with_half_a_pair_is_counted():
    payloads = [f(k) for k in range(8) for f in (acc_packet, gyr_packet)]
    del payloads[7]  # rates of the fourth pair
    times = [s.time_s for s in decoded(*payloads).samples]
    steps = [round((after - before) * 100.0) for before, after in pairwise(times)]
    assert steps == [1] * 8 + [4] + [1] * 11


def test_before_the_first_pair_half_a_pair_is_no_fault():
    assert decoded(gyr_packet(1), acc_packet(2), gyr_packet(2)).refused == ()
    assert decoded(acc_packet(1), acc_packet(2), gyr_packet(2)).refused == ()
    decoder = CODEC.decoder("meta", SETTINGS)
    payloads = [acc_packet(1), gyr_packet(1), acc_packet(2)]
    decode(decoder, [Frame(NOTIFY, 5.0 + i, p) for i, p in enumerate(payloads)])
    decoder.relink(SETTINGS)
    result = decode(decoder, [Frame(NOTIFY, 20.0, gyr_packet(3))])
    assert (result.samples, result.refused) == ((), ())


@pytest.mark.parametrize("whole", [acc_packet(7), gyr_packet(7)])
@pytest.mark.parametrize("chip", ["BMI160", "BMI270"])
def test_prefixes_and_longer_packets_are_refused_with_their_bytes(whole, chip):
    settings = {**SETTINGS, "chip": chip}
    packet = packets(settings)[0 if whole[0] == 3 else 1]
    whole = bytes((packet.module, packet.register)) + whole[2:]
    other = encode_packet([(0.0, 0.0, 0.0)] * 3, packets(settings)[1 if whole[0] == 3 else 0])
    for payload in [whole[:size] for size in range(len(whole))] + [whole + b"\0", whole * 2]:
        result = decoded(other, payload, other, settings=settings)
        assert result.samples == ()
        assert payload in [error.payload for error in result.refused]
        with pytest.raises(FrameError):
            decode_packet(payload, packet, "meta")


def test_a_layout_that_was_not_asked_for_is_refused():
    plain = bytes.fromhex("13053e43ff7f0080")
    assert [e.payload for e in decoded(plain).refused] == [plain]
    # register 5 of the gyroscope is plain on one chip and packed on the other
    settings = {**SETTINGS, "chip": "BMI270"}
    assert [e.payload for e in decoded(plain, settings=settings).refused] == [plain]


def test_answers_of_other_modules_give_no_samples():
    answers = ["03800101", "13800001", "0c8000000801", "0b84a6330d0000", "02800000", "fe8000"]
    result = decoded(*map(bytes.fromhex, answers))
    assert (result.samples, result.refused, result.battery_percent) == ((), (), None)


def test_the_battery_is_told_while_streaming():
    result = decoded(acc_packet(0), bytes.fromhex("118c633410"), gyr_packet(0))
    assert result.battery_percent == 99.0
    assert pairs(result.samples) == [(0, 0)]
    bad = bytes.fromhex("118cff3410")
    assert [e.payload for e in decoded(bad).refused] == [bad]
    assert decode_battery(encode_battery(42.0), "meta") == 42.0


@given(payloads=st.lists(st.binary(max_size=24), max_size=12))
def test_any_bytes_are_taken_without_an_exception(payloads):
    result = decoded(*payloads)
    assert {e.payload for e in result.refused} <= set(payloads)


@given(
    head=st.sampled_from([bytes((3, 0x1C)), bytes((0x13, 7)), bytes((0x11, 0x8C))]),
    payloads=st.lists(st.binary(max_size=20), max_size=12),
)
def test_any_bytes_behind_a_true_beginning_are_taken_without_an_exception(head, payloads):
    decoded(*(head + payload for payload in payloads))


@pytest.mark.parametrize(
    ("acc", "gyr", "word"),
    [
        (None, None, "missing"),
        ((1, 1), None, "gyroscope missing"),
        ((0, 0), None, "implementation 0"),
        ((1, 1), (1, 0), "implementation 1"),
    ],
)
def test_a_board_without_a_known_gyroscope_is_refused_in_one_line(acc, gyr, word):
    with pytest.raises(LinkError, match=word) as error:
        find_chip(acc, gyr)
    assert "\n" not in str(error.value)
    assert "Use a MetaMotion" in str(error.value)


def test_a_board_without_gyroscope_is_refused_before_anything_is_started():
    emulator = MetaMotion(ADDRESS)
    emulator.has_gyroscope = False
    with pytest.raises(LinkError, match="gyroscope missing"):
        HandLink(emulator).converse(CODEC.prepare(100.0))
    assert not emulator.streaming


def test_a_stream_that_outlasted_a_lost_link_is_stopped_first():
    emulator = MetaMotion(ADDRESS)
    link, _, _ = streaming(CODEC, emulator, 200.0)
    link.lose()
    assert emulator.streaming
    link.converse(CODEC.prepare(50.0))
    assert not emulator.streaming
    assert link.stream(motion(9, 50.0)) == []


def test_the_end_leaves_the_sensor_quiet():
    emulator = MetaMotion(ADDRESS)
    link, settings, _ = streaming(CODEC, emulator)
    link.converse(CODEC.end(settings))
    assert not emulator.streaming
    assert emulator._on == set()


def test_the_accelerometer_starts_first_and_nothing_waits_for_an_acknowledgement():
    steps = list(CODEC.begin(SETTINGS))
    writes = [step for step in steps if isinstance(step, Write | Ask)]
    assert [w.data.hex() for w in writes] == [
        "031c01", "130701", "03020100", "13020100", "030101", "130101",
    ]  # fmt: skip
    assert not any(w.response for w in writes)
    assert {w.characteristic for w in writes} == {COMMAND}


@pytest.mark.parametrize(("chip", "model"), [(160, "MetaMotion R"), (270, "MetaMotion S")])
def test_it_says_what_it_is(chip, model):
    emulator = MetaMotion(ADDRESS)
    emulator.chip, emulator.battery_percent = chip, 37.0
    identity = HandLink(emulator).converse(CODEC.describe())
    assert (identity.model, identity.battery_percent) == (model, 37.0)
    assert identity.firmware


def test_it_is_recognised_by_its_service_or_name():
    assert CODEC.recognises(Advertisement("x", "left leg", services=frozenset({SERVICE})))
    assert CODEC.recognises(Advertisement("x", "MetaWear"))
    assert not CODEC.recognises(Advertisement("x", "WT901BLE67"))
