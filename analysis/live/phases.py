"""Angle so far -> the phase the person is in, and how fast they turn.

The report finds phases by looking back; here they are told as they begin. A change shows in the
speed first, so speeds decide, and levels keep what looks like a change from being one: a stop
half-way in is no hold, a wobble at rest no turn. How large and fast a turn is follows the person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from analysis.motion.grid import GRID_HZ

SPAN = 5  # grid steps over which the speed is taken: 0.1 s
SURE = 2  # grid steps that a speed has to last
SPEED_SHARE = 0.06  # of a phase's peak speed: the report's 5 %, and a little for noise
LEAST_DEG_S, MOST_DEG_S = 0.5, 2.5  # limits of what counts as turning
REST_S = 0.3  # how fast the level of rest follows
WOBBLE_DEG = 1.0
STOP_BELOW = 0.65  # of the usual range: a stop below is one half-way
STOP_S = 0.7  # and lasts so long at most
BACK_BELOW = 0.35  # of the turn in: a stop below is the return's end


@dataclass(frozen=True, slots=True)
class Usual:
    """How the person turns: range [deg] and peak speeds [deg/s]; 0 while it is not known."""

    range_deg: float = 0.0
    inward_deg_s: float = 20.0
    return_deg_s: float = 20.0


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
    base_deg : float
        Where the turn began, or the person rests.
    since_s : float
        When the phase began.
    """

    def __init__(self) -> None:
        self.phase = "still"
        self.speed_deg_s = 0.0
        self.usual = Usual()
        self.base_deg = 0.0
        self.since_s = 0.0
        self.peak_deg_s = 0.0
        self.top_deg = 0.0
        self._past: deque[tuple[float, float]] = deque(maxlen=SPAN + 1)
        self._fast = self._slow = 0
        self._after: dict[str, Callable[[float], str]] = {
            "still": self._still,
            "inward": self._inward,
            "hold": self._hold,
            "return": self._return,
        }

    def shift(self, by_deg: float) -> None:
        """Take over that all angles are now told higher."""
        self._past = deque(((t, ir + by_deg) for t, ir in self._past), maxlen=SPAN + 1)
        self.base_deg += by_deg
        self.top_deg += by_deg

    def step(self, time_s: float, ir_deg: float) -> str:
        """Take the next instant; give its phase."""
        self._past.append((time_s, ir_deg))
        first_s, first_deg = self._past[0]
        lasted_s = time_s - first_s
        self.speed_deg_s = (ir_deg - first_deg) / lasted_s if lasted_s > 0.0 else 0.0
        now = self._after[self.phase](ir_deg)
        if now != self.phase:
            self.phase, self.since_s = now, time_s
            self.peak_deg_s, self._fast, self._slow = 0.0, 0, 0
        return self.phase

    def _lasting(self, fast: bool, slow: bool) -> None:
        self._fast = self._fast + 1 if fast else 0
        self._slow = self._slow + 1 if slow else 0

    def _still(self, ir: float) -> str:
        """At rest: a speed inward that lasts begins a turn, unless it only comes back to rest."""
        limit = _limit(self.usual.inward_deg_s)
        speed = self.speed_deg_s
        self._lasting(speed > limit, abs(speed) < limit)
        if self._slow:
            self.base_deg += (ir - self.base_deg) / (REST_S * GRID_HZ)
        if self._fast >= SURE and ir > self.base_deg - WOBBLE_DEG:
            self.top_deg = ir
            return "inward"
        return "still"

    def _inward(self, ir: float) -> str:
        speed = self.speed_deg_s
        self.peak_deg_s = max(self.peak_deg_s, speed)
        self.top_deg = max(self.top_deg, ir)
        limit = _limit(self.peak_deg_s)
        self._lasting(speed < -limit, speed < limit)
        rise = ir - self.base_deg
        half_way = rise < STOP_BELOW * self.usual.range_deg
        if self._fast >= SURE:
            small = rise < WOBBLE_DEG or self.top_deg - self.base_deg < 4.0
            return "still" if small or half_way else "return"
        if self._slow >= SURE and not (half_way and self._slow < STOP_S * GRID_HZ):
            return "hold" if rise > 3.0 * WOBBLE_DEG else "still"
        return "inward"

    def _hold(self, ir: float) -> str:
        speed = self.speed_deg_s
        self.top_deg = max(self.top_deg, ir)
        self._lasting(speed < -_limit(self.usual.return_deg_s), False)
        if self._fast >= SURE:
            return "return"
        return "hold"

    def _return(self, ir: float) -> str:
        speed = -self.speed_deg_s
        self.peak_deg_s = max(self.peak_deg_s, speed)
        limit = _limit(self.peak_deg_s)
        rise = max(self.top_deg - self.base_deg, WOBBLE_DEG)
        self._lasting(speed < -limit, speed < limit)
        if self._slow >= SURE and ir - self.base_deg < BACK_BELOW * rise:
            self.base_deg = ir
            return "still"
        if self._fast >= SURE and ir - self.base_deg > 0.5 * rise:
            return "hold"
        if self._slow > STOP_S * GRID_HZ:
            self.base_deg = ir
            return "still"
        return "return"


def _limit(peak_deg_s: float) -> float:
    """Speed below which a phase of some peak speed is over."""
    return min(max(SPEED_SHARE * peak_deg_s, LEAST_DEG_S), MOST_DEG_S)
