"""A simulated visit: the sets of both sides with the same sensors, markers, and the trunk lean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, replace

import numpy as np

from imu.errors import CallError
from imu.recording import Event, Recording, Session, SessionInfo
from imu.simulator.drill import CALIBRATION_STILL_S, plan_leans
from imu.simulator.faults import Fault
from imu.simulator.sensors import sample
from imu.simulator.settings import DrillSettings, SensorSettings
from imu.simulator.simulated_set import Truth, moved, simulate_set, wear
from imu.units import EVENT_KINDS
from imu.validation import Limits, check_limits, limited

SET_NAME = re.compile(r"(left|right)(-[1-9][0-9]*)?")


@dataclass(frozen=True, slots=True)
class Marker:
    """A person's marker: at a time, or in the middle of a repetition's end-range pause.

    Attributes
    ----------
    set_name, kind, score, text
        As in ``events.csv``.
    time_s : float or None
        On the set's common time.
    rep : int
        The repetition where there is no time.
    """

    set_name: str
    kind: str = limited(MISSING, Limits(choices=EVENT_KINDS))
    score: float | None = limited(None, Limits(0, 10))
    text: str = ""
    time_s: float | None = None
    rep: int = 1

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """A visit.

    Attributes
    ----------
    sets : Mapping of str to DrillSettings
        By the sets' names (``left``, ``right-2``), in the order they are done.
    sensors : SensorSettings
        The same sensors for all sets.
    seed : int
        Of everything random.
    info : SessionInfo
        For ``session.json``.
    markers : tuple of Marker
        For ``events.csv``.
    calibration : bool
        Whether the trunk lean is recorded.
    faults : tuple of Fault
        What goes wrong with the sets, in this order; the truth stays the body's.
    """

    sets: Mapping[str, DrillSettings]
    sensors: SensorSettings = field(default_factory=SensorSettings)
    seed: int = 0
    info: SessionInfo = field(default_factory=SessionInfo)
    markers: tuple[Marker, ...] = ()
    calibration: bool = False
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        for name in self.sets:
            if not SET_NAME.fullmatch(name) or name.endswith("-1"):
                raise CallError(f"no set can be called {name!r}. Use left, right, left-2, …")
        for marker in self.markers:
            if marker.set_name not in self.sets:
                known = ", ".join(self.sets)
                raise CallError(f"events: there is no set {marker.set_name!r}. Sets: {known}.")
        for fault in self.faults:
            if fault.set_name not in self.sets:
                known = ", ".join(self.sets)
                raise CallError(f"faults: there is no set {fault.set_name!r}. Sets: {known}.")
        if self.seed < 0:
            raise CallError(f"seed is {self.seed}. Give 0 or more.")


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSession:
    """A visit as recorded, and the truth of every set by its name."""

    session: Session
    truths: Mapping[str, Truth]


def simulate_session(name: str, settings: SessionSettings) -> SimulatedSession:
    """Simulate a visit.

    The pelvis sensor stays where it is, the thigh sensor is strapped on anew for every set, and
    every set draws its own movement.

    Raises
    ------
    CallError
        A marker that belongs to no repetition.
    """
    recordings, truths = {}, {}
    for set_name, drill in settings.sets.items():
        seed = _seed_of(settings.seed, set_name)
        side = set_name.split("-")[0]
        recordings[set_name], truths[set_name] = simulate_set(
            drill, settings.sensors, side, seed, set_name, settings.seed
        )
    for fault in settings.faults:
        recordings[fault.set_name] = fault.apply(recordings[fault.set_name])
    lean = None
    if settings.calibration:
        first, drill = next(iter(settings.sets.items()))
        lean = simulate_lean(drill, settings.sensors, first, settings.seed)
    events = tuple(_event(marker, truths[marker.set_name]) for marker in settings.markers)
    events += tuple(_lift_event(name, truth) for name, truth in truths.items() if truth.plan.lift_s)
    ordered = tuple(recordings[set_name] for set_name in sorted(recordings, key=_set_order))
    return SimulatedSession(Session(name, settings.info, ordered, events, lean), truths)


def simulate_lean(
    drill: DrillSettings,
    sensors: SensorSettings,
    set_name: str,
    session_seed: int,
    still_s: float = CALIBRATION_STILL_S,
) -> Recording:
    """Simulate the calibration: still for 3 s, then three leans of the trunk, forward and back.

    The sensors are worn as in the set called ``set_name``; the thigh stays on the bench.
    """
    seed = _seed_of(session_seed, set_name)
    plan = plan_leans(drill, np.random.default_rng([seed, 100]), still_s)
    side = set_name.split("-")[0]
    motion = moved(side, 0.0, drill, plan)
    streams = {}
    for use, (segment, worn) in enumerate(
        wear(sensors, motion.sign, seed, session_seed).items(), start=101
    ):
        worn_then = replace(worn, rng=np.random.default_rng([seed, use]))  # other noise
        streams[segment] = sample(motion, segment, worn_then, sensors, plan.end_s).stream
    return Recording("calibration", "", "calibration.csv", streams)


def _seed_of(session_seed: int, set_name: str) -> int:
    """Derive a seed of its own for a set, whatever other sets there are."""
    state = np.random.SeedSequence([session_seed, *set_name.encode()]).generate_state(1)
    return int(state[0])


def _set_order(set_name: str) -> tuple[str, int]:
    side, _, number = set_name.partition("-")
    return side, int(number or 1)


def _lift_event(set_name: str, truth: Truth) -> Event:
    return Event(set_name, max((truth.plan.lift_s or 0.0) - truth.first_s, 0.0), "lift")


def _event(marker: Marker, truth: Truth) -> Event:
    time_s = marker.time_s
    if time_s is None:
        found = [row for row in truth.reps if row.rep == marker.rep]
        if not found or not np.isfinite(found[0].hold_s):
            raise CallError(
                f"events: set {marker.set_name!r} has no whole repetition {marker.rep}."
            )
        time_s = (found[0].hold_start_s + found[0].hold_end_s) / 2
    return Event(marker.set_name, time_s, marker.kind, marker.score, marker.text)
