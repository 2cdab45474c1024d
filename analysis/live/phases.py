"""Angle so far -> the phase the person is in, and how fast they turn.

The report finds phases by looking back; here they are told as they begin. A change shows in the
speed first, so speeds decide, and levels keep what looks like a change from being one: a stop
half-way in is no hold, a bounce no return, a swing back from beyond the neutral no turn. How large
and fast a turn is follows the person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from analysis.motion.grid import GRID_HZ
from analysis.repetitions.measures import Repetition

SPAN = 5  # grid steps over which the speed is taken: 0.1 s
SURE = 2  # grid steps that a speed has to last
SPEED_SHARE = 0.06  # of a phase's peak speed: the report's 5 %, and a little for noise
LEAST_DEG_S, MOST_DEG_S = 0.3, 2.5  # limits of what counts as turning
REST_S = 0.3  # how fast the level of rest follows, and what has to pass before it does
WOBBLE_DEG = 1.0
TWITCH_DEG = 4.0  # what turns back below it was no repetition
STOP_BELOW = 0.65  # of the usual range: a stop below is one half-way
STOP_S = 1.0  # and lasts so long at most
BACK_BELOW = 0.35  # of the turn in: a stop below is the return's end
SNAP_SHARE, SNAP_PART = 0.35, 0.08  # of the usual speed, in so much of the usual time: a bounce
FALLS_S = 0.08  # a fall from the end range lasts so long before it is one
ASIDE_SHARE, ASIDE_DEG = 1.5, 4.0  # of the turn: what moves further off the axis is no turn
LOW_S, LOW_SHARE, LOW_DEG = 0.8, 0.3, 2.0  # a stop so long and low is rest: of the usual range
BOUNCE_DEG, BOUNCE_SHARE = 4.0, 0.15  # a fall by more is a return, however it began


@dataclass(frozen=True, slots=True)
class Usual:
    """How the person turns: range [deg], peak speeds [deg/s], how long a return takes [s].

    A range and a time of 0 are not known.
    """

    range_deg: float = 0.0
    inward_deg_s: float = 20.0
    return_deg_s: float = 20.0
    return_s: float = 0.0


def usual_of(reps: Sequence[Repetition]) -> Usual | None:
    """How a person turns, from repetitions that are over; None where they do not tell."""
    ranges = [rep.rom_deg for rep in reps if rep.rom_deg is not None]
    inward = [v for rep in reps if (v := rep.peak_inward_speed_deg_s) is not None]
    back = [v for rep in reps if (v := rep.peak_return_speed_deg_s) is not None]
    lasted = [v for rep in reps if (v := rep.return_s) is not None]
    if not (ranges and inward and back and lasted):
        return None
    return Usual(median(ranges), median(inward), median(back), median(lasted))


class Phaser:
    """Tells the phase, instant by instant.

    Attributes
    ----------
    phase : str
        ``still``, ``inward``, ``hold`` or ``return``.
    speed_deg_s : float
        Of the internal rotation, over the last tenth of a second.
    usual : Usual
        To be set as repetitions are known.
    """

    def __init__(self) -> None:
        self.phase = "still"
        self.speed_deg_s = 0.0
        self.usual = Usual()
        self._base_deg = 0.0  # where the person rests, or the turn began
        self._low_deg = 0.0  # the lowest since the last rest
        self._top_deg = 0.0  # the highest of the turn
        self._peak_deg_s = 0.0  # of the phase
        self._aside_deg = self._rest_aside_deg = 0.0  # how far the rest of the body moved; at rest
        self._since_s = 0.0
        self._past: deque[tuple[float, float]] = deque(maxlen=SPAN + 1)
        self._fast = self._slow = 0
        self._falls = 0  # grid steps since a fall from the end range began
        self._bounces = False
        self._after: dict[str, Callable[[float], str]] = {
            "still": self._still,
            "inward": self._inward,
            "hold": self._hold,
            "return": self._return,
        }

    def shift(self, by_deg: float) -> None:
        """Take over that all angles are now told higher."""
        self._past = deque(((t, ir + by_deg) for t, ir in self._past), maxlen=SPAN + 1)
        self._base_deg += by_deg
        self._low_deg += by_deg
        self._top_deg += by_deg

    def settle(self, known_s: float) -> None:
        """Take over that the person was at rest at some time, as an analysis saw it."""
        if self.phase != "still" and self._since_s < known_s:
            self._turn_to("still", known_s)
            self._base_deg = self._low_deg = min((ir for _, ir in self._past), default=0.0)

    def step(self, time_s: float, ir_deg: float, aside_deg: float = 0.0) -> str:
        """Take the next instant; give its phase.

        Parameters
        ----------
        time_s : float
            On the set's common time.
        ir_deg : float
            Internal rotation.
        aside_deg : float
            How far hip and pelvis are from their neutral in all other planes.
        """
        self._aside_deg = aside_deg
        self._past.append((time_s, ir_deg))
        first_s, first_deg = self._past[0]
        lasted_s = time_s - first_s
        self.speed_deg_s = (ir_deg - first_deg) / lasted_s if lasted_s > 0.0 else 0.0
        now = self._after[self.phase](ir_deg)
        if now != self.phase:
            self._turn_to(now, time_s)
        return self.phase

    def _turn_to(self, phase: str, time_s: float) -> None:
        self.phase, self._since_s = phase, time_s
        self._peak_deg_s, self._fast, self._slow, self._falls = 0.0, 0, 0, 0
        self._bounces = False
        if phase == "return":
            self._low_deg = self._past[-1][1]

    def _strays(self, rise_deg: float) -> bool:
        """Whether the body moves more in other planes than it turns: fidgeting."""
        aside = abs(self._aside_deg - self._rest_aside_deg)
        return aside > ASIDE_SHARE * max(rise_deg, 0.0) + ASIDE_DEG

    def _lasting(self, fast: bool, slow: bool) -> None:
        self._fast = self._fast + 1 if fast else 0
        self._slow = self._slow + 1 if slow else 0

    def _still(self, ir: float) -> str:
        """At rest: a speed inward that lasts begins a turn, unless it only comes back to rest."""
        limit = _limit(self.usual.inward_deg_s)
        self._lasting(self.speed_deg_s > limit, abs(self.speed_deg_s) < limit)
        self._low_deg = min(self._low_deg, ir)
        if self._slow > REST_S * GRID_HZ:
            self._base_deg += (ir - self._base_deg) / (REST_S * GRID_HZ)
            self._low_deg, self._rest_aside_deg = ir, self._aside_deg
        beyond = self._low_deg < self._base_deg - 1.5 * WOBBLE_DEG
        if self._fast >= SURE and (not beyond or ir > self._base_deg + WOBBLE_DEG):
            self._top_deg = ir
            return "still" if self._strays(ir - self._base_deg) else "inward"
        return "still"

    def _inward(self, ir: float) -> str:
        """Turning in, until it is slow at the end range or turns back."""
        self._peak_deg_s = max(self._peak_deg_s, self.speed_deg_s)
        self._top_deg = max(self._top_deg, ir)
        limit = _limit(self._peak_deg_s)
        self._lasting(self.speed_deg_s < -limit, self.speed_deg_s < limit)
        rise = ir - self._base_deg
        if self._strays(rise):
            return self._rest(ir, False)
        half_way = rise < STOP_BELOW * self.usual.range_deg
        if self._fast >= SURE:
            twitch = self._top_deg - self._base_deg < TWITCH_DEG
            return self._rest(ir, False) if twitch or half_way else "return"
        if self._slow > REST_S * GRID_HZ and rise < min(TWITCH_DEG, 0.3 * self.usual.range_deg):
            return self._rest(ir, False)
        if self._slow >= SURE and not (half_way and self._slow < STOP_S * GRID_HZ):
            return "hold" if rise > 3.0 * WOBBLE_DEG else self._rest(ir, False)
        return "inward"

    def _hold(self, ir: float) -> str:
        """At the end range, until it is left; a snap back by little is a bounce."""
        self._top_deg = max(self._top_deg, ir)
        speed, usual = -self.speed_deg_s, self.usual
        falls = speed > _limit(usual.return_deg_s)
        self._lasting(falls, abs(self.speed_deg_s) < LEAST_DEG_S)
        if self._slow > LOW_S * GRID_HZ and ir < max(LOW_SHARE * usual.range_deg, LOW_DEG):
            return self._rest(ir, True)
        self._falls = self._falls + 1 if falls else 0
        snaps = speed > SNAP_SHARE * usual.return_deg_s
        if not falls:
            self._bounces = False
        elif snaps and self._falls < SNAP_PART * usual.return_s * GRID_HZ:
            self._bounces = True
        fallen = self._top_deg - ir
        if self._bounces and fallen < max(BOUNCE_DEG, BOUNCE_SHARE * usual.range_deg):
            return "hold"
        return "return" if self._fast > FALLS_S * GRID_HZ else "hold"

    def _return(self, ir: float) -> str:
        """Turning back, until it is slow near where the turn began."""
        speed = -self.speed_deg_s
        self._peak_deg_s = max(self._peak_deg_s, speed)
        limit = _limit(self._peak_deg_s)
        self._lasting(speed < -limit, speed < limit)
        rise = max(self._top_deg - self._base_deg, WOBBLE_DEG)
        level = ir - self._base_deg
        self._low_deg = min(self._low_deg, ir)
        risen = ir > self._low_deg + 0.5 * WOBBLE_DEG
        if risen and self._fast >= SURE and level > 0.5 * rise:
            return "hold"
        if self._slow >= SURE and (level < BACK_BELOW * rise or self._slow > STOP_S * GRID_HZ):
            return self._rest(ir, True)
        return "return"

    def _rest(self, ir: float, here: bool) -> str:
        """Come to rest, here or where it was before."""
        if here:
            self._base_deg = ir
        self._low_deg = min(ir, self._base_deg)
        return "still"


def _limit(peak_deg_s: float) -> float:
    """Speed below which a phase of some peak speed is over."""
    return min(max(SPEED_SHARE * peak_deg_s, LEAST_DEG_S), MOST_DEG_S)
