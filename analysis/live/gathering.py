"""Batches as they come -> the set so far, as a recording that can be analysed."""

from __future__ import annotations

import numpy as np

from imu.frames import Batch
from imu.recording import Recording
from imu.samples import Stream

LEG = {"thigh", "shank"}


class Gathered:
    """What has come of one set.

    Parameters
    ----------
    name, side : str
        Of the set: ``left``, ``right-2``; ``calibration`` of no side.
    """

    def __init__(self, name: str, side: str) -> None:
        self.name = name
        self.side = side
        self.first_arrival_s: float | None = None
        self._rows: dict[str, list[tuple[float, ...]]] = {}

    def take(self, batch: Batch) -> None:
        """Take samples as they are written."""
        if self.first_arrival_s is None:
            self.first_arrival_s = batch.arrival_s
        self._rows.setdefault(batch.segment, []).extend(batch.rows())

    def copied(self) -> dict[str, list[tuple[float, ...]]]:
        """Copy the rows so far by segment: cheap, so that `recording_of` can run in a thread."""
        return {segment: list(rows) for segment, rows in self._rows.items()}

    def recording_of(self, rows: dict[str, list[tuple[float, ...]]]) -> Recording | None:
        """Make a recording of copied rows; None until both sides of the hip have sent."""
        if "pelvis" not in rows or not LEG & rows.keys():
            return None
        streams = {segment: _stream(segment, one) for segment, one in rows.items()}
        return Recording(self.name, self.side, f"{self.name}.csv", streams)


def _stream(segment: str, rows: list[tuple[float, ...]]) -> Stream:
    table = np.array(rows)
    return Stream(segment, table[:, 0], table[:, 1:4], table[:, 4:7], table[:, 7])
