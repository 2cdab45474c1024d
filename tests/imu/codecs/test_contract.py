"""What holds for every family, whatever its bytes: written once, run for all of them."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.codecs.dialogue import Ask, Read, Subscribe, Unsubscribe, Write
from imu.codecs.protocol import Codec, Decoded, choose_rate
from imu.codecs.table import FAMILIES, find_codec
from imu.emulators.peripheral import Emulator
from imu.emulators.table import FAMILIES as EMULATED
from imu.emulators.table import make_emulator
from imu.errors import CallError
from imu.frames import Advertisement, Frame, Sample
from tests.imu.codecs.driving import ADDRESS, HandLink, decode, motion, streaming, total


def present(name: str) -> bool:
    """Whether both ends of a family are there."""
    modules = (f"imu.codecs.{FAMILIES[name]}", f"imu.emulators.{EMULATED[name][0]}")
    return all(importlib.util.find_spec(module) for module in modules)


PRESENT = [name for name in FAMILIES if present(name)]
CODECS: Mapping[str, Codec] = {
    name: importlib.import_module(f"imu.codecs.{FAMILIES[name]}").CODEC for name in PRESENT
}
RATES = [(name, rate_hz) for name, codec in CODECS.items() for rate_hz in codec.rates_hz]
ACC_MS2, GYR_RADS = 0.02, 0.003  # coarser than the coarsest wire: 1/1024 g, 1/14 deg/s

BY_SUBSCRIPTION = {"witmotion"}  # sends from the subscription on, without a start

family = pytest.mark.parametrize("name", PRESENT)
each_rate = pytest.mark.parametrize(("name", "rate_hz"), RATES)


def notifying(emulator: Emulator) -> list[str]:
    """Characteristics that notify, and one nobody knows."""
    found = [
        characteristic
        for inside in emulator.services.values()
        for characteristic, words in inside.items()
        if "notify" in words
    ]
    return [*found, "0000beef-0000-1000-8000-00805f9b34fb"]


def position(sample: Sample, truth: Sequence[Sample]) -> int:
    """Which of the true samples a decoded one is, by its values."""
    return min(range(len(truth)), key=lambda at: math.dist(sample.acc_ms2, truth[at].acc_ms2))


@family
def test_it_says_of_itself_what_the_protocol_asks(name):
    codec = CODECS[name]
    assert isinstance(codec, Codec)
    assert codec.name == name
    assert codec.model
    assert codec.clock
    assert list(codec.rates_hz) == sorted(set(codec.rates_hz))
    assert codec.default_rate_hz in codec.rates_hz
    assert HandLink(make_emulator(name, ADDRESS)).has(codec.service)


@family
def test_characteristics_are_written_in_full(name):
    for service, inside in make_emulator(name, ADDRESS).services.items():
        for uuid in (service, *inside):
            assert len(uuid) == 36
            assert uuid == uuid.lower()


@family
def test_it_recognises_its_own_and_nobody_elses(name):
    for other in PRESENT:
        advertisement = make_emulator(other, ADDRESS).advertisement(ADDRESS, -50)
        assert advertisement.address == ADDRESS
        assert advertisement.rssi_dbm == -50
        assert CODECS[name].recognises(advertisement) is (name == other)
        assert find_codec(advertisement, CODECS) is CODECS[other]
    assert not CODECS[name].recognises(Advertisement(ADDRESS))
    assert not CODECS[name].recognises(Advertisement(ADDRESS, "JBL Flip"))


@family
def test_the_rate_is_the_lowest_that_is_enough(name):
    codec = CODECS[name]
    assert choose_rate(codec, None) == codec.default_rate_hz
    assert choose_rate(codec, codec.rates_hz[-1] - 0.5) == codec.rates_hz[-1]
    with pytest.raises(CallError, match="streams at"):
        choose_rate(codec, codec.rates_hz[-1] + 1.0)


@family
def test_description_changes_nothing(name):
    link = HandLink(make_emulator(name, ADDRESS))
    rate_hz = link.emulator.rate_hz
    link.emulator.battery_percent = 60.0
    identity = link.converse(CODECS[name].describe())
    assert identity.model
    if identity.battery_percent is not None:
        assert identity.battery_percent == pytest.approx(60.0, abs=20.0)  # some tell a voltage
    assert not link.emulator.streaming
    assert link.emulator.rate_hz == rate_hz


@family
def test_it_can_be_made_seen_where_it_says_so(name):
    link = HandLink(make_emulator(name, ADDRESS))
    if CODECS[name].can_identify:
        assert link.converse(CODECS[name].identify()) is None
        assert not link.emulator.streaming


@each_rate
def test_it_is_set_started_stopped_and_started_again(name, rate_hz):
    codec = CODECS[name]
    link, settings, _ = streaming(codec, make_emulator(name, ADDRESS), rate_hz)
    assert settings["rate_hz"] == rate_hz
    assert json.loads(json.dumps(settings)) == settings
    assert link.emulator.streaming
    assert link.emulator.rate_hz <= rate_hz  # one family promises more than it keeps
    link.converse(codec.end(settings))
    assert not link.emulator.streaming
    settings = link.converse(codec.prepare(rate_hz))
    assert link.emulator.streaming is (name in BY_SUBSCRIPTION)
    link.converse(codec.begin(settings))
    assert link.emulator.streaming


@family
def test_a_lost_link_leaves_it_usable(name):
    codec = CODECS[name]
    link, _, _ = streaming(codec, make_emulator(name, ADDRESS))
    link.lose()
    assert link.emulator.streaming is link.emulator.keeps_measuring
    settings = link.converse(codec.prepare(codec.default_rate_hz))
    assert link.emulator.streaming is (name in BY_SUBSCRIPTION)
    link.converse(codec.begin(settings))
    frames = link.stream(motion(200, link.emulator.rate_hz))
    assert len(decode(codec.decoder("again", settings), frames).samples) > 100


@each_rate
@pytest.mark.parametrize("mtu", [100, 247])
def test_what_is_measured_comes_out_in_order_and_whole(name, rate_hz, mtu):
    link, settings, _ = streaming(CODECS[name], make_emulator(name, ADDRESS), rate_hz)
    measured = {**settings, "measured_rate_hz": link.emulator.rate_hz}
    decoder = CODECS[name].decoder("sensor", measured)
    truth = motion(400, link.emulator.rate_hz)
    frames = link.stream(truth, mtu)
    decoded = total([*(decoder.feed(frame) for frame in frames), decoder.finish()])
    assert decoded.refused == ()
    assert decoded.duplicates == 0
    assert decoded.restarts == 0
    assert len(decoded.samples) > 400 - 2 * link.emulator.per_notification - 4
    first = position(decoded.samples[0], truth)
    assert first <= 4
    for sample, true in zip(decoded.samples, truth[first:], strict=False):
        assert math.dist(sample.acc_ms2, true.acc_ms2) < ACC_MS2
        assert math.dist(sample.gyr_rads, true.gyr_rads) < GYR_RADS
    steps = [b.time_s - a.time_s for a, b in itertools.pairwise(decoded.samples)]
    assert sum(steps) / len(steps) == pytest.approx(1.0 / link.emulator.rate_hz, rel=0.06)
    assert max(steps) < 2.0 / link.emulator.rate_hz


@family
def test_a_decoder_is_a_function_of_settings_and_frames(name):
    codec = CODECS[name]
    link, settings, decoder = streaming(codec, make_emulator(name, ADDRESS))
    frames = link.stream(motion(200, link.emulator.rate_hz))
    again = codec.decoder("sensor", settings)
    assert decode(decoder, frames).samples == decode(again, frames).samples


@family
@given(st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=260)), max_size=40))
def test_any_bytes_are_taken_without_an_exception(name, garbage):
    codec = CODECS[name]
    link, settings, decoder = streaming(codec, make_emulator(name, ADDRESS))
    frames = link.stream(motion(60, link.emulator.rate_hz))
    places = notifying(link.emulator)
    at_s = frames[-1].arrival_s
    foreign = [Frame(places[where % len(places)], at_s, payload) for where, payload in garbage]
    results = [decoder.feed(frame) for frame in [*foreign, *frames, *foreign]]
    decoder.relink(settings)
    results += [decoder.feed(frame) for frame in foreign]
    results.append(decoder.finish())
    for sample in total(results).samples:
        values = (sample.time_s, *sample.acc_ms2, *sample.gyr_rads)
        assert all(math.isfinite(value) for value in values)


def damage(name: str, change: Callable[[random.Random, bytes], bytes]) -> Decoded:
    """Change every tenth frame of a stream; what comes out."""
    rng = random.Random(name)
    link, _, decoder = streaming(CODECS[name], make_emulator(name, ADDRESS))
    frames = link.stream(motion(1200, link.emulator.rate_hz))
    out = [
        frame._replace(payload=change(rng, frame.payload)) if at % 10 == 9 else frame
        for at, frame in enumerate(frames)
    ]
    return total([*(decoder.feed(frame) for frame in out), decoder.finish()])


@family
@pytest.mark.parametrize("kind", ["cut", "longer", "empty"])
def test_damaged_frames_cost_themselves_and_little_more(name, kind):
    changes: dict[str, Callable[[random.Random, bytes], bytes]] = {
        "cut": lambda rng, payload: payload[: rng.randrange(1, len(payload))],
        "longer": lambda rng, payload: payload + rng.randbytes(rng.randrange(1, 7)),
        "empty": lambda _, payload: payload[:0],
    }
    decoded = damage(name, changes[kind])
    assert 0.6 * 1200 < len(decoded.samples) <= 1200
    assert all(math.hypot(*one.acc_ms2) < 1.5 * 9.81 for one in decoded.samples)


@family
def test_a_stream_that_begins_anew_goes_on_increasing(name):
    codec = CODECS[name]
    link, settings, decoder = streaming(codec, make_emulator(name, ADDRESS))
    rate_hz = link.emulator.rate_hz
    before = link.stream(motion(200, rate_hz, start_s=5000.0))
    link.lose()
    settings = link.converse(codec.prepare(codec.default_rate_hz))
    link.converse(codec.begin(settings))
    back_s = before[-1].arrival_s + 3.0  # and the sensor's clock starts at nearly zero
    after = link.stream(motion(200, rate_hz, start_s=1.0))
    late_s = back_s - after[0].arrival_s
    after = [frame._replace(arrival_s=frame.arrival_s + late_s) for frame in after]
    first = [decoder.feed(frame) for frame in before]
    decoder.relink(settings)
    second = [*(decoder.feed(frame) for frame in after), decoder.finish()]
    assert len(total(first + second).samples) > 300
    gap_s = total(second).samples[0].time_s - total(first).samples[-1].time_s
    assert gap_s == pytest.approx(3.0, abs=0.7)


@family
def test_dialogues_touch_only_what_the_sensor_has(name):
    """Every characteristic a dialogue names is the emulator's, unless it is optional."""
    codec, emulator = CODECS[name], make_emulator(name, ADDRESS)
    settings = HandLink(emulator).converse(codec.prepare(codec.default_rate_hz))
    link = HandLink(emulator)
    for dialogue in (codec.describe(), codec.prepare(codec.default_rate_hz), codec.end(settings)):
        answer: bytes | None = None
        while True:
            try:
                step = next(dialogue) if answer is None else dialogue.send(answer)
            except StopIteration:
                break
            if isinstance(step, Write | Ask | Read | Subscribe | Unsubscribe):
                assert link.has(step.characteristic) or getattr(step, "optional", False)
            if isinstance(step, Ask):
                assert step.answers_on in link.subscribed
                assert not step.matches(b"")
            answer = link.answer(step)
