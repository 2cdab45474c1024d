"""How the person sits before a set, from the samples that come in meanwhile."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imu.collector.activity import Activity
from imu.frames import Batch
from imu.recording import Recording
from imu.units import DEG_PER_RAD

WINDOW_S = 1.0
UPRIGHT_DEG = 10.0
REWORN_DEG = 45.0  # nobody sits so: the sensor was put on anew
STEADY_S = 1.0  # all is well for so long: the set may begin
PATIENCE_S = 30.0  # then it begins nevertheless

Array = NDArray[np.float64]


class SetupChecks:
    """Looks at the samples before a set.

    Parameters
    ----------
    pelvis_first : ndarray, shape (3,), or None
        What the pelvis sensor's accelerometer read at the session's first neutral.
    lift : bool
        Whether the lift will be asked for.
    """

    def __init__(self, pelvis_first: Array | None, lift: bool) -> None:
        self._first = pelvis_first
        self._lift = lift
        self._activity: dict[str, Activity] = {}
        self._pelvis: deque[tuple[float, ...]] = deque()
        self._last_s = 0.0
        self._begun_s: float | None = None
        self._well_since_s: float | None = None
        self.skipped = False

    def take(self, batch: Batch) -> None:
        """Take samples as they come."""
        self._last_s = batch.arrival_s
        if self._begun_s is None:
            self._begun_s = batch.arrival_s
        self._activity.setdefault(batch.segment, Activity()).add(batch.arrival_s, batch.samples)
        if batch.segment == "pelvis":
            self._pelvis.extend((batch.arrival_s, *one.acc_ms2) for one in batch.samples)
            while self._pelvis[0][0] < batch.arrival_s - WINDOW_S:
                self._pelvis.popleft()

    @property
    def seen(self) -> bool:
        """Whether samples have come."""
        return self._begun_s is not None

    def look(self) -> list[dict[str, Any]]:
        """Tell every check: well (true), not (false), or for the eye alone (null)."""
        still = {name: one.still(self._last_s, WINDOW_S) for name, one in self._activity.items()}
        restless = [name for name, one in still.items() if not one]
        moves = " and ".join(restless)
        return [
            {
                "code": "still",
                "ok": bool(still) and not restless,
                "text": f"Sit still: movement at the {moves}." if restless else "Still.",
            },
            self._sit_tall(),
            {
                "code": "thigh_level",
                "ok": None,
                "text": "Look: is the knee as high as the hip, and does the shank hang free?",
            },
            *([LIFT] if self._lift else []),
        ]

    def ready(self) -> bool:
        """Whether the set may begin."""
        if self.skipped:
            return True
        if self._begun_s is None:
            return False
        well = all(one["ok"] is not False for one in self.look())
        self._well_since_s = (self._well_since_s or self._last_s) if well else None
        steady = self._well_since_s is not None and self._last_s - self._well_since_s >= STEADY_S
        return steady or self._last_s - self._begun_s > PATIENCE_S

    def _sit_tall(self) -> dict[str, Any]:
        if self._first is None or not self._pelvis:
            return {"code": "sit_tall", "ok": None, "text": "Sit tall: this posture is the first."}
        now = np.array(self._pelvis)[:, 1:].mean(axis=0)
        off_deg = _between_deg(now, self._first)
        if off_deg > REWORN_DEG:
            said = "The pelvis sensor is worn otherwise than before; sit tall."
            return {"code": "sit_tall", "ok": None, "text": said}
        well = off_deg <= UPRIGHT_DEG
        changed = f"Sit as before: the pelvis is tilted by {off_deg:.0f}°."
        return {"code": "sit_tall", "ok": well, "text": "Sitting as before." if well else changed}


LIFT = {"code": "lift", "ok": None, "text": "You will be asked to lift the knee first."}


def neutral_reading(recording: Recording) -> Array | None:
    """Take what the pelvis' accelerometer read in a set's first second; None without one."""
    stream = recording.streams.get("pelvis")
    if stream is None or len(stream.time_s) == 0:
        return None
    first = stream.time_s <= stream.time_s[0] + WINDOW_S
    reading: Array = stream.acc_ms2[first].mean(axis=0)
    return reading


def _between_deg(a: Array, b: Array) -> float:
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norms == 0 or not math.isfinite(norms):
        return 0.0
    return DEG_PER_RAD * math.acos(max(-1.0, min(1.0, float(a @ b) / norms)))
