"""Samples of both sensors as they come -> what the person is shown, some fifty times a second.

Pure: batches, markers and analyses in, values out, however the samples are cut into batches. It
settles in the still moment and learns the axis in the first turn; from then on it rests on
analyses of what has arrived (`analysis.live.adopted`), which the caller runs beside it. In between
it carries on from there. What is shown slides over to a new analysis, it does not jump.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from analysis.live.adopted import Adopted, Anchor
from analysis.live.cues import Coach, Situation
from analysis.live.grid import ArrivalClock, Feed, Row
from analysis.live.lifting import LiftWatch
from analysis.live.motion import Last, Motion
from analysis.live.phases import Phaser, usual_of
from analysis.live.pose import NEUTRAL, Angles, Carried, Joint, Worn
from analysis.live.settling import Settling
from analysis.motion.grid import GRID_HZ
from analysis.motion.lean import backward_axis
from analysis.settings import Settings
from imu.frames import Batch, Sample
from imu.recording import Event, Recording

HELD_BACK_S = 1.0  # of samples, until both clocks are known to some milliseconds
LOOK_STEPS = 10  # grid steps between two looks at the beginning
SLIDE_S = 0.8  # how slowly what is shown slides over to a new analysis
STALLED_S, TOLD_S = 1.0, 0.2  # a sensor is silent; how often that is told
ANALYSE_S, ANALYSE_SHARE = 2.0, 0.01  # between two analyses, at least; of a long set, of its length
UNDER_WAY_S = 0.4  # at its end an analysis does not see yet that a turn has begun
FIRST_ANALYSIS_S = 4.0  # of a set: what is shorter is refused
OVER_S = 0.5  # after a return an analysis tells whether it counts
BOTH = ("pelvis", "thigh")


class Tracker:
    """Follows one set while it is recorded.

    Parameters
    ----------
    side : str
        ``left`` or ``right``.
    settings : Settings
        Limits of verdicts and cues.
    calibration : Recording or None
        The session's trunk lean.
    planned_reps : int or None
        After so many the other side is due.

    Raises
    ------
    AnalysisError
        The trunk lean cannot be used.
    """

    def __init__(
        self,
        side: str,
        *,
        settings: Settings | None = None,
        calibration: Recording | None = None,
        planned_reps: int | None = None,
    ) -> None:
        self._side = side
        backward = None if calibration is None else backward_axis(calibration)
        self._settling = Settling(side, backward)
        self._coach = Coach(settings or Settings(), planned_reps)
        self._clocks: dict[str, ArrivalClock] = {}
        self._held: list[tuple[str, Sample, float, bool]] = []
        self._begun_s: dict[str, float] = {}
        self._arrival_s: dict[str, float] = {}
        self._feeds: dict[str, Feed] = {}
        self._ready: dict[str, deque[Row]] = {name: deque() for name in BOTH}
        self._next: dict[str, int] = {}
        self._now = 0
        self._carried: dict[str, Carried] = {}
        self._phaser = Phaser()
        self._joint: Joint | None = None
        self._origin_s = 0.0
        self._ahead_s = 0.0  # of the set's common time before the grid's
        self._off = NEUTRAL
        self._shown = NEUTRAL
        self._adopted: Adopted | None = None
        self._reps = 0
        self._judged_s = -math.inf
        self._last: Last | None = None
        self._lift = LiftWatch()
        self._told_s = -math.inf
        self._settled_at = -1
        self._analysed_s = FIRST_ANALYSIS_S - ANALYSE_S
        self._over_s = -math.inf
        self.dropped = 0  # samples that repeat or precede earlier ones, or are no numbers
        self.time_s = 0.0

    @property
    def stopped(self) -> bool:
        """Whether a pain marker has ended the coaching."""
        return self._coach.stopped

    def mark(self, event: Event) -> None:
        """Take a marker as it is set; its time on the set's common time."""
        if event.kind == "lift":
            self._lift.mark(event.time_s)
        self._coach.mark(event)

    def push(self, segment: str, batch: Batch) -> list[Motion]:
        """Take what one sensor sent.

        Parameters
        ----------
        segment : str
            ``pelvis`` or ``thigh``; of others only the clock is heeded.
        batch : Batch
            Its samples, in the order they were taken.

        Returns
        -------
        list of Motion
            One for every grid instant that both sensors now cover; none while nothing is new.
        """
        clock = self._clocks.setdefault(segment, ArrivalClock())
        shown: list[Motion] = []
        for sample in batch.samples:
            known = all(map(math.isfinite, (sample.time_s, *sample.acc_ms2, *sample.gyr_rads)))
            anew = clock.take(sample.time_s, batch.arrival_s) if known else None
            if anew is None:
                self.dropped += 1
                continue
            if self._feeds:
                shown += self._take(segment, sample, batch.arrival_s, anew)
            else:
                self._held.append((segment, sample, batch.arrival_s, anew))
                self._begun_s.setdefault(segment, batch.arrival_s)
                shown += self._begin(batch.arrival_s)
            self._arrival_s[segment] = batch.arrival_s
        return shown + self._silence(batch.arrival_s)

    def adopt(self, result: Adopted) -> bool:
        """Take over an analysis of what had arrived a little earlier.

        Returns
        -------
        bool
            False where it was passed over: it may rest on fidgeting, or is too old to carry on
            from. That of the whole set counts in any case.
        """
        if not self._carried or not result.begun:
            return False
        anchors = dict(zip(BOTH, (result.pelvis, result.thigh), strict=True))
        reached = all(
            self._carried[name].reaches(anchor.times_s, self._origin_s)
            for name, anchor in anchors.items()
        )
        if reached:
            self._follow(result, anchors)
        if reached or result.ended:
            self._count(result)
        return reached or result.ended

    def _follow(self, result: Adopted, anchors: dict[str, Anchor]) -> None:
        """Carry on from an analysis."""
        for name, fit in result.clocks.items():
            if name in self._clocks:
                self._clocks[name].adopt(fit)
        self._ahead_s = self._origin_s - result.origin_s
        before = self._angles()
        for name, anchor in anchors.items():
            self._carry_on(name, anchor)
        self._wear(result.pelvis.worn, result.thigh.worn, result.share, before)
        known_s = _at_rest_s(result)
        if known_s is not None:
            self._phaser.settle(known_s)

    def _count(self, result: Adopted) -> None:
        """Take over what an analysis counted, and speak of what is new."""
        fresh = [rep for rep in result.reps if rep.start_s > self._judged_s]
        self._judged_s = max((rep.end_s for rep in result.reps), default=self._judged_s)
        self._adopted = result
        self._reps = result.counted
        if result.reps:
            last = result.reps[-1]
            self._last = Last(last.rep, last.rom_deg, last.verdict)
        self._phaser.usual = usual_of(result.reps) or self._phaser.usual
        self._coach.judge(fresh, result.counted)

    def analysis_due(self) -> bool:
        """Whether it is time for another analysis of what has arrived; once told, not again."""
        least_s = max(ANALYSE_S, ANALYSE_SHARE * self.time_s)
        over = self._analysed_s < self._over_s + OVER_S <= self.time_s
        due = self.time_s - self._analysed_s >= (0.5 * least_s if over else least_s)
        if due:
            self._analysed_s = self.time_s
        return due

    def _begin(self, arrival_s: float) -> list[Motion]:
        """Begin the grid once both clocks are known, and catch up."""
        begun = [self._begun_s.get(name, math.inf) for name in BOTH]
        if arrival_s < max(begun) + HELD_BACK_S:
            return []
        held, self._held = self._held, []
        firsts: dict[str, float] = {}
        for segment, sample, _, _ in held:
            firsts.setdefault(segment, self._clocks[segment].host_s(sample.time_s))
        self._origin_s = min(firsts.values())
        self._feeds = {name: Feed(self._clocks[name], self._origin_s) for name in BOTH}
        return [one for row in held for one in self._take(*row)]

    def _take(self, segment: str, sample: Sample, arrival_s: float, anew: bool) -> list[Motion]:
        """Take one sample; show the grid instants that it completes."""
        feed = self._feeds.get(segment)
        if feed is None:
            return []
        rows = feed.take(sample, arrival_s, anew)
        if rows and segment not in self._next:
            self._next[segment] = feed.next - len(rows)
        self._ready[segment].extend(rows)
        shown = []
        while self._align():
            row = self._step(self._ready["pelvis"].popleft(), self._ready["thigh"].popleft())
            shown += [row] if row else []
        return shown

    def _align(self) -> bool:
        """Whether both sensors have a row for the next instant; both begin at the same one."""
        if not all(self._ready.values()):
            return False
        if not self._carried:
            first = max(self._next.values())
            for name in BOTH:
                while self._ready[name] and self._next[name] < first:
                    self._ready[name].popleft()
                    self._next[name] += 1
            if not all(self._ready.values()):
                return False
            self._carried = {name: Carried(first) for name in BOTH}
            self._now = first - 1
        return True

    def _step(self, pelvis: Row, thigh: Row) -> Motion | None:
        """Carry on by one grid instant."""
        self._now += 1
        self._carried["pelvis"].step(pelvis)
        self._carried["thigh"].step(thigh)
        self.time_s = max(self.time_s, self._now / GRID_HZ + self._ahead_s)
        if self._adopted is None and self._now % LOOK_STEPS == 0:
            self._settle()
        angles = self._angles()
        fade = 1.0 - 1.0 / (SLIDE_S * GRID_HZ)
        self._off = Angles(*(fade * one for one in self._off))
        self._shown = _plus(angles, self._off)
        before = self._phaser.phase
        phase = self._phaser.step(self.time_s, angles.ir, math.hypot(*angles[1:]))
        if before == "return" and phase == "still":
            self._over_s = self.time_s
        if self._lift.step(self.time_s, GRID_HZ * math.hypot(*thigh.turn_rad)):
            phase = "lift"
        if pelvis.lost or thigh.lost:
            return None
        return self._motion(phase, max(pelvis.arrival_s, thigh.arrival_s))

    def _motion(self, phase: str, arrival_s: float, stalled: bool = False) -> Motion:
        """Lay out what is shown now."""
        sure = self._adopted is not None and self._adopted.turned_in and not stalled
        shown, speed = self._shown, self._phaser.speed_deg_s
        now = Situation(self.time_s, shown, speed, phase, sure)
        return Motion(
            time_s=self.time_s,
            ir_deg=shown.ir,
            speed_deg_s=speed,
            phase=phase,
            reps=self._reps,
            sure=sure,
            pelvis_tilt_deg=shown.tilt,
            pelvis_obliquity_deg=shown.obliquity,
            pelvis_rotation_deg=shown.rotation,
            cue=self._coach.step(now, stalled),
            last=self._last,
            taken_monotonic_s=arrival_s,
        )

    def _silence(self, arrival_s: float) -> list[Motion]:
        """Say it where one sensor goes on and the other has been silent for long."""
        silent_s = arrival_s - min(self._arrival_s.get(name, arrival_s) for name in BOTH)
        if not self._carried or silent_s < STALLED_S or arrival_s < self._told_s + TOLD_S:
            return []
        self._told_s = arrival_s
        return [self._motion(self._phaser.phase, arrival_s, stalled=True)]

    def _settle(self) -> None:
        """Look at the beginning again."""
        found = self._settling.look(
            self._carried["pelvis"], self._carried["thigh"], self._lift.marked
        )
        if found is None:
            return
        before = self._angles()
        at_s = np.array([self._origin_s + found.begin / GRID_HZ])
        for name, worn, quat in zip(BOTH, (found.pelvis, found.thigh), found.quats, strict=True):
            self._carry_on(name, Anchor(worn, at_s, quat[None, :]))
        self._wear(found.pelvis, found.thigh, 1.0, before)
        if found.begin != self._settled_at:
            self._settled_at = found.begin
            self._phaser.settle(self.time_s)

    def _carry_on(self, name: str, anchor: Anchor) -> None:
        self._carried[name].carry_on(anchor.worn, anchor.times_s, anchor.quats, self._origin_s)

    def _wear(self, pelvis: Worn, thigh: Worn, share: float, before: Angles) -> None:
        """Take new axes; what is shown slides over from where it is."""
        self._joint = Joint(self._side, pelvis, thigh, share)
        after = self._angles()
        self._off = Angles(*(a + b - c for a, b, c in zip(before, self._off, after, strict=True)))
        self._phaser.shift(after.ir - before.ir)

    def _angles(self) -> Angles:
        """Angles now, by the axes now."""
        if self._joint is None:
            return NEUTRAL
        return self._joint.angles(self._carried["pelvis"].quat, self._carried["thigh"].quat)


def _plus(a: Angles, b: Angles) -> Angles:
    return Angles(*(one + other for one, other in zip(a, b, strict=True)))


def _at_rest_s(result: Adopted) -> float | None:
    """Until when the person was at rest by an analysis; None where a repetition was under way."""
    last_s = float(result.found.angles.time_s[-1]) - UNDER_WAY_S
    reps = result.found.reps
    return None if not reps or reps[-1].end_s > last_s else last_s
