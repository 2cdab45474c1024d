"""What the person is shown, at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PHASES = ("still", "lift", "inward", "hold", "return")


@dataclass(frozen=True, slots=True)
class Last:
    """The last repetition that is over, as the report will have it."""

    rep: int
    rom_deg: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Motion:
    """The message ``motion``; angles in degrees.

    Attributes
    ----------
    time_s : float
        On the set's common time.
    ir_deg, speed_deg_s : float
        Internal rotation against the neutral, and how fast it grows.
    phase : str
        One of `PHASES`.
    reps : int
        Repetitions that are over and count.
    sure : bool
        Whether the angles rest on an axis of the person's own, and both sensors stream.
    pelvis_tilt_deg, pelvis_obliquity_deg, pelvis_rotation_deg : float
        Against the neutral.
    cue : str or None
        What to tell the person: a code of `analysis.live.cues`.
    last : Last or None
        The last repetition that is over.
    taken_monotonic_s : float
        Arrival of the newest sample in it, by the host's monotonic clock.
    """

    time_s: float
    ir_deg: float
    speed_deg_s: float
    phase: str
    reps: int
    sure: bool
    pelvis_tilt_deg: float
    pelvis_obliquity_deg: float
    pelvis_rotation_deg: float
    cue: str | None
    last: Last | None
    taken_monotonic_s: float

    def as_message(self) -> dict[str, Any]:
        """Lay it out as the socket's message."""
        last = self.last
        told = {"rep": last.rep, "rom_deg": last.rom_deg, "verdict": last.verdict} if last else None
        return {
            "type": "motion",
            "time_s": self.time_s,
            "ir_deg": self.ir_deg,
            "speed_deg_s": self.speed_deg_s,
            "phase": self.phase,
            "reps": self.reps,
            "sure": self.sure,
            "pelvis_tilt_deg": self.pelvis_tilt_deg,
            "pelvis_obliquity_deg": self.pelvis_obliquity_deg,
            "pelvis_rotation_deg": self.pelvis_rotation_deg,
            "cue": self.cue,
            "last": told,
            "taken_monotonic_s": self.taken_monotonic_s,
        }
