"""Counts repetitions while a set is recorded, by the same analysis as the report's.

Every two seconds what has come so far is analysed as if the set had ended: a minute takes some
tens of milliseconds. So the count is the report's own, not that of a second, rougher method.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from analysis.sets import analyse_sets
from analysis.settings import Settings
from imu.errors import HiprotError
from imu.frames import Batch
from imu.recording import Recording
from imu.samples import Stream

EVERY_S = 2.0
SETTLED_S = 1.5  # after a repetition's end, so that the last one ends in stillness


class RepCounter:
    """Stops a recording after so many repetitions.

    Parameters
    ----------
    side : str
        ``left`` or ``right``.
    planned : int
        How many.
    settings : Settings
        The limits that the report will use: they decide what counts.
    calibration : Recording or None
        The session's trunk lean, where there is one.
    """

    def __init__(
        self, side: str, planned: int, settings: Settings, calibration: Recording | None = None
    ) -> None:
        self.side = side
        self.planned = planned
        self.settings = settings
        self.calibration = calibration
        self.counted = 0
        self._rows: dict[str, list[tuple[float, ...]]] = {}

    def take(self, batch: Batch) -> None:
        """Take samples as they are written."""
        rows = self._rows.setdefault(batch.segment, [])
        rows.extend((s.time_s, *s.acc_ms2, *s.gyr_rads, batch.arrival_s) for s in batch.samples)

    async def watch(self, stop: asyncio.Event, say: Callable[[str], None]) -> None:
        """Count until there are enough, then stop the recording; without counting it goes on."""
        while self.counted < self.planned:
            await asyncio.sleep(EVERY_S)
            tables = {segment: list(rows) for segment, rows in self._rows.items()}
            if not tables.keys() >= {"pelvis", "thigh"}:
                continue  # the set has not begun
            try:
                counted = await asyncio.to_thread(self._count, tables)
            except Exception as error:  # a defect of the analysis must not cost the recording
                found = f"{type(error).__name__}: {error}"
                say(f"Repetitions cannot be counted ({found}). End the set yourself.")
                return
            if counted > self.counted:
                self.counted = counted
                say(f"{counted} of {self.planned} repetitions.")
        stop.set()

    def _count(self, tables: dict[str, list[tuple[float, ...]]]) -> int:
        """Count whole repetitions that have settled; 0 while there is too little to tell."""
        streams = {segment: _stream(segment, rows) for segment, rows in tables.items()}
        recording = Recording(self.side, self.side, f"{self.side}.csv", streams)
        try:
            (found,) = analyse_sets([recording], self.settings, self.calibration)
        except HiprotError:
            return 0
        last_s = float(found.angles.time_s[-1]) - SETTLED_S
        return sum(rep.verdict != "not_counted" and rep.end_s <= last_s for rep in found.reps)


def _stream(segment: str, rows: list[tuple[float, ...]]) -> Stream:
    table = np.array(rows)
    return Stream(segment, table[:, 0], table[:, 1:4], table[:, 4:7], table[:, 7])
