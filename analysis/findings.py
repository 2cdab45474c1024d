"""Measures and comparison -> what to tell the person, coded.

One finding is one thing asked of the person that went otherwise; `analysis.advice.KINDS` lists
them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.advice import KINDS
from analysis.comparison import MIN_REPETITIONS, Comparison
from analysis.repetitions.measures import Repetition
from analysis.sets import SetAnalysis
from analysis.settings import Settings
from analysis.words import PHASES, number, ranges, worse_side, worse_words
from imu.recording import Event, SessionInfo

Array = NDArray[np.float64]

UNEVEN_RANGE_SHARE = 0.10  # SD over mean; below it repetitions look alike to an observer
UNEVEN_DURATION_SHARE = 0.20
FADE_SHARE = 0.10  # loss of range from the first third of the set to the last
TREND_P = 0.05  # of Kendall's tau, one-sided; reached from four repetitions on
FEW_SHARE = 0.25  # concerning fewer of the repetitions puts a finding behind the others
FEW_PENALTY = 50
IN_FRONT = 3


@dataclass(frozen=True, slots=True)
class _Signal:
    """How a flag becomes a finding, with the largest of `columns`; `sign` 0 is both directions."""

    code: str
    flag: str
    columns: tuple[str, ...] = ()
    unit: str = "°"
    sign: int = 0


_SIGNALS = (
    _Signal("pelvis_hikes", "pelvis_obliquity", ("pelvis_obliquity_deg",), sign=1),
    _Signal("pelvis_drops", "pelvis_obliquity", ("pelvis_obliquity_deg",), sign=-1),
    _Signal("pelvis_tilts_forward", "pelvis_tilt", ("pelvis_tilt_deg",), sign=1),
    _Signal("pelvis_tilts_back", "pelvis_tilt", ("pelvis_tilt_deg",), sign=-1),
    _Signal("pelvis_rotates", "pelvis_rotation", ("pelvis_rotation_deg",)),
    _Signal("leg_swings", "hip_flexion", ("hip_flexion_deg",)),
    _Signal("leg_swings", "hip_adduction", ("hip_adduction_deg",)),
    _Signal("knee_turns", "knee_turns", ("knee_rotation_deg",)),
    _Signal("knee_straightens", "knee_straightens", ("knee_flexion_deg",), sign=-1),
    _Signal("thrown", "fast", ("peak_inward_speed_deg_s", "peak_return_speed_deg_s"), "°/s"),
    _Signal("bounce", "bounce"),
    _Signal("dropped_return", "dropped", ("peak_return_speed_deg_s",), "°/s"),
    _Signal("no_hold", "no_hold"),
    _Signal("two_stage", "two_stage"),
    _Signal("return_error", "return_error", ("return_error_deg",)),
    _Signal("overshoot", "overshoot"),
)

_DIFFERENCES = {
    "range": "side_difference_range",
    "control": "side_difference_control",
    "speed": "side_difference_speed",
}

_PLANES = ("tilt", "obliquity", "rotation")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth telling, with one plain sentence of advice.

    Attributes
    ----------
    code : str
        Stable name, documented in ``reference/findings.md``.
    side : str
        ``left``, ``right`` or ``both``.
    set_name : str
        The set concerned, or empty for several.
    reps : tuple of int
        The repetitions concerned.
    figure : float or None
        The number behind it, in ``unit``.
    unit : str
        Its unit.
    text : str
        What was seen and one sentence of advice.
    rank : int
        Smaller comes first; markers of pain outrank everything.
    """

    code: str
    side: str
    set_name: str
    reps: tuple[int, ...]
    figure: float | None
    unit: str
    text: str
    rank: int


@dataclass(frozen=True, slots=True)
class PlacedMarker:
    """A person's marker placed in the arc.

    Attributes
    ----------
    ir_deg : float or None
        The IR angle at the marker's time; None where it lies outside the set.
    rep : int
        The repetition, 0 outside repetitions.
    phase : str
        ``inward``, ``hold``, ``return``, ``between`` or ``outside``.
    """

    set_name: str
    side: str
    time_s: float
    kind: str
    score: float | None
    text: str
    ir_deg: float | None
    rep: int
    phase: str


def place_markers(events: Sequence[Event], sets: Sequence[SetAnalysis]) -> tuple[PlacedMarker, ...]:
    """Place every event in the arc: angle, repetition and phase at its time, in file order.

    An event of a set that is not there, or outside its time, keeps its place in the list with
    the phase ``outside``.
    """
    by_name = {one.name: one for one in sets}
    return tuple(_place(event, by_name.get(event.set_name)) for event in events)


def find_findings(
    sets: Sequence[SetAnalysis],
    comparisons: Sequence[Comparison],
    markers: Sequence[PlacedMarker],
    info: SessionInfo,
    settings: Settings,
) -> tuple[Finding, ...]:
    """Find all that is worth telling, most important first.

    Markers of pain, pinch and cramp come first whatever else there is; a finding that concerns
    fewer than a quarter of a set's repetitions comes after those that concern more.
    """
    found = [
        *_marker_findings(markers),
        *(one for each in sets for one in _set_findings(each, sets, info, settings)),
        *_difference_findings(comparisons),
    ]
    return tuple(sorted(found, key=lambda one: (one.rank, -len(one.reps))))


def in_front(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Choose what is put in front: at most three kinds, each with all its findings.

    The same advice for both sides, or for several sets, takes one place.
    """
    by_code: dict[str, list[Finding]] = {}
    for one in findings:
        by_code.setdefault(one.code, []).append(one)
    return list(by_code.values())[:IN_FRONT]


def _place(event: Event, one: SetAnalysis | None) -> PlacedMarker:
    ir_deg, rep, phase = None, 0, "outside"
    time_s = np.empty(0) if one is None else one.angles.time_s
    if one is not None and time_s.size and time_s[0] <= event.time_s <= time_s[-1]:
        phase = "between"
        nearest = int(np.argmin(np.abs(time_s - event.time_s)))
        if one.angles.measured[nearest]:
            found = float(np.interp(event.time_s, time_s, one.angles.ir_deg))
            ir_deg = found if np.isfinite(found) else None
        for each in one.reps:
            if each.start_s <= event.time_s <= each.end_s:
                rep, phase = each.rep, _phase(each, event.time_s)
    return PlacedMarker(
        event.set_name, _side_of(event.set_name, one), event.time_s, event.kind, event.score,
        event.text, ir_deg, rep, phase,
    )  # fmt: skip


def _side_of(set_name: str, one: SetAnalysis | None) -> str:
    return set_name.split("-")[0] if one is None else one.side


def _phase(rep: Repetition, time_s: float) -> str:
    """Return the phase at a time; a repetition without a found end range is all ``inward``."""
    if rep.hold_start_s is None or time_s < rep.hold_start_s:
        return "inward"
    return "hold" if rep.hold_end_s is None or time_s <= rep.hold_end_s else "return"


def _marker_findings(markers: Sequence[PlacedMarker]) -> Iterator[Finding]:
    by_kind: dict[tuple[str, str], list[PlacedMarker]] = {}
    for one in markers:
        if one.kind in ("pain", "pinch", "cramp"):
            by_kind.setdefault((one.kind, one.set_name), []).append(one)
    for (code, set_name), marked in by_kind.items():
        worst = max(marked, key=lambda one: -1.0 if one.score is None else one.score)
        score = "" if worst.score is None else f" ({worst.score:g} of 10)"
        times = f", {len(marked)} times; worst" if len(marked) > 1 else ""
        angle = "" if worst.ir_deg is None else f" at {number(worst.ir_deg, '°')}"
        where = (f"in repetition {worst.rep} " if worst.rep else "") + PHASES[worst.phase]
        yield Finding(
            code, worst.side, set_name, tuple(sorted({one.rep for one in marked if one.rep})),
            worst.ir_deg, "°",
            f"{worst.side.capitalize()}: {KINDS[code].seen}{times}{score}{angle} {where}. "
            f"{KINDS[code].advice}",
            KINDS[code].rank,
        )  # fmt: skip


def _set_findings(
    one: SetAnalysis, sets: Sequence[SetAnalysis], info: SessionInfo, settings: Settings
) -> Iterator[Finding]:
    several = sum(other.side == one.side for other in sets) > 1
    who = f"{one.side.capitalize()}, set {one.name}" if several else one.side.capitalize()
    counted = [rep for rep in one.reps if rep.counts]
    teller = _Teller(one, who, len(counted))
    yield from _quality_findings(one, teller)
    if one.quality.mislabelled:  # what else there is to see would be another leg's, or upside down
        return
    for signal in _SIGNALS:
        yield from _signal_findings(signal, counted, teller)
    yield from _posture_findings(one, counted, settings, teller)
    yield from _evenness_findings(counted, settings, teller)
    broken = [rep.rep for rep in one.reps if "broken_off" in rep.flags]
    if broken:
        yield teller.tell("broken_off", broken, None, "", f" (repetition {ranges(broken)})")
    if info.planned_reps is not None and len(counted) < info.planned_reps:
        detail = f", {len(counted)} of {info.planned_reps}"
        yield teller.tell("fewer_reps", [], len(counted), "", detail)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Makes the findings of one set: who it is about, and of how many counted repetitions."""

    one: SetAnalysis
    who: str
    counted: int

    def tell(
        self, code: str, reps: Sequence[int], figure: float | None, unit: str, detail: str
    ) -> Finding:
        kind = KINDS[code]
        few = 0 < len(reps) < FEW_SHARE * self.counted
        return Finding(
            code, self.one.side, self.one.name, tuple(reps), figure, unit,
            f"{self.who}: {kind.seen}{detail}. {kind.advice}",
            kind.rank + (FEW_PENALTY if few else 0),
        )  # fmt: skip


def _quality_findings(one: SetAnalysis, teller: _Teller) -> Iterator[Finding]:
    if one.quality.grade == "poor":
        reason = one.quality.reasons[0].rstrip(".") if one.quality.reasons else ""
        yield teller.tell("data_poor", [], None, "", f": {reason}" if reason else "")


def _signal_findings(
    signal: _Signal, counted: Sequence[Repetition], teller: _Teller
) -> Iterator[Finding]:
    flagged = [rep for rep in counted if signal.flag in rep.flags]
    concerned = {rep.rep: _largest(rep, signal.columns) for rep in flagged}
    if signal.sign:
        concerned = {rep: v for rep, v in concerned.items() if v and v * signal.sign > 0}
    if not concerned:
        return
    values = [value for value in concerned.values() if value is not None]
    worst = max(values, key=abs, default=None)
    detail = " " + _when(list(concerned), [rep.rep for rep in counted])
    if worst is not None:
        detail += f", up to {number(abs(worst), signal.unit)}"
    yield teller.tell(signal.code, list(concerned), worst, signal.unit, detail)


def _largest(rep: Repetition, columns: Sequence[str]) -> float | None:
    values = [getattr(rep, column) for column in columns]
    return max((value for value in values if value is not None), key=abs, default=None)


def _when(concerned: Sequence[int], counted: Sequence[int]) -> str:
    """Say in which of the counted repetitions: all, from one on, or which."""
    if len(counted) > 1 and len(concerned) == len(counted):
        return "in every repetition"
    if len(concerned) > 1 and list(concerned) == list(counted[-len(concerned) :]):
        return f"from repetition {concerned[0]} on"
    if len(concerned) == 1:
        return f"in repetition {concerned[0]}"
    return f"in {len(concerned)} of {len(counted)} repetitions ({ranges(concerned)})"


def _posture_findings(
    one: SetAnalysis, counted: Sequence[Repetition], settings: Settings, teller: _Teller
) -> Iterator[Finding]:
    """Judge the pelvis at each repetition's start against the set's neutral, and its tilt's trend.

    The rotation is judged as far as the angles carry it: a heading that was re-zeroed where the
    person came back to neutral shows none.
    """
    if not counted:
        return
    starts = {plane: _at_starts(one, counted, plane) for plane in _PLANES}
    tilt = starts["tilt"] + np.array([max(rep.pelvis_tilt_deg or 0.0, 0.0) for rep in counted])
    growth = _growth(tilt, 1)
    if growth > settings.pelvis_tilt_limit_deg / 2:
        detail = f", by {number(growth, '°')} over the set"
        yield teller.tell("tilt_grows", [rep.rep for rep in counted], growth, "°", detail)
    for plane, values in starts.items():
        error = getattr(one.quality, f"{plane}_uncertainty_deg") or 0.0
        limit = getattr(settings, f"pelvis_{plane}_limit_deg") + error
        far = [rep.rep for rep, value in zip(counted, values, strict=True) if abs(value) > limit]
        if far:
            worst = float(values[np.nanargmax(np.abs(values))])
            when = _when(far, [rep.rep for rep in counted])
            detail = f" {when}: pelvic {plane} off by up to {number(abs(worst), '°')}"
            yield teller.tell("posture_shifts", far, worst, "°", detail)


def _at_starts(one: SetAnalysis, reps: Sequence[Repetition], plane: str) -> Array:
    values = getattr(one.angles, f"pelvis_{plane}_deg")
    return np.asarray(np.interp([rep.start_s for rep in reps], one.angles.time_s, values))


def _growth(values: Array, sign: int) -> float:
    """Change from the first third of the set to the last, 0 where there is no steady trend."""
    n = len(values)
    if n < MIN_REPETITIONS or not np.isfinite(values).all() or np.ptp(values) == 0:
        return 0.0
    if stats.kendalltau(range(n), sign * values, alternative="greater").pvalue > TREND_P:
        return 0.0
    third = max(1, n // 3)
    return sign * float(np.median(values[-third:]) - np.median(values[:third]))


def _evenness_findings(
    counted: Sequence[Repetition], settings: Settings, teller: _Teller
) -> Iterator[Finding]:
    measured = [(rep.rep, rep.rom_deg) for rep in counted if rep.rom_deg is not None]
    if len(measured) < MIN_REPETITIONS:
        return
    reps = [rep for rep, _ in measured]
    rom = np.array([value for _, value in measured])
    noise = settings.mdc_range_deg / (1.96 * np.sqrt(2))  # SEM of one measurement
    loss = _growth(rom, -1)
    spread = float(rom.std(ddof=1))
    if loss > max(noise, FADE_SHARE * float(rom[: max(1, len(rom) // 3)].mean())):
        yield teller.tell("range_fades", reps, loss, "°", f", by {number(loss, '°')} over the set")
    elif spread > max(noise, UNEVEN_RANGE_SHARE * float(rom.mean())):
        detail = f", {number(float(rom.min()), '°')} to {number(float(rom.max()), '°')}"
        yield teller.tell("uneven_range", reps, spread, "°", detail)
    duration = np.array([rep.end_s - rep.start_s for rep in counted])
    spread = float(duration.std(ddof=1))
    if spread > UNEVEN_DURATION_SHARE * float(duration.mean()):
        detail = f", {duration.min():.1f} to {duration.max():.1f} s"
        yield teller.tell("uneven_duration", [rep.rep for rep in counted], spread, "s", detail)


def _difference_findings(comparisons: Sequence[Comparison]) -> Iterator[Finding]:
    """Say all that is different with the side it speaks against: a finding a group and side."""
    told: dict[tuple[str, str], list[Comparison]] = {}
    for one in comparisons:
        if one.verdict == "different":
            told.setdefault((_DIFFERENCES[one.group], worse_side(one)), []).append(one)
    for (code, side), found in told.items():
        kind, first = KINDS[code], found[0]
        less = abs(first.difference or 0.0)
        what = f", by {number(less, first.unit)}"
        if code != "side_difference_range" or first.measure != "rom_deg":
            what = ": " + ", ".join(worse_words(one) for one in found)
        text = f"{side.capitalize()}: {kind.seen}{what}. {kind.advice}"
        yield Finding(code, side, "", (), less, first.unit, text, kind.rank)
