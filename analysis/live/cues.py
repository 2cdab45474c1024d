"""What to tell the person, one thing at a time, in the drill's own words.

Movement faults are seen as they happen, against where the repetition began; what can only be told
once a repetition is over comes from the report's own analysis of it. A person reads and acts: so a
cue stays for a while, and is not nagged with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from analysis.live.pose import NEUTRAL, Angles
from analysis.repetitions.measures import Repetition
from analysis.settings import Settings
from imu.recording import Event

# Most important first: of two things the earlier is said.
CUES = (
    "stop_pain",
    "sensors",
    "other_side",
    "smaller",
    "slower",
    "level_pelvis",
    "sit_tall",
    "turn_dont_swing",
    "pause",
    "back_to_neutral",
    "well_done",
)
SHORTEST_S = 1.5
LONGEST_S = 4.0  # then it is silent, though the fault may go on
AGAIN_S = 6.0  # from a cue's end to the next of its kind
WORSE = 1.3  # times as bad as when it was said: it may be said again at once
KEPT_S = 3.0  # what is to be said waits so long for its turn
STOPPING_PAIN = 4.0
SHARP = ("sharp", "stabbing", "scharf", "stechend")
AT_REST_S = 0.6
FAST_S = 0.08  # a speed lasts so long before it is one
CUE_OF_FLAG = {
    "fast": "slower",
    "dropped": "slower",
    "no_hold": "pause",
    "bounce": "pause",
    "return_error": "back_to_neutral",
}


class Situation(NamedTuple):
    """What the person does at one instant.

    Attributes
    ----------
    time_s : float
        On the set's common time.
    angles : Angles
        As shown.
    speed_deg_s : float
        Of the internal rotation.
    phase : str
        Of the repetition.
    sure : bool
        Whether angles can be trusted.
    """

    time_s: float
    angles: Angles
    speed_deg_s: float
    phase: str
    sure: bool


class Line:
    """One line of text that changes slowly."""

    def __init__(self) -> None:
        self.cue: str | None = None
        self._since_s = 0.0
        self._severity = 0.0
        self._said: dict[str, tuple[float, float]] = {}  # when it ended, how bad it was

    def step(self, time_s: float, wanted: dict[str, float]) -> str | None:
        """Choose among what could be said, each with how bad it is (1: just worth a word)."""
        if self.cue == "stop_pain":
            return self.cue
        if "stop_pain" in wanted:  # the one thing that cannot wait for the cue before it
            self._say(time_s, "stop_pain", wanted)
        elif self.cue is not None:
            self._severity = max(self._severity, wanted.get(self.cue, 0.0))
            if time_s - self._since_s >= SHORTEST_S:
                self._next(time_s, wanted)
        else:
            self._next(time_s, wanted)
        return self.cue

    def _next(self, time_s: float, wanted: dict[str, float]) -> None:
        """Keep, replace or end what is said."""
        possible = [cue for cue in CUES if cue in wanted and self._allowed(time_s, cue, wanted)]
        goes_on = self.cue in wanted and time_s - self._since_s < LONGEST_S
        if goes_on and self.cue not in possible:
            possible = sorted([*possible, str(self.cue)], key=CUES.index)
        chosen = possible[0] if possible else None
        if chosen != self.cue:
            self._say(time_s, chosen, wanted)

    def _allowed(self, time_s: float, cue: str, wanted: dict[str, float]) -> bool:
        if cue == self.cue:
            return False
        ended_s, severity = self._said.get(cue, (-AGAIN_S, 0.0))
        return time_s - ended_s >= AGAIN_S or wanted[cue] > WORSE * severity

    def _say(self, time_s: float, cue: str | None, wanted: dict[str, float]) -> None:
        if self.cue is not None:
            self._said[self.cue] = (time_s, self._severity)
        self.cue, self._since_s = cue, time_s
        self._severity = wanted.get(cue, 0.0) if cue else 0.0


class Coach:
    """Watches the person and says what to change.

    Parameters
    ----------
    settings : Settings
        The limits, the report's own.
    planned_reps : int or None
        After so many the other side is due.
    """

    def __init__(self, settings: Settings, planned_reps: int | None = None) -> None:
        self._settings = settings
        self._planned = planned_reps
        self._line = Line()
        self._time_s = 0.0
        self._waiting: dict[str, tuple[float, float]] = {}  # until when, how bad
        self._start = NEUTRAL
        self._phase = "still"
        self._since_s = 0.0
        self._fast_since_s: float | None = None
        self.stopped = False

    def mark(self, event: Event) -> None:
        """Take a marker: pain stops the coaching, a pinch or a cramp asks for less."""
        if event.kind == "pain" and is_stopping(event):
            self.stopped = True
        elif event.kind in ("pinch", "cramp"):
            self._ask("smaller")

    def judge(self, reps: Iterable[Repetition], counted: int) -> None:
        """Say something about repetitions that are newly over; of several the last speaks."""
        for rep in reps:
            if not rep.counts:
                continue
            told = [CUE_OF_FLAG[flag] for flag in rep.flags if flag in CUE_OF_FLAG]
            for fault in told:
                self._ask(fault)
            if rep.verdict == "clean" and not told:
                self._ask("well_done")
        if self._planned is not None and counted >= self._planned:
            self._ask("other_side")

    def step(self, now: Situation, stalled: bool = False) -> str | None:
        """Choose what to say at an instant."""
        self._time_s = max(self._time_s, now.time_s)
        self._follow(now)
        wanted = {
            cue: bad for cue, (until_s, bad) in self._waiting.items() if until_s > self._time_s
        }
        if self.stopped:
            wanted["stop_pain"] = 1.0
        if stalled:
            wanted["sensors"] = 1.0
        elif now.sure:
            for fault, bad in self._faults(now).items():
                if bad > 1.0:
                    wanted[fault] = max(bad, wanted.get(fault, 0.0))
        cue = self._line.step(self._time_s, wanted)
        if cue is not None:
            self._waiting.pop(cue, None)
        return cue

    def _ask(self, cue: str) -> None:
        self._waiting[cue] = (self._time_s + KEPT_S, 1.0)

    def _follow(self, now: Situation) -> None:
        """Remember where a repetition began."""
        if now.phase != self._phase:
            self._phase, self._since_s = now.phase, now.time_s
        if now.phase == "still" and now.time_s - self._since_s < AT_REST_S:
            return
        if now.phase in ("still", "lift"):
            self._start = now.angles

    def _faults(self, now: Situation) -> dict[str, float]:
        """How bad everything is that can be seen as it happens, in its limits."""
        limits, angles, start = self._settings, now.angles, self._start
        if now.phase in ("still", "lift"):
            self._fast_since_s = None
            return self._at_rest(now)
        obliquity = abs(angles.obliquity - start.obliquity) / limits.pelvis_obliquity_limit_deg
        rotation = abs(angles.rotation - start.rotation) / limits.pelvis_rotation_limit_deg
        flexion = abs(angles.flexion - start.flexion) / limits.hip_flexion_limit_deg
        adduction = abs(angles.adduction - start.adduction) / limits.hip_adduction_limit_deg
        return {
            "level_pelvis": max(obliquity, rotation),
            "sit_tall": abs(angles.tilt - start.tilt) / limits.pelvis_tilt_limit_deg,
            "turn_dont_swing": max(flexion, adduction),
            "slower": self._too_fast(now),
        }

    def _too_fast(self, now: Situation) -> float:
        """Speed against its limit, once it lasts."""
        bad = abs(now.speed_deg_s) / self._settings.max_speed_deg_s
        if bad <= 1.0:
            self._fast_since_s = None
        elif self._fast_since_s is None:
            self._fast_since_s = now.time_s
        lasts = self._fast_since_s is not None and now.time_s - self._fast_since_s >= FAST_S
        return bad if lasts else 0.0

    def _at_rest(self, now: Situation) -> dict[str, float]:
        """Faults of sitting: leaned away from the neutral; not back where the turn began."""
        if now.time_s - self._since_s < AT_REST_S:
            return {}
        return {"sit_tall": abs(now.angles.tilt) / (2.0 * self._settings.pelvis_tilt_limit_deg)}


def is_stopping(event: Event) -> bool:
    """Whether a marker says that the set has to end: pain of 4 or more, or sharp."""
    strong = event.score is not None and event.score >= STOPPING_PAIN
    return event.kind == "pain" and (strong or any(word in event.text.lower() for word in SHARP))
