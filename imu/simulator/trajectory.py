"""One angle or position over time, exact at any instant: minimum-jerk steps and slow waves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from imu.samples import Array

CHANNELS = (
    *("ir", "flexion", "adduction", "tilt", "obliquity", "rotation"),
    *("forward_m", "right_m"),
    *("knee", "give", "twist"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A minimum-jerk change by ``amount``, from ``start_s`` on, within ``duration_s``."""

    start_s: float
    duration_s: float
    amount: float


@dataclass(frozen=True, slots=True)
class Wave:
    """A sine."""

    amplitude: float
    frequency_hz: float
    phase_rad: float


@dataclass(slots=True)
class Track:
    """The sum of steps and waves; 0 before the first step, waves apart."""

    steps: list[Step] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)

    def at(self, time_s: Array) -> Array:
        """Value at sorted instants."""
        finished = np.zeros(len(time_s) + 1)
        value = np.zeros(len(time_s))
        for step in self.steps:
            ends = (step.start_s, step.start_s + step.duration_s)
            first, last = np.searchsorted(time_s, ends)
            done = (time_s[first:last] - step.start_s) / step.duration_s
            value[first:last] += step.amount * minimum_jerk(done)
            finished[last] += step.amount
        value += np.cumsum(finished)[:-1]
        for wave in self.waves:
            angle = 2 * np.pi * wave.frequency_hz * time_s + wave.phase_rad
            value += wave.amplitude * np.sin(angle)
        return value


def minimum_jerk(done: Array) -> Array:
    """Fraction of the way at a fraction of the time (Flash and Hogan 1985, J Neurosci 5:1688)."""
    return np.asarray(done**3 * (10 - 15 * done + 6 * done**2))


SKIN_STEP_S = 0.01
SKIN_SMOOTH_S = 0.05  # tissue has mass: it does not change its speed at once


def skin_slip(
    turn: Callable[[Array], Array], share: float, lag_s: float, play_deg: float, end_s: float
) -> Callable[[Array], Array]:
    """What a sensor on the skin turns more than the bone below it (less: negative) [deg].

    Parameters
    ----------
    turn : callable
        The bone's turn [deg] at sorted instants.
    share : float
        Of the bone's turn that the skin follows.
    lag_s : float
        By how much it trails.
    play_deg : float
        Half-width of a play: the skin stays behind by so much whichever way the bone turns.
    end_s : float
        Where the course ends.
    """
    time_s = np.arange(-1.0, end_s + 1.0, SKIN_STEP_S)
    pulled = share * turn(time_s - lag_s)
    followed = np.empty_like(pulled)
    at = pulled[0]
    for index, value in enumerate(pulled):
        at = min(max(at, value - play_deg), value + play_deg)
        followed[index] = at
    smooth = gaussian_filter1d(followed, SKIN_SMOOTH_S / SKIN_STEP_S, mode="nearest")
    spline = CubicSpline(time_s, smooth)
    return lambda instants: np.asarray(spline(instants)) - turn(instants)
