"""Turning that no repetition explains: small turns passed over, and how much is left in all.

A count is only as good as what it leaves out. Turns in a stiff hip may be smaller than the
smallest that counts; and where much turning lies outside all repetitions something was missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from analysis.motion.grid import GRID_HZ
from analysis.repetitions.detection import MAX_LIMIT_RAD, Phases

Array = NDArray[np.float64]

WOBBLE_DEG = 1.0  # smaller rises are breath and sway
SMALL_TURN_DEG = 2.5  # the smallest turn that is told; it stands clear of every noise seen
SMALL_SHARE = 0.4  # of the set's typical range: smaller ones are twitches of a larger turn
LASTS_S = 0.45  # above half of its height; a twitch is over sooner


@dataclass(frozen=True, slots=True)
class Leftover:
    """What lies outside the repetitions.

    Attributes
    ----------
    small_turns : int
        Turns inward and back, too small to count but like the set's.
    share : float
        Inward turning outside the repetitions against that within them.
    """

    small_turns: int
    share: float


def leftover(ir_deg: Array, first: int, phases: Sequence[Phases]) -> Leftover:
    """Find the turning outside the repetitions of a set.

    Parameters
    ----------
    ir_deg : ndarray, shape (m,)
        Internal rotation on the grid, 0 at neutral.
    first : int
        Grid index where the neutral stillness begins.
    phases : sequence of Phases
        The repetitions, at least one.
    """
    spans = [one.span() for one in phases]
    typical = float(np.median([np.ptp(ir_deg[span]) for span in spans]))
    tops, valleys = (
        find_peaks(sign * ir_deg[first:], prominence=WOBBLE_DEG)[0] + first for sign in (1.0, -1.0)
    )
    edges = np.concatenate([[first], valleys, [len(ir_deg) - 1]])
    small, outside = 0, 0.0
    for top in tops:
        if any(span.start <= top < span.stop for span in spans):
            continue
        begin, end = int(edges[edges <= top].max()), int(edges[edges >= top].min())
        near = min(float(ir_deg[spans[_nearest(spans, int(top))]][0]), float(ir_deg[top]))
        height = float(ir_deg[top]) - max(float(ir_deg[begin]), near)
        if top < spans[-1].stop:
            outside += height
        small += _is_small(ir_deg[begin : end + 1], height, typical)
    inside = float(sum(np.ptp(ir_deg[span]) for span in spans))
    return Leftover(small, outside / max(inside, 1e-9))


def _is_small(course: Array, height: float, typical: float) -> bool:
    """Whether a rise and fall is a turn like the set's, and not a twitch."""
    if not max(SMALL_TURN_DEG, SMALL_SHARE * typical) <= height <= np.rad2deg(MAX_LIMIT_RAD):
        return False
    top = float(course.max())
    return int((course > top - 0.5 * height).sum()) >= LASTS_S * GRID_HZ


def _nearest(spans: Sequence[slice], at: int) -> int:
    return int(np.argmin([abs(0.5 * (span.start + span.stop) - at) for span in spans]))
