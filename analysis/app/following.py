"""One set followed while it is recorded: batches in, the newest state out, at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from analysis.live.adopted import Adopted, reanalyse
from analysis.live.gathering import Gathered
from analysis.live.tracker import Tracker
from analysis.settings import Settings
from imu.errors import HiprotError
from imu.frames import Batch
from imu.recording import Event, Recording

TICK_S = 0.2

Publish = Callable[[Mapping[str, Any]], None]


class Following:
    """Follows one set.

    Parameters
    ----------
    name, side : str
        Of the set.
    publish : callable
        Takes messages; returns at once.
    settings : Settings
        Limits of verdicts and cues.
    calibration : Recording or None
        The session's trunk lean.
    planned_reps : int or None
        After so many the other side is due.
    mode : str
        ``measure``, ``train`` or ``fade``: whether the angle is shown.
    """

    def __init__(
        self,
        name: str,
        side: str,
        publish: Publish,
        *,
        settings: Settings,
        calibration: Recording | None = None,
        planned_reps: int | None = None,
        mode: str = "train",
    ) -> None:
        self.tracker = Tracker(
            side, settings=settings, calibration=calibration, planned_reps=planned_reps
        )
        self.gathered = Gathered(name, side)
        self.events: list[Event] = []
        self.on_stop: Callable[[], None] = lambda: None
        self._publish = publish
        self._settings = settings
        self._calibration = calibration
        self._mode = mode

    def take(self, batch: Batch) -> None:
        """Take samples as they are written; the newest instant they complete is published."""
        self.gathered.take(batch)
        motions = self.tracker.push(batch.segment, batch)
        if motions:
            newest = motions[-1]
            self._publish({**newest.as_message(), "shown": self.shown(newest.reps)})
        if self.tracker.stopped:
            self.on_stop()

    def shown(self, reps: int) -> bool:
        """Whether the angle may be shown: never while measuring, fading in two turns of three."""
        return self._mode == "train" or (self._mode == "fade" and reps % 3 != 2)

    def mark(self, kind: str, arrival_s: float, score: float | None, text: str = "") -> None:
        """Take a marker as it is set, by the host's clock."""
        if self.gathered.first_arrival_s is not None:
            time_s = max(arrival_s - self.gathered.first_arrival_s, 0.0)
            event = Event(self.gathered.name, time_s, kind, score, text)
            self.events.append(event)
            self.tracker.mark(event)
            if self.tracker.stopped:
                self.on_stop()

    async def watch(self) -> None:
        """Analyse what has come, again and again, beside the loop; without it, all goes on."""
        while True:
            await asyncio.sleep(TICK_S)
            if self.tracker.analysis_due():
                rows, events = self.gathered.copied(), tuple(self.events)
                found = await asyncio.to_thread(self._analyse, rows, events)
                if found is not None:
                    self.tracker.adopt(found)

    def _analyse(
        self, rows: dict[str, list[tuple[float, ...]]], events: tuple[Event, ...]
    ) -> Adopted | None:
        recording = self.gathered.recording_of(rows)
        if recording is None:
            return None
        try:
            return reanalyse(recording, self._settings, self._calibration, events)
        except HiprotError:
            return None  # there is too little to tell
