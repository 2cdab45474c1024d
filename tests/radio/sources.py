"""What a virtual sensor measures, by the seconds since the first of them began to stream."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from imu.frames import Vector

GRAVITY = 9.80665
COLUMNS = ("acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z")

Source = Callable[[float], tuple[Vector, Vector]]


class Play:
    """When the play began: at the first sample of any sensor, so that all play together."""

    def __init__(self, lead_s: float = 0.0) -> None:
        self._lead_s = lead_s
        self._began_s: float | None = None

    def elapsed_s(self, host_s: float) -> float:
        if self._began_s is None:
            self._began_s = host_s
        return host_s - self._began_s - self._lead_s


def swing(phase: float = 0.0) -> Source:
    """A limb that swings, no two moments alike: the turn grows slowly."""

    def measure(elapsed_s: float) -> tuple[Vector, Vector]:
        angle = 0.4 * math.sin(5.0 * elapsed_s + phase)
        rate = 2.0 * math.cos(5.0 * elapsed_s + phase)
        acc = (-GRAVITY * math.sin(angle), 1e-3 * elapsed_s, GRAVITY * math.cos(angle))
        return acc, (0.0, rate, 1e-3 * elapsed_s)

    return measure


def play_set(path: Path, sensor: str) -> Source:
    """One sensor of a set's CSV, between its rows by straight lines; its ends go on."""
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["sensor"] == sensor]
    start_s = float(rows[0]["time_s"])
    times_s = [float(row["time_s"]) - start_s for row in rows]
    values = [tuple(float(row[column]) for column in COLUMNS) for row in rows]

    def measure(elapsed_s: float) -> tuple[Vector, Vector]:
        after = min(max(bisect_right(times_s, elapsed_s), 1), len(times_s) - 1)
        share = (elapsed_s - times_s[after - 1]) / (times_s[after] - times_s[after - 1])
        share = min(max(share, 0.0), 1.0)
        pairs = zip(values[after - 1], values[after], strict=True)
        six = tuple(one + share * (other - one) for one, other in pairs)
        return six[:3], six[3:]

    return measure
