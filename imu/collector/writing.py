"""Frames -> samples -> rows on the disk, in the order they came."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imu.codecs.protocol import Decoded, StreamSettings
from imu.collector.sensor import Item, Linked, Note, Sensor
from imu.decoding import SensorDecoding
from imu.errors import FrameError
from imu.formats.framefile import format_end, format_frame, format_head, format_link
from imu.formats.setfile import format_batch
from imu.frames import Batch, Frame
from imu.recording import Event
from imu.storage.journal import EventJournal, LineJournal, SetJournal

Consumer = Callable[[Batch], None]
MAX_REFUSED_BYTES = 16 * 2**20
LOW_BATTERY_PERCENT = 15.0


@dataclass(slots=True)
class Tally:
    """What came from one sensor since the set began."""

    samples: int = 0
    lost: int = 0
    refused: int = 0
    duplicates: int = 0
    restarts: int = 0
    last_s: float | None = None
    low_battery_told: bool = False

    def count(self, decoded: Decoded, rate_hz: float) -> None:
        """Add what came out of one frame."""
        self.refused += len(decoded.refused)
        self.duplicates += decoded.duplicates
        self.restarts += decoded.restarts
        self.samples += len(decoded.samples)
        for sample in decoded.samples:
            if self.last_s is not None:
                self.lost += max(0, round((sample.time_s - self.last_s) * rate_hz) - 1)
            self.last_s = sample.time_s


@dataclass(frozen=True, slots=True)
class SetPlan:
    """Where a set goes, and what goes with it.

    Attributes
    ----------
    folder : Path
        The session's.
    side : str
        ``left`` or ``right``.
    started : str
        ISO 8601, with the offset from UTC.
    keep_frames : bool
        Whether the raw frames are kept beside the samples.
    consumers : sequence of callable
        Are handed every `Batch` as it is written: the clean place for whoever watches live. One
        that raises is dropped, and the person told; the recording goes on.
    """

    folder: Path
    side: str
    started: str
    keep_frames: bool = False
    consumers: Sequence[Consumer] = ()


@dataclass(slots=True)
class Part:
    """One sensor's part in the set."""

    sensor: Sensor
    decoding: SensorDecoding
    settings: StreamSettings
    tally: Tally = field(default_factory=Tally)


class SetWriter:
    """Writes one set as its frames come in.

    The files are made with the first rows of *all* sensors: a set never exists that holds fewer.

    Parameters
    ----------
    plan : SetPlan
        Where it goes.
    roles : Mapping of str to Sensor
        By segment.
    events : EventJournal
        The session's.
    say : callable
        Tells the person.
    note : callable, optional
        Is told what came out of each frame, before it is written.
    """

    def __init__(
        self,
        plan: SetPlan,
        roles: Mapping[str, Sensor],
        events: EventJournal,
        say: Callable[[str], None],
        note: Note = lambda *_: None,
    ) -> None:
        self.plan = plan
        self.name: str | None = None
        self.first_arrival_s: float | None = None
        self.parts = {segment: _part(one) for segment, one in roles.items()}
        self._segments = {id(one): segment for segment, one in roles.items()}
        self._events = events
        self._say = say
        self._note = note
        self._consumers = list(plan.consumers)
        self._rows: list[str] = []
        self._refused: list[str] = []
        self._frames: list[str] = []
        self._set: SetJournal | None = None
        self._frame_journal: LineJournal | None = None
        self._closing = threading.Lock()
        self._refused_journal: LineJournal | None = None
        for segment, part in self.parts.items():
            self._keep(format_link(segment, part.settings))

    # --- what comes in

    def take(self, items: Iterable[tuple[Sensor, Item]]) -> None:
        """Decode, write and hand on what came, in order.

        Raises
        ------
        MachineError
            The disk is full, the folder is gone, ...; what is written stays valid.
        """
        for sensor, item in items:
            segment = self._segments.get(id(sensor))
            if segment is None:
                continue
            if isinstance(item, Linked):
                self._relink(segment, item.settings)
            else:
                self._feed(segment, item)
        self._write()

    def _relink(self, segment: str, settings: StreamSettings) -> None:
        part = self.parts[segment]
        measured = part.settings.get("measured_rate_hz")
        part.settings = {**settings, **({"measured_rate_hz": measured} if measured else {})}
        self._keep(format_link(segment, part.settings))
        part.decoding.link(part.settings)

    def _feed(self, segment: str, frame: Frame) -> None:
        self._keep(format_frame(segment, frame))
        self._decoded(segment, frame.arrival_s, self.parts[segment].decoding.feed(frame), frame)

    def _decoded(
        self, segment: str, arrival_s: float, decoded: Decoded, frame: Frame | None = None
    ) -> None:
        part = self.parts[segment]
        self._note(part.sensor, arrival_s, decoded)
        part.tally.count(decoded, float(part.settings["rate_hz"]))
        for error in decoded.refused:
            self._refused.append(refused_line(segment, arrival_s, frame, error))
        if decoded.battery_percent is not None:
            self._battery(segment, decoded.battery_percent)
        if decoded.samples:
            self._hand_on(Batch(segment, arrival_s, decoded.samples))

    def _battery(self, segment: str, percent: float) -> None:
        part = self.parts[segment]
        if percent < LOW_BATTERY_PERCENT and not part.tally.low_battery_told:
            part.tally.low_battery_told = True
            self._say(f"The battery of the {segment} sensor is low: {percent:.0f} %.")

    def _hand_on(self, batch: Batch) -> None:
        if self.first_arrival_s is None:
            self.first_arrival_s = batch.arrival_s
        self._rows.append(format_batch(batch))
        for consumer in tuple(self._consumers):
            try:
                consumer(batch)
            except Exception as error:  # the rows matter more than whoever watches them
                self._consumers.remove(consumer)
                self._say(f"The live display failed ({type(error).__name__}: {error}).")

    def _keep(self, line: str) -> None:
        if self.plan.keep_frames:
            self._frames.append(line)

    # --- what goes out

    def _write(self) -> None:
        if self._set is None:
            if any(part.tally.samples == 0 for part in self.parts.values()):
                return
            self._create()
            self._rows.clear()
        elif self._rows:
            self._set.append(_taken(self._rows))
        if self._frame_journal is not None and self._frames:
            self._frame_journal.append(_taken(self._frames))
        if self._refused:
            if self._refused_journal is None:
                path = self.plan.folder / f"{self.name}.refused.jsonl"
                self._refused_journal = LineJournal(path, MAX_REFUSED_BYTES)
            self._refused_journal.append(_taken(self._refused))

    def _create(self) -> None:
        self._set = SetJournal.create(self.plan.folder, self.plan.side, "".join(self._rows))
        self.name = self._set.name
        if self.plan.keep_frames:
            path = self.plan.folder / f"{self.name}.frames.jsonl"
            self._frame_journal = LineJournal(path)
            sensors = {
                segment: {
                    "codec": part.sensor.codec.name,
                    "address": part.sensor.address,
                    "model": part.sensor.identity.model,
                }
                for segment, part in self.parts.items()
            }
            head = format_head(self.name, self.plan.side, self.plan.started, sensors)
            self._frame_journal.append(head)

    def mark(self, kind: str, arrival_s: float, score: float | None = None, text: str = "") -> bool:
        """Write a marker at a moment of the host's clock; False before the set exists.

        Raises
        ------
        MachineError
            The disk is full, ...
        """
        if self.name is None or self.first_arrival_s is None:
            return False
        time_s = max(arrival_s - self.first_arrival_s, 0.0)
        self._events.append(Event(self.name, time_s, kind, score, text))
        return True

    def sync(self) -> None:
        """Bring all down to the disk; may run in a thread beside `take`.

        Raises
        ------
        MachineError
            The disk failed, or the folder is gone.
        """
        with self._closing:
            for journal in self._journals():
                journal.sync()

    def finish(self) -> None:
        """Write what decoders held back, and close the files.

        Raises
        ------
        MachineError
            The disk is full, ...
        """
        for segment, part in self.parts.items():
            arrival_s = part.decoding.last_arrival_s
            if arrival_s is not None:
                self._decoded(segment, arrival_s, part.decoding.finish())
        self._keep(format_end())
        try:
            self._write()
            self.sync()
        finally:
            self.close()

    def close(self) -> None:
        """Close the files as they are, once no other thread is at them."""
        with self._closing:
            for journal in self._journals():
                journal.close()
            self._set = self._frame_journal = self._refused_journal = None

    def _journals(self) -> list[SetJournal | LineJournal]:
        journals = (self._set, self._frame_journal, self._refused_journal)
        return [journal for journal in journals if journal is not None]


def _taken(lines: list[str]) -> str:
    """Take lines out for good: what a full disk took in part is not tried again, nor doubled."""
    text = "".join(lines)
    lines.clear()
    return text


def _part(sensor: Sensor) -> Part:
    decoding = SensorDecoding(sensor.codec, sensor.address)
    decoding.begin(sensor.settings)
    return Part(sensor, decoding, sensor.settings)


def refused_line(segment: str, arrival_s: float, frame: Frame | None, error: FrameError) -> str:
    """Write what could not be decoded as one JSON line."""
    entry = {
        "sensor": segment,
        "arrival_s": round(arrival_s, 6),
        "characteristic": frame.characteristic if frame else "",
        "hex": error.payload.hex(),
        "error": str(error),
    }
    return json.dumps(entry) + "\n"
