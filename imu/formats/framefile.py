"""Kept frames, as text, into samples again: values only, no files.

One JSON value a line. First who sent them, last that it ended in order; between, in the order they
came, what each sensor was set to (before its first frame, and again whenever its stream started
anew) and its frames::

    {"schema": "hiprot.frames/1", "set": "left", "side": "left", "started": "2026-11-22T09:30:00",
     "sensors": {"thigh": {"codec": "movella-dot", "address": "...", "model": "..."}, ...}}
    {"link": "thigh", "settings": {"rate_hz": 60}}
    ["thigh", 1234.567890123, "15172003-4947-11e9-8646-d663bd873d93", "00a1..."]
    {"end": true}

The rule by which frames become rows is that of the recording: one decoder a sensor, made at its
first link, told of later ones, fed in the order of the file; at the end each gives what it held
back, under the arrival of its last samples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from imu.codecs.protocol import Codec, Decoded, StreamSettings
from imu.decoding import SensorDecoding
from imu.errors import RecordingError
from imu.formats import csvfile
from imu.formats.csvfile import place, shown
from imu.formats.sessionfile import encodable, strict_json
from imu.frames import Batch, Frame
from imu.units import SEGMENTS, SIDES

SCHEMA = "hiprot.frames/1"
MAX_ARRIVAL_S = 1e11  # as in a set
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX = re.compile(r"([0-9a-f]{2})*")
Value = TypeVar("Value")
REMEDY = "The file is damaged here; cut it before this line to have what came earlier."


@dataclass(frozen=True, slots=True)
class Head:
    """The first line.

    Attributes
    ----------
    set_name, side : str
        The set the frames are of.
    started : str
        ISO 8601.
    sensors : Mapping of str to Mapping of str to str
        By segment: ``codec``, ``address``, ``model``, all texts.
    """

    set_name: str
    side: str
    started: str
    sensors: Mapping[str, Mapping[str, str]]


@dataclass(slots=True)
class Counts:
    """What came of one sensor's frames."""

    frames: int = 0
    samples: int = 0
    refused: int = 0
    duplicates: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class KeptFrames:
    """A file of kept frames, decoded.

    Attributes
    ----------
    head : Head
        Its first line.
    batches : tuple of Batch
        In the order they were recorded.
    counts : Mapping of str to Counts
        By segment.
    ended : bool
        Whether the recording ended in order.
    cut_lines : int
        1 where the file ended in the middle of a line, which was dropped; otherwise 0.
    """

    head: Head
    batches: tuple[Batch, ...]
    counts: Mapping[str, Counts]
    ended: bool
    cut_lines: int


def format_head(
    set_name: str, side: str, started: str, sensors: Mapping[str, Mapping[str, str]]
) -> str:
    """Write the first line; see `Head`."""
    return _line(
        {"schema": SCHEMA, "set": set_name, "side": side, "started": started, "sensors": sensors}
    )


def format_link(segment: str, settings: StreamSettings) -> str:
    """Write what a sensor is set to, before its first frame or when its stream starts anew."""
    return _line({"link": segment, "settings": settings})


def format_frame(segment: str, frame: Frame) -> str:
    r"""Write one frame; its arrival to the last bit.

    Examples
    --------
    >>> format_frame("thigh", Frame("15172003-4947-11e9-8646-d663bd873d93", 0.1, b"\x00\xa1"))
    '["thigh", 0.1, "15172003-4947-11e9-8646-d663bd873d93", "00a1"]\n'
    """
    return _line([segment, float(frame.arrival_s), frame.characteristic, frame.payload.hex()])


def format_end() -> str:
    """Write the last line of a recording that ended in order."""
    return _line({"end": True})


def _line(value: object) -> str:
    return json.dumps(value, allow_nan=False) + "\n"


def decode_frames(data: bytes, source: str, codecs: Mapping[str, Codec]) -> KeptFrames:
    """Decode kept frames.

    Parameters
    ----------
    data : bytes
        The file's content. A last line broken off, as a kill leaves it, is dropped and counted.
    source : str
        The file's name, for messages.
    codecs : Mapping of str to Codec
        Families by name.

    Raises
    ------
    RecordingError
        Anything else that is no file of kept frames, with its line; a family unknown here.
    """
    first, body, rest = csvfile.split_lines(data, source)
    head = _parse_head(first, place(source, 1))
    decoding = _Decoding(head, codecs, source)
    lines = body.split(b"\n")[:-1]
    cut = not _whole(rest)
    if rest and not cut:
        lines.append(rest)
    for number, line in enumerate(lines, 2):
        decoding.take(_parse(line, place(source, number)), place(source, number))
    decoding.finish()
    return KeptFrames(
        head, tuple(decoding.batches), decoding.counts, decoding.ended, int(bool(rest) and cut)
    )


def _whole(line: bytes) -> bool:
    """Whether a last line without its newline is whole: no part of a line of ours is JSON."""
    try:
        strict_json(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    return True


def _parse(line: bytes, where: str) -> object:
    """Parse one line as JSON."""
    try:
        return strict_json(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RecordingError(where, f"not JSON: {str(error)[:120]}", REMEDY) from None


def _parse_head(line: bytes, where: str) -> Head:
    """Check the first line."""
    document = _parse(line, where)
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(document, dict) or schema != SCHEMA:
        what = f"the schema is {shown(str(schema))}, expected {SCHEMA}"
        raise RecordingError(where, what, "Give a file of kept frames; *.frames.jsonl.")
    name, side, started = (_text(document, key, where) for key in ("set", "side", "started"))
    if side not in SIDES:
        raise RecordingError(where, f"the side {shown(side)} is neither left nor right", REMEDY)
    try:
        datetime.fromisoformat(started)
    except ValueError:
        what = f"started is {shown(started)}, which is no date and time"
        raise RecordingError(where, what, REMEDY) from None
    sensors = document.get("sensors")
    if not isinstance(sensors, dict) or not sensors or not set(sensors) <= set(SEGMENTS):
        what = f"sensors is not an object with some of {', '.join(SEGMENTS)}"
        raise RecordingError(where, what, REMEDY)
    keys = ("codec", "address", "model")
    known = {
        segment: {key: _text(sensor, key, where) for key in keys}
        for segment, sensor in sensors.items()
    }
    return Head(name, side, started, known)


def _text(document: object, key: str, where: str) -> str:
    """Take one text out of an object."""
    text = document.get(key) if isinstance(document, dict) else None
    if not isinstance(text, str) or not encodable(text):
        raise RecordingError(where, f"{key} is not a text", REMEDY)
    return text


@dataclass(slots=True)
class _Decoding:
    """The decoders of all sensors, and what they have given so far."""

    head: Head
    codecs: Mapping[str, Codec]
    source: str
    batches: list[Batch] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    ended: bool = False
    decodings: dict[str, SensorDecoding] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.counts = {segment: Counts() for segment in self.head.sensors}
        for segment, sensor in self.head.sensors.items():
            if sensor["codec"] not in self.codecs:
                what = f"the {segment} sensor's family {shown(sensor['codec'])} is unknown"
                known = f"Known: {', '.join(self.codecs)}; install its plug-in."
                raise RecordingError(place(self.source, 1), what, known)
            codec = self.codecs[sensor["codec"]]
            self.decodings[segment] = SensorDecoding(codec, sensor["address"])

    def take(self, value: object, where: str) -> None:
        """Take one line after the first."""
        if self.ended:
            raise RecordingError(where, "a line after the end", REMEDY)
        match value:
            case {"end": True, **others} if not others:
                self.ended = True
            case {"link": str(segment), "settings": dict(settings), **others} if not others:
                self._link(segment, settings, where)
            case [str(segment), int() | float() as arrival_s, str(uuid), str(text)]:
                self._feed(segment, _frame(arrival_s, uuid, text, where), where)
            case _:
                raise RecordingError(where, "neither a link nor a frame nor the end", REMEDY)

    def _link(self, segment: str, settings: dict[str, Any], where: str) -> None:
        decoding = self.decodings.get(segment)
        if decoding is None:
            raise RecordingError(where, f"there is no sensor {shown(segment)} in line 1", REMEDY)
        _foreign(lambda: decoding.link(settings), where)

    def _feed(self, segment: str, frame: Frame, where: str) -> None:
        decoding = self.decodings.get(segment)
        if decoding is None or not decoding.linked:
            what = f"a frame of {shown(segment)}, which is not linked before"
            raise RecordingError(where, what, REMEDY)
        self.counts[segment].frames += 1
        self._give(segment, frame.arrival_s, _foreign(lambda: decoding.feed(frame), where))

    def finish(self) -> None:
        """Take what decoders held back, in the head's order."""
        for segment, decoding in self.decodings.items():
            if decoding.last_arrival_s is not None:
                decoded = _foreign(decoding.finish, f"{self.source}, at its end")
                self._give(segment, decoding.last_arrival_s, decoded)

    def _give(self, segment: str, arrival_s: float, decoded: Decoded) -> None:
        counts = self.counts[segment]
        counts.samples += len(decoded.samples)
        counts.refused += len(decoded.refused)
        counts.duplicates += decoded.duplicates
        counts.restarts += decoded.restarts
        if decoded.samples:
            self.batches.append(Batch(segment, arrival_s, decoded.samples))


def _frame(arrival_s: float, uuid: str, text: str, where: str) -> Frame:
    """Check the parts of one frame."""
    if isinstance(arrival_s, bool) or not abs(arrival_s) <= MAX_ARRIVAL_S:
        raise RecordingError(where, f"{shown(str(arrival_s))} is no time of arrival", REMEDY)
    if not UUID.fullmatch(uuid):
        raise RecordingError(where, f"{shown(uuid)} is no UUID in lower case", REMEDY)
    if not HEX.fullmatch(text):
        raise RecordingError(where, f"{shown(text)} is no bytes in lower hexadecimal", REMEDY)
    return Frame(uuid, float(arrival_s), bytes.fromhex(text))


def _foreign(call: Callable[[], Value], where: str) -> Value:
    """Call a decoder, whose settings the file gave and whose code may be a plug-in's."""
    try:
        return call()
    except Exception as error:  # whatever it raises
        what = f"its family cannot decode with these settings ({type(error).__name__}: {error})"
        raise RecordingError(where, what, "Check the sensor's last link line.") from None
