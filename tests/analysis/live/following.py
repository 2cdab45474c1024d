"""A recorded set followed as if it came live, with the analyses that a caller would run beside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.live.adopted import Adopted, reanalyse
from analysis.live.motion import Motion
from analysis.live.tracker import Tracker
from analysis.settings import Settings
from imu.errors import RecordingError
from imu.frames import Batch
from imu.recording import Event, Recording
from imu.samples import Stream
from imu.transports.replay import batches

TAKES_S = 0.15  # an analysis, until it is adopted


@dataclass(slots=True)
class Followed:
    """What was shown.

    Attributes
    ----------
    tracker : Tracker
        As it was left.
    motions : list of Motion
        In their order.
    adoptions : list of int
        How many motions had been shown at each adoption.
    final : Adopted or None
        The analysis of the whole set; None where it was refused.
    samples, seconds : int, float
        How many samples were pushed, and what that took, the analyses apart.
    """

    tracker: Tracker
    motions: list[Motion] = field(default_factory=list)
    adoptions: list[int] = field(default_factory=list)
    final: Adopted | None = None
    samples: int = 0
    seconds: float = 0.0

    def column(self, name: str) -> np.ndarray:
        return np.array([getattr(motion, name) for motion in self.motions])


class Caller:
    """Keeps what has arrived and analyses it when the tracker asks."""

    def __init__(self, recording: Recording, events: Sequence[Event] = ()) -> None:
        self._whole = recording
        self._events = events
        self._rows: dict[str, list[tuple[float, ...]]] = {}
        self._due: tuple[float, Adopted] | None = None
        self._marked = 0

    def keep(self, batch: Batch) -> None:
        self._rows.setdefault(batch.segment, []).extend(batch.rows())

    def markers(self, time_s: float) -> list[Event]:
        """Those that are due by now and were not told."""
        due = [event for event in self._events if event.time_s <= time_s]
        new, self._marked = due[self._marked :], len(due)
        return new

    def adopted(self, arrival_s: float) -> Adopted | None:
        """The analysis that is ready by now."""
        if self._due is None or arrival_s < self._due[0]:
            return None
        result, self._due = self._due[1], None
        return result

    def analyse(self, arrival_s: float) -> None:
        streams = {name: _stream(name, rows) for name, rows in self._rows.items()}
        whole = self._whole
        so_far = Recording(whole.name, whole.side, whole.source, streams)
        try:
            result = reanalyse(so_far, Settings(), events=self._events[: self._marked])
        except RecordingError:
            return
        self._due = (arrival_s + TAKES_S, result)


def follow(
    recording: Recording, events: Sequence[Event] = (), tracker: Tracker | None = None
) -> Followed:
    """Follow a recording from its first to its last sample, then to its end's analysis."""
    tracker = tracker or Tracker(recording.side)
    caller, followed = Caller(recording, events), Followed(tracker)
    for batch in batches(recording):
        caller.keep(batch)
        for event in caller.markers(tracker.time_s):
            tracker.mark(event)
        begun_s = time.perf_counter()
        followed.motions += tracker.push(batch.segment, batch)
        followed.seconds += time.perf_counter() - begun_s
        followed.samples += len(batch.samples)
        result = caller.adopted(batch.arrival_s)
        if result is not None:
            tracker.adopt(result)
            followed.adoptions.append(len(followed.motions))
        if tracker.analysis_due():
            caller.analyse(batch.arrival_s)
    try:
        followed.final = reanalyse(recording, Settings(), events=events, ended=True)
    except RecordingError:
        return followed
    tracker.adopt(followed.final)
    return followed


def _stream(segment: str, rows: list[tuple[float, ...]]) -> Stream:
    table = np.array(rows)
    return Stream(segment, table[:, 0], table[:, 1:4], table[:, 4:7], table[:, 7])
