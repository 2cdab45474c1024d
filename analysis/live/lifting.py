"""Whether the person is lifting the knee, as a marker asked for."""

from __future__ import annotations

import math

from analysis.motion.lift import EARLY_S, LASTS_S, WITHIN_S
from imu.units import RAD_PER_DEG

MOVES_RADS = 3.0 * RAD_PER_DEG  # of the thigh, faster than sway
OVER_S = 1.0  # still for so long: the lift is over, what comes now is a turn


class LiftWatch:
    """Tells a lift from the moment its marker is set."""

    def __init__(self) -> None:
        self.marked = False
        self._marked_s = math.inf
        self._begun_s = self._moved_s = math.inf

    def mark(self, time_s: float) -> None:
        """Take the marker of a lift."""
        self.marked = True
        self._marked_s, self._begun_s, self._moved_s = time_s, math.inf, math.inf

    def step(self, time_s: float, thigh_rads: float) -> bool:
        """Whether the knee is being lifted, given how fast the thigh turns."""
        moves = thigh_rads > MOVES_RADS
        if moves and self._begun_s == math.inf:
            if -EARLY_S <= time_s - self._marked_s <= WITHIN_S:
                self._begun_s = self._moved_s = time_s
        elif moves and time_s - self._moved_s < OVER_S:
            self._moved_s = time_s
        begun = time_s - self._begun_s < LASTS_S and self._begun_s < math.inf
        return begun and time_s - self._moved_s < 0.2
