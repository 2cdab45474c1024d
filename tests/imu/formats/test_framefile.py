"""Kept frames: the rows of the recording again, whatever was cut; damage is refused by line."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.codecs.protocol import Codec, Decoded, StreamSettings
from imu.codecs.table import FAMILIES, load_codecs
from imu.emulators.table import make_emulator
from imu.errors import FrameError, RecordingError
from imu.formats.framefile import (
    KeptFrames,
    decode_frames,
    format_end,
    format_frame,
    format_head,
    format_link,
)
from imu.frames import Batch, Frame, Sample
from tests.imu.codecs.driving import ADDRESS, motion, streaming

UUID = "15172003-4947-11e9-8646-d663bd873d93"
STARTED = "2026-11-22T09:30:00+01:00"
LAYOUT = struct.Struct("<Hh")


@dataclass
class TinyDecoder:
    """Two bytes of time, two of a value; every sample is held back until the next comes."""

    device: str
    scale: float
    relinks: list[float] = field(default_factory=list)
    held: Sample | None = None

    def feed(self, frame: Frame) -> Decoded:
        if len(frame.payload) != LAYOUT.size:
            return Decoded(refused=(FrameError(self.device, "4 bytes", frame.payload),))
        counter, value = LAYOUT.unpack(frame.payload)
        sample = Sample(counter / 100, (value * self.scale, 9.81, 0.0), (0.0, 0.0, 0.0))
        if self.held is not None and sample.time_s <= self.held.time_s:
            return Decoded(duplicates=1)
        held, self.held = self.held, sample
        return Decoded((held,) if held else ())

    def relink(self, settings: StreamSettings) -> None:
        self.scale = settings["scale"]

    def finish(self) -> Decoded:
        return Decoded((self.held,) if self.held else ())


class TinyCodec:
    name, model = "tiny", "Tiny"

    def decoder(self, device: str, settings: StreamSettings) -> TinyDecoder:
        return TinyDecoder(device, settings["scale"])


CODECS: Mapping[str, Codec] = {"tiny": TinyCodec()}  # type: ignore[dict-item]
SENSORS = {
    segment: {"codec": "tiny", "address": f"AA:{segment}", "model": "Tiny v1"}
    for segment in ("thigh", "pelvis")
}
HEAD = format_head("left", "left", STARTED, SENSORS)
LINKS = "".join(format_link(segment, {"scale": 0.5}) for segment in SENSORS)


def decode(text: str | bytes) -> KeptFrames:
    data = text.encode() if isinstance(text, str) else text
    return decode_frames(data, "left.frames.jsonl", CODECS)


def refused(data: bytes, codecs: Mapping[str, Codec]) -> str:
    """The refusal of a file; empty where it is decoded."""
    try:
        decode_frames(data, "left.frames.jsonl", codecs)
    except RecordingError as error:
        return str(error)
    return ""


def frame(counter: int, value: int, arrival_s: float) -> Frame:
    return Frame(UUID, arrival_s, LAYOUT.pack(counter, value))


Line = tuple[str, Frame | dict[str, float]]
FRAMES = st.builds(
    Frame,
    st.just(UUID),
    st.floats(-1e11, 1e11),
    st.one_of(st.binary(max_size=6), st.binary(min_size=4, max_size=4)),
)
LINES: st.SearchStrategy[list[Line]] = st.lists(
    st.tuples(
        st.sampled_from(list(SENSORS)),
        st.one_of(FRAMES, FRAMES, FRAMES, st.fixed_dictionaries({"scale": st.floats(-9, 9)})),
    ),
    max_size=20,
)


def written(lines: list[Line], end: bool = True) -> str:
    text = HEAD + LINKS
    for segment, value in lines:
        frames = isinstance(value, Frame)
        text += format_frame(segment, value) if frames else format_link(segment, value)
    return text + (format_end() if end else "")


def recorded(lines: list[Line]) -> list[Batch]:
    """What a recorder makes of the same frames, on its own."""
    decoders = {segment: TinyDecoder("", 0.5) for segment in SENSORS}
    batches: list[Batch] = []
    last_s: dict[str, float] = {}
    for segment, value in lines:
        if not isinstance(value, Frame):
            decoders[segment].relink(value)
            continue
        samples = decoders[segment].feed(value).samples
        if samples:
            last_s[segment] = value.arrival_s
            batches.append(Batch(segment, value.arrival_s, samples))
    for segment, decoder in decoders.items():
        samples = decoder.finish().samples
        if samples and segment in last_s:
            batches.append(Batch(segment, last_s[segment], samples))
    return batches


@given(LINES)
def test_frames_give_the_recorders_batches_to_the_last_bit(lines):
    found = decode(written(lines))
    assert list(found.batches) == recorded(lines)
    assert (found.ended, found.cut_lines) == (True, 0)
    assert (found.head.set_name, found.head.side, found.head.started) == ("left", "left", STARTED)
    assert found.head.sensors == SENSORS
    for segment, counts in found.counts.items():
        own = [batch.samples for batch in found.batches if batch.segment == segment]
        assert counts.samples == sum(len(samples) for samples in own)
        frames = [value for one, value in lines if one == segment and isinstance(value, Frame)]
        assert counts.frames == len(frames)
        assert counts.refused == sum(len(one.payload) != LAYOUT.size for one in frames)


def test_what_was_held_back_comes_at_the_end_in_the_heads_order():
    lines: list[Line] = [
        (segment, frame(i, i, 10.0 * i + at))
        for i in (1, 2, 3)
        for at, segment in enumerate(("pelvis", "thigh"))
    ]
    lines.append(("thigh", Frame(UUID, 99.0, b"garbage")))
    found = decode(written(lines)).batches[-2:]
    assert [(one.segment, one.arrival_s) for one in found] == [("thigh", 31.0), ("pelvis", 30.0)]
    assert [one.samples[0].time_s for one in found] == [0.03, 0.03]


def test_what_was_refused_and_delivered_twice_is_counted():
    frames = [frame(1, 1, 0.1), frame(1, 1, 0.1), Frame(UUID, 0.2, b"?"), frame(2, 1, 0.3)]
    counts = decode(written([("thigh", one) for one in frames])).counts
    assert (counts["thigh"].refused, counts["thigh"].duplicates) == (1, 1)
    assert counts["thigh"].samples == 2
    assert counts["pelvis"].frames == 0


@given(LINES, st.data())
def test_a_file_cut_anywhere_gives_what_came_before_the_cut(lines, data):
    whole = written(lines)
    at = data.draw(st.integers(len(HEAD), len(whole) - 1))
    found = decode(whole[:at])
    kept = [line for line in whole[:at].split("\n")[:-1] if line.startswith("[")]
    complete = whole[at] == "\n"  # only the newline is missing
    assert found.cut_lines == int(whole[at - 1] != "\n" and not complete)
    assert found.ended == (at == len(whole) - 1)
    frames = sum(counts.frames for counts in found.counts.values())
    assert frames == len(kept) + int(complete and whole[:at].rpartition("\n")[2].startswith("["))
    held_back = len(SENSORS)
    sure = found.batches[: max(0, len(found.batches) - held_back)]
    assert sure == decode(whole).batches[: len(sure)]


SOME = written(
    [("thigh", frame(i, i, 5 + i / 7)) for i in range(6)]
    + [("pelvis", frame(i, -i, 5 + i / 9)) for i in range(6)]
    + [("thigh", {"scale": 2.0}), ("thigh", frame(9, 9, 7.0))]
)
SPLICES = st.one_of(
    st.binary(max_size=3),
    st.sampled_from([b"\n", b"0", b"-", b"e9", b"null", b"NaN", b"1e999", b"[", b"{}", b"\0"]),
    st.integers(0, len(SOME) - 1).flatmap(
        lambda at: st.integers(at, min(at + 90, len(SOME))).map(lambda to: SOME.encode()[at:to])
    ),
)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), SPLICES), min_size=1, max_size=3))
def test_a_damaged_file_is_refused_in_one_line_or_decoded(splices):
    data = SOME.encode()
    for where, length, splice in splices:
        at = round(where * len(data))
        data = data[:at] + splice + data[at + length :]
    refusal = refused(data, CODECS)
    assert "\n" not in refusal
    assert refusal == "" or "left.frames.jsonl" in refusal


LINK = format_link("thigh", {"scale": 1})
FRAME = format_frame("thigh", frame(1, 1, 0.1))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        (HEAD[:40], "line 1: not JSON"),
        (HEAD.replace("frames/1", "frames/2"), "line 1: the schema"),
        ("[]\n", "line 1: the schema"),
        ("sensor,time_s\n", "line 1: not JSON"),
        (HEAD.replace('"side": "left"', '"side": "up"'), "line 1: the side"),
        (HEAD.replace(STARTED, "noon"), "line 1: started"),
        (HEAD.replace('"left"', '"\\ud800"', 1), "line 1: set is not a text"),
        (HEAD.replace("thigh", "knee"), "line 1: sensors"),
        (HEAD.replace('"address"', '"adress"'), "line 1: address"),
        (HEAD.replace("tiny", "huge"), "line 1: the thigh sensor's family 'huge' is unknown"),
        (HEAD + "\n" + LINK, "line 2: not JSON"),
        (HEAD + LINK + "[1, 2]\n" + FRAME, "line 3: neither"),
        (HEAD + LINK + '{"end": 1}\n', "line 3: neither"),
        (HEAD + LINK + '{"end": true, "or": 1}\n', "line 3: neither"),
        (HEAD + FRAME, "line 2: a frame of 'thigh', which is not linked"),
        (HEAD + LINK.replace("thigh", "shank"), "line 2: there is no sensor 'shank'"),
        (HEAD + LINK.replace("scale", "other"), "line 2: .*KeyError.* link line"),
        (HEAD + LINK + LINK.replace("scale", "other"), "line 3: .*KeyError"),
        (HEAD + LINK.replace("1", '"1"') + FRAME, None),
        (HEAD + LINK.replace("1", "{}") + FRAME, "line 3: .*TypeError"),
        (HEAD + LINK + FRAME.replace("0.1", "true"), "line 3: 'True' is no time"),
        (HEAD + LINK + FRAME.replace("0.1", "1e12"), "line 3: .* is no time"),
        (HEAD + LINK + FRAME.replace("0.1", "1" + "0" * 400), "line 3: .* is no time"),
        (HEAD + LINK + FRAME.replace("0.1", "NaN"), "line 3: not JSON"),
        (HEAD + LINK + FRAME.replace("1517", "151X"), "line 3: .* is no UUID"),
        (HEAD + LINK + FRAME.replace('01000100"', '0100010"'), "line 3: .* is no bytes"),
        (HEAD + LINK + FRAME.replace('01000100"', '01 00 01 00"'), "line 3: .* is no bytes"),
        (HEAD + LINK + FRAME + format_end() + FRAME, "line 5: a line after the end"),
        (HEAD + LINK + FRAME[:-9] + "\0" * 40, "line 3: a zero byte"),
        (HEAD + LINK + "[" * 100_000 + "\n", "line 3: not JSON"),
    ],
)
def test_damage_is_refused_by_its_line(text, told):
    if told is None:
        assert decode(text).batches == ()
        return
    with pytest.raises(RecordingError, match=rf"^left\.frames\.jsonl.*{told}") as caught:
        decode(text)
    assert "\n" not in str(caught.value)


def test_what_is_written_is_plain_json():
    documents = [json.loads(line) for line in SOME.splitlines()]
    assert documents[0]["schema"] == "hiprot.frames/1"
    assert documents[-1] == {"end": True}


# --- the families themselves


FAMILY_CODECS, _ = load_codecs([])
by_family = pytest.mark.parametrize("family", FAMILIES)


def kept(family: str) -> str:
    """Four seconds of one emulated sensor, as kept frames."""
    codec = FAMILY_CODECS[family]
    link, settings, _ = streaming(codec, make_emulator(family, ADDRESS))
    rate_hz = link.emulator.rate_hz
    sensor = {"codec": family, "address": ADDRESS, "model": codec.model}
    text = format_head("left", "left", STARTED, {"thigh": sensor}) + format_link("thigh", settings)
    frames = link.stream(motion(round(4 * rate_hz), rate_hz))
    return text + "".join(format_frame("thigh", one) for one in frames) + format_end()


@by_family
def test_kept_frames_of_every_family_give_its_samples(family):
    found = decode_frames(kept(family).encode(), "left.frames.jsonl", FAMILY_CODECS)
    counts = found.counts["thigh"]
    assert (counts.refused, counts.duplicates, counts.restarts) == (0, 0, 0)
    assert counts.samples >= 3.5 * FAMILY_CODECS[family].default_rate_hz
    samples = [sample for batch in found.batches for sample in batch.samples]
    assert len(samples) == counts.samples
    assert all(one.time_s < two.time_s for one, two in pairwise(samples))
    assert samples[0].acc_ms2[2] == pytest.approx(9.8, abs=0.5)


@by_family
@given(st.randoms(use_true_random=False))
def test_damaged_frames_of_every_family_are_refused_or_decoded(family, random):
    data = bytearray(b"\n".join(kept(family).encode().split(b"\n")[:12]))
    for _ in range(random.randint(1, 4)):
        at = random.randrange(data.index(b"\n"), len(data))
        data[at] = random.choice(b'0123456789abcdef"{}[],:-\n')
    assert "\n" not in refused(bytes(data), FAMILY_CODECS)
