"""Left against right: difference, index, interval, threshold, verdict.

A comparison of one session says whether its two sets differ. Interval: `analysis.intervals`.

The threshold is what a difference must exceed to mean something: for the range the minimal
detectable change, which carries what strapping on anew does to a figure; for pelvis drift and
return error half the limit of the verdict or flag; otherwise the person's own
repetition-to-repetition error, 1.96 * sqrt(2) * SD of the repetitions of the *steadier* side: the
smallest difference between two single repetitions of that side that chance rarely exceeds. The
unsteady side's variation is what a person would see, so it must not raise its own threshold. It
is not divided by sqrt(n): the error of the means is the interval's part, and counting it in both
would leave nothing that could ever be called matched. A spread has no such error; there the
threshold is the steadier side's own spread, so that ``different`` means more than twice as uneven.

Speed follows the range where the tempo is one, so raw speeds are shown and not judged; judged are
the durations, and the peak speed as a share of the repetition's range. The share of clean
repetitions is compared by Fisher's exact test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.compared import MEASURES, Measure, figure_of, instrument_error, values_of
from analysis.intervals import difference_interval, shares_differ, verdict_of, widened
from analysis.repetitions.measures import Repetition
from analysis.sets import SetAnalysis
from analysis.settings import Settings
from imu.units import SIDES

Array = NDArray[np.float64]

MIN_REPETITIONS = 3  # fewer have no spread worth the name
MIXED = "one side was measured on the thigh, the other on the shank"
MDC_SOURCE = "minimal detectable change on the shank, Krause et al. 2015, KSSTA 23:2562"
PHONE_SOURCE = (
    "minimal detectable change of a phone, Spork et al. 2021: 11 to 16°, the larger taken"
)
OWN_SOURCE = "own repetition-to-repetition error, 1.96 · √2 · SD of the steadier side"
SPREAD_SOURCE = "the steadier side's own spread"
PELVIS_SOURCE = "half the pelvis' limit, beyond which a repetition is compensated"
RETURN_SOURCE = "half the limit of the return error"
RESOLUTION_SOURCE = "resolution of the method; own repetitions vary less"
EXACT_SOURCE = "Fisher's exact test, p ≤ 0.05"
ACROSS = "the interval reaches across the threshold"
MISLABELLED = "it may be the other leg, the other sensor, or upside down"
NOT_JUDGED = "not judged: at one tempo speed follows the range; see durations and shares of range"
PLANES = ("tilt", "obliquity", "rotation")
OF_THE_TURN = (
    *("rom_deg", "peak_ir_deg", "return_error_deg"),
    *("mean_inward_speed_deg_s", "peak_inward_speed_deg_s"),
    *("mean_return_speed_deg_s", "peak_return_speed_deg_s"),
)
UNLIKE_SHARE = 0.25  # shares of clean repetitions this far apart are not alike, chance or not
INDEX_FORMULA = (
    "LSI = 100 · worse / better: the smaller figure over the larger for range, speed and hold; "
    "where less is better (drift, return error, spread, SPARC) turned over, so that 100 % is "
    "always equal and less is always less equal; none where both sides are near zero"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure compared between the sides.

    Attributes
    ----------
    measure, label, unit, group : str
        Code, words for people, unit, and ``range``, ``speed`` or ``control``.
    left, right : float or None
        Means over the counted repetitions (for spreads: the spread).
    difference : float or None
        Right minus left.
    direction : str
        In words: which side is larger, ``equal`` or empty.
    index_percent : float or None
        LSI = 100 * worse / better; None where it has no meaning.
    ci95 : tuple of float, or None
        95 % interval of the difference.
    threshold : float or None
        What must be exceeded; MDC with source, or from the person's own repetitions.
    threshold_source : str
        Where the threshold comes from.
    verdict : str
        ``matched``, ``different`` or ``inconclusive``.
    reason : str
        Why it is inconclusive, or not judged; otherwise empty.
    left_sd, right_sd : float or None
        Standard deviation of the repetitions; None for spreads.
    left_n, right_n : int
        Counted repetitions that have the number.
    less_is_better : bool
        For drift, errors, spreads and speed beyond what the range asks for.
    judged : bool
        Whether the verdict enters the group's; raw speeds are ``inconclusive`` and do not.
    fault : str
        What the findings say against one side alone, so that it is not matched; or empty.
    left_clean, right_clean : int or None
        Clean repetitions, of the share of clean ones alone.
    """

    measure: str
    label: str
    unit: str
    group: str
    left: float | None
    right: float | None
    difference: float | None
    direction: str
    index_percent: float | None
    ci95: tuple[float, float] | None
    threshold: float | None
    threshold_source: str
    verdict: str
    reason: str = ""
    left_sd: float | None = None
    right_sd: float | None = None
    left_n: int = 0
    right_n: int = 0
    less_is_better: bool = False
    judged: bool = True
    fault: str = ""
    left_clean: int | None = None
    right_clean: int | None = None


def compare(
    sets: Sequence[SetAnalysis], settings: Settings, device: str = ""
) -> tuple[Comparison, ...]:
    """Compare the sides in every measure, over the counted repetitions of all their sets.

    Parameters
    ----------
    sets : sequence of SetAnalysis
        Several sets of a side are pooled: their repetitions are taken one after the other, so
        that a step between sets counts as correlation and widens the interval.
    settings : Settings
        For the minimal detectable change of the range.
    device : str
        ``phone`` where one measured; see `Settings.mdc_phone_range_deg`.

    Returns
    -------
    tuple of Comparison
        In the order of `MEASURES`, then the share of clean repetitions; empty where one side has
        no set. All inconclusive where a set's labels do not hold: it may be the other leg, or
        upside down.
    """
    if {one.side for one in sets} != set(SIDES):
        return ()
    reps = {
        side: [rep for one in sets if one.side == side for rep in one.reps if rep.counts]
        for side in SIDES
    }
    alike, mixed = _by_one_source(reps)
    measured = (_compare(measure, alike, settings, device) for measure in MEASURES)
    found = (*measured, _clean_share(reps))
    if mixed:
        found = tuple(
            replace(one, verdict="inconclusive", reason=MIXED) if one.group == "range" else one
            for one in found
        )
    if any(one.quality.mislabelled for one in sets):
        return tuple(replace(one, verdict="inconclusive", reason=MISLABELLED) for one in found)
    return found


def _by_one_source(
    reps: Mapping[str, Sequence[Repetition]],
) -> tuple[Mapping[str, Sequence[Repetition]], bool]:
    """Compare like with like: by the thigh where one side has no fit shank sensor.

    Returns
    -------
    Mapping
        The repetitions, their ranges by one sensor where both sides have one.
    bool
        Whether there is none: the ranges cannot be compared.
    """
    sources = {rep.rom_source for one in reps.values() for rep in one}
    if len(sources) < 2:
        return reps, False
    if any(rep.rom_thigh_deg is None for one in reps.values() for rep in one):
        return reps, True
    return {side: [_by_thigh(rep) for rep in one] for side, one in reps.items()}, False


def _by_thigh(rep: Repetition) -> Repetition:
    """Give a repetition's turn as far as the thigh sensor saw it, its speeds in proportion."""
    if rep.rom_source == "thigh" or not rep.rom_deg or rep.rom_thigh_deg is None:
        return rep
    share = rep.rom_thigh_deg / rep.rom_deg
    turned = {name: getattr(rep, name) for name in OF_THE_TURN}
    seen = {name: share * value for name, value in turned.items() if value is not None}
    return replace(rep, **seen)


def _compare(
    measure: Measure, reps: Mapping[str, Sequence[Repetition]], settings: Settings, device: str
) -> Comparison:
    values = {side: values_of(reps[side], measure) for side in SIDES}
    left, right = (figure_of(values[side], measure) for side in SIDES)
    difference = None if left is None or right is None else right - left
    threshold, source = threshold_of(measure, list(values.values()), settings, device)
    reason = _too_few({side: len(values[side]) for side in SIDES})
    ci95, verdict = None, "inconclusive"
    if not reason:
        instrument = math.hypot(*(instrument_error(reps[side], measure) for side in SIDES))
        found = difference_interval(values["left"], values["right"], spread=measure.spread)
        ci95 = widened(found, instrument)
        if threshold is not None:
            verdict = verdict_of(ci95, threshold)
        if verdict == "inconclusive":
            reason = ACROSS if measure.judged else NOT_JUDGED
    return Comparison(
        measure.name, measure.label, measure.unit, measure.group, left, right, difference,
        _direction(difference), _index(left, right, measure), ci95, threshold, source, verdict,
        reason, _sd(values["left"], measure), _sd(values["right"], measure),
        len(values["left"]), len(values["right"]), measure.less_is_better, measure.judged,
    )  # fmt: skip


def _clean_share(reps: Mapping[str, Sequence[Repetition]]) -> Comparison:
    """Compare how many of the counted repetitions are clean.

    Matched are shares less than `UNLIKE_SHARE` apart, unless one side alone has a fault: the exact
    test of few repetitions proves no equality.
    """
    n = {side: len(reps[side]) for side in SIDES}
    clean = {side: sum(rep.verdict == "clean" for rep in reps[side]) for side in SIDES}
    left, right = (clean[side] / n[side] if n[side] else None for side in SIDES)
    difference = None if left is None or right is None else right - left
    reason = _too_few(n)
    verdict = "inconclusive"
    if not reason and difference is not None:
        one_sided = (left == 1.0) != (right == 1.0)
        if shares_differ(clean["left"], n["left"], clean["right"], n["right"]):
            verdict = "different"
        elif abs(difference) < UNLIKE_SHARE and not one_sided:
            verdict = "matched"
        else:
            reason = "unlike, but chance could make it so"
    index = None
    if left is not None and right is not None and max(left, right) > 0:
        index = 100.0 * min(left, right) / max(left, right)
    return Comparison(
        "clean_share", "Clean repetitions", "", "control", left, right, difference,
        _direction(difference), index, None, None, EXACT_SOURCE, verdict, reason,
        left_n=n["left"], right_n=n["right"],
        left_clean=clean["left"], right_clean=clean["right"],
    )  # fmt: skip


def _sd(values: Array, measure: Measure) -> float | None:
    return None if measure.spread or len(values) < 2 else float(np.std(values, ddof=1))


def _too_few(n: Mapping[str, int]) -> str:
    few = [f"{side} {n[side]}" for side in SIDES if n[side] < MIN_REPETITIONS]
    return f"fewer than {MIN_REPETITIONS} counted repetitions: {', '.join(few)}" if few else ""


def _of_the_range(settings: Settings, device: str) -> tuple[float, str]:
    """Minimal detectable change of the range, and whose it is."""
    if device == "phone":
        usual = settings.mdc_phone_range_deg == Settings().mdc_phone_range_deg
        return settings.mdc_phone_range_deg, PHONE_SOURCE if usual else settings.own_source
    return settings.mdc_range_deg, settings.range_source or MDC_SOURCE


def threshold_of(
    measure: Measure, values: Sequence[Array], settings: Settings, device: str = ""
) -> tuple[float | None, str]:
    """Return what a difference must exceed, and where that comes from.

    ``values`` are those of both sides, or of both sessions. One's own minimal detectable changes
    come before everything else.
    """
    if measure.judged and measure.name in settings.mdc:
        return settings.mdc[measure.name], settings.own_source
    if measure.literature:
        return _of_the_range(settings, device)
    if measure.name in ("pelvis_drift_deg", "return_error_deg"):
        return _half_limit(measure.name, settings)
    if not measure.judged or any(len(one) < 2 for one in values):
        return None, ""
    steadier = min(float(np.std(one, ddof=1)) for one in values)
    own = steadier if measure.spread else 1.96 * math.sqrt(2.0) * steadier
    if own < measure.resolution:
        return measure.resolution, RESOLUTION_SOURCE
    return own, SPREAD_SOURCE if measure.spread else OWN_SOURCE


def _half_limit(name: str, settings: Settings) -> tuple[float, str]:
    if name == "return_error_deg":
        return settings.return_error_limit_deg / 2.0, RETURN_SOURCE
    limits = [getattr(settings, f"pelvis_{plane}_limit_deg") for plane in PLANES]
    return min(limits) / 2.0, PELVIS_SOURCE


def _direction(difference: float | None) -> str:
    if difference is None:
        return ""
    return "equal" if difference == 0 else f"{'right' if difference > 0 else 'left'} larger"


def _index(left: float | None, right: float | None, measure: Measure) -> float | None:
    """LSI: the smaller magnitude over the larger, whichever of them is the better."""
    if left is None or right is None or left * right < 0:
        return None
    small, large = sorted((abs(left), abs(right)))
    return None if large < measure.resolution else 100.0 * small / large
