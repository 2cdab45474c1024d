"""Settings and a seed -> the set as planned: tracks of every angle and when each phase runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imu.simulator.settings import DrillSettings
from imu.simulator.trajectory import CHANNELS, Step, Track, Wave

HIP = ("ir", "flexion", "adduction")
PELVIS = ("tilt", "obliquity", "rotation")
KNEE = {"knee": "knee_bends_deg", "give": "knee_gives_deg", "twist": "knee_twists_deg"}
BREATH_HZ = 0.25
TWITCH_S = 0.3
CALIBRATION_STILL_S = 3.0


@dataclass(frozen=True, slots=True)
class PlannedRep:
    """When a repetition's turns run: from rest to rest, including all stages."""

    inward_start_s: float
    inward_end_s: float
    return_start_s: float
    return_end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A set as planned.

    Attributes
    ----------
    tracks : Mapping of str to Track
        By channel.
    reps : tuple of PlannedRep
        In order; the last one may run beyond ``end_s`` where the set is broken off.
    still_s : tuple of float
        Start and end of the still moment before the first repetition: the neutral.
    end_s : float
        Where the recording ends.
    lift_s : float or None
        The moment of the ``lift`` marker, where the knee is lifted first.
    """

    tracks: Mapping[str, Track]
    reps: tuple[PlannedRep, ...]
    still_s: tuple[float, float]
    end_s: float
    lift_s: float | None = None


class Planner:
    """Lays movements one after the other onto the tracks."""

    def __init__(self, settings: DrillSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.rng = rng
        self.now_s = 0.0
        self.tracks = {name: Track() for name in CHANNELS}
        self.value = dict.fromkeys(CHANNELS, 0.0)
        self.signs = dict.fromkeys((*HIP[1:], *PELVIS), 1.0)
        if settings.mixed_signs:
            self.signs = {name: float(rng.choice([-1.0, 1.0])) for name in self.signs}

    def wait(self, duration_s: float) -> None:
        """Stay where one is."""
        self.now_s += duration_s

    def move(
        self, duration_s: float, targets: Mapping[str, float], late: float = 0, early: float = 0
    ) -> None:
        """Go to the targets; the pelvis trails, joins ``late`` or finishes ``early``."""
        for name, target in targets.items():
            start_s, step_s = self.now_s, duration_s
            if name in PELVIS:
                start_s += self.settings.pelvis_lag_s + late * duration_s
                step_s *= 1 - late - early
            amount = target - self.value[name]
            self.tracks[name].steps.append(Step(start_s, step_s, amount))
            self.value[name] = target
        self.now_s += duration_s

    def vary(self, value: float) -> float:
        """Draw about a value, within two and a half standard deviations and never below a fifth."""
        deviation = float(np.clip(self.rng.standard_normal(), -2.5, 2.5))
        return value * max(0.2, 1 + self.settings.variation * deviation)

    def toward(
        self, fraction: float, rest: dict[str, float], far: dict[str, float]
    ) -> dict[str, float]:
        """Targets a fraction of the way from rest to the end range."""
        return {name: rest[name] + fraction * (far[name] - rest[name]) for name in far}

    def fidget(self, duration_s: float) -> None:
        """Move irregularly by 5 to 20 degrees, never still for long, and back."""
        end_s, home = self.now_s + duration_s, dict(self.value)
        while self.now_s < end_s:
            direction = self.rng.standard_normal(3)
            direction *= self.rng.uniform(5, 20) / np.linalg.norm(direction)
            pelvis = self.rng.uniform(-4, 4, 3)
            amounts = dict(zip((*HIP, *PELVIS), (*direction, *pelvis), strict=True))
            targets = {name: home[name] + float(amount) for name, amount in amounts.items()}
            self.move(float(self.rng.uniform(0.3, 1.2)), targets)
            self.wait(float(self.rng.uniform(0, 0.5)))
        if duration_s > 0:
            self.move(0.8, {name: home[name] for name in (*HIP, *PELVIS)})


def plan_set(settings: DrillSettings, rng: np.random.Generator) -> Plan:
    """Plan a whole set: fidgeting, stillness, repetitions, stillness, fidgeting."""
    planner = Planner(settings, rng)
    _add_waves(planner)
    planner.fidget(settings.fidget_before_s)
    still = (planner.now_s, planner.now_s + settings.still_before_s)
    planner.wait(settings.still_before_s)
    lift_s = _plan_lifts(planner)
    if lift_s is not None:
        still = (planner.now_s, planner.now_s + settings.still_after_lift_s)
        planner.wait(settings.still_after_lift_s)
    reps = tuple(_plan_rep(planner, number) for number in range(1, settings.reps + 1))
    last = reps[-1]
    if settings.broken_off > 0:
        whole_s = last.return_end_s - last.inward_start_s
        end_s = last.inward_start_s + settings.broken_off * whole_s
        return Plan(planner.tracks, reps, still, end_s, lift_s)
    planner.wait(settings.still_after_s)
    planner.fidget(settings.fidget_after_s)
    return Plan(planner.tracks, reps, still, planner.now_s, lift_s)


def _plan_lifts(planner: Planner) -> float | None:
    """Lift the knee and set it down, so many times; gives the marker's time."""
    settings = planner.settings
    if not settings.lifts:
        return None
    marker_s = planner.now_s
    planner.wait(float(planner.rng.uniform(0.5, 1.5)))
    home = dict(planner.value)
    for _ in range(settings.lifts):
        up = {
            "flexion": home["flexion"] + planner.vary(settings.lift_deg),
            "ir": home["ir"] + planner.vary(settings.lift_ir_deg),
            "adduction": home["adduction"] + planner.vary(settings.lift_adduction_deg),
            "tilt": home["tilt"] + planner.vary(settings.lift_tilt_deg),
        }
        up["knee"] = home["knee"] + up["flexion"] - home["flexion"]  # the shank hangs on
        planner.move(planner.vary(1.0), up)
        planner.wait(0.2)
        planner.move(planner.vary(1.0), {name: home[name] for name in up})
        planner.wait(0.2)
    return marker_s


def plan_leans(
    settings: DrillSettings, rng: np.random.Generator, still_s: float = CALIBRATION_STILL_S
) -> Plan:
    """Plan the calibration: still for 3 s, then lean the trunk forward and back three times.

    The pelvis tilts, the hip flexes with it, so that the thigh stays on the bench.
    """
    planner = Planner(settings, rng)
    _add_waves(planner)
    planner.wait(still_s)
    for _ in range(3):
        lean_deg = float(rng.uniform(18, 28))
        planner.move(1.2, {"tilt": lean_deg, "flexion": lean_deg})
        planner.wait(0.3)
        planner.move(1.2, {"tilt": 0.0, "flexion": 0.0})
        planner.wait(0.3)
    planner.wait(1.0)
    return Plan(planner.tracks, (), (0.0, still_s), planner.now_s)


def _plan_rep(planner: Planner, number: int) -> PlannedRep:
    settings = planner.settings
    rest = {name: planner.value[name] for name in (*HIP, *PELVIS, *KNEE)}
    far = _end_range(planner, number)
    start_s = planner.now_s
    _turn_in(planner, rest, far)
    inward_end_s = planner.now_s
    for _ in range(settings.bounces):
        back = settings.bounce_deg * planner.rng.uniform(0.8, 1.2)
        fraction = 1 - back / (far["ir"] - rest["ir"])
        planner.move(settings.bounce_s, planner.toward(fraction, rest, far))
        planner.move(settings.bounce_s, far)
    planner.wait(planner.vary(settings.hold_s))
    return_start_s = planner.now_s
    home = _home(planner, number)
    runs_on = settings.overshoot_deg > 0 and settings.overshoot_pause_s == 0
    target = home | {"ir": home["ir"] - settings.overshoot_deg} if runs_on else home
    planner.move(planner.vary(settings.return_s), target, early=settings.pelvis_late)
    rep = PlannedRep(start_s, inward_end_s, return_start_s, planner.now_s)
    if number < settings.reps or settings.overshoot_deg > 0:
        _between(planner, home["ir"], last=number == settings.reps)
    return rep


def _end_range(planner: Planner, number: int) -> dict[str, float]:
    """Where this repetition turns to, in every channel."""
    settings = planner.settings
    beyond = number - settings.pelvis_from_rep
    pelvis_factor = 1 + settings.pelvis_growth * beyond if beyond >= 0 else 0.2
    amounts = {name: getattr(settings, f"hip_{name}_deg") for name in HIP[1:]}
    amounts |= {name: pelvis_factor * getattr(settings, f"pelvis_{name}_deg") for name in PELVIS}
    far = {name: planner.vary(planner.signs[name] * value) for name, value in amounts.items()}
    far |= {name: getattr(settings, setting) for name, setting in KNEE.items()}
    return {"ir": planner.value["ir"] + planner.vary(settings.range_deg), **far}


def _home(planner: Planner, number: int) -> dict[str, float]:
    """Where this repetition's return ends: about neutral, which may drift."""
    settings, rng = planner.settings, planner.rng
    drifted = settings.neutral_drift_deg * number / settings.reps
    home = {name: float(rng.normal(0, settings.return_error_deg)) for name in HIP}
    home["ir"] += drifted
    residual = settings.pelvis_residual_deg / np.sqrt(3)
    home |= {name: float(rng.normal(0, residual)) for name in PELVIS}
    return home | dict.fromkeys(KNEE, 0.0)


def _turn_in(planner: Planner, rest: dict[str, float], far: dict[str, float]) -> None:
    """Turn in, at once or with a stop about half-way."""
    settings = planner.settings
    duration_s = planner.vary(settings.inward_s)
    if settings.stage_stop_s == 0:
        planner.move(duration_s, far, late=settings.pelvis_late)
        return
    fraction = float(planner.rng.uniform(0.4, 0.6))
    planner.move(fraction * duration_s, planner.toward(fraction, rest, far))
    planner.wait(settings.stage_stop_s * float(planner.rng.uniform(0.7, 1.3)))
    planner.move((1 - fraction) * duration_s, far)


def _between(planner: Planner, home_ir: float, last: bool) -> None:
    """Pause at neutral, with what disturbs it."""
    settings = planner.settings
    if settings.overshoot_deg > 0:
        planner.wait(settings.overshoot_pause_s)
        if settings.overshoot_pause_s > 0:
            planner.move(0.8, {"ir": home_ir - settings.overshoot_deg})
        planner.move(0.8, {"ir": home_ir})
    if last:
        return
    planner.wait(planner.vary(settings.pause_s))
    if settings.twitch_deg > 0:
        planner.move(TWITCH_S, {"ir": home_ir + planner.vary(settings.twitch_deg)})
        planner.move(TWITCH_S, {"ir": home_ir})
        planner.wait(planner.vary(settings.pause_s))


def _add_waves(planner: Planner) -> None:
    """Breathing, slow wander and postural sway."""
    settings, rng = planner.settings, planner.rng

    def wave(channel: str, amplitude: float, low_hz: float, high_hz: float) -> None:
        phase = float(rng.uniform(0, 2 * np.pi))
        one = Wave(amplitude, float(rng.uniform(low_hz, high_hz)), phase)
        if amplitude > 0:
            planner.tracks[channel].waves.append(one)

    wave("tilt", settings.breathing_deg, 0.9 * BREATH_HZ, 1.1 * BREATH_HZ)
    for channel in (*HIP, *PELVIS):
        wave(channel, settings.wander_deg, 0.015, 0.05)
    for channel in PELVIS:
        wave(channel, 0.6 * settings.sway_deg, 0.1, 0.25)
        wave(channel, 0.4 * settings.sway_deg, 0.25, 0.4)
    for channel in ("forward_m", "right_m"):
        wave(channel, settings.sway_m, 0.1, 0.4)
