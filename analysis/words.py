"""Codes -> plain words, and how figures are written: one place for findings and report."""

# ruff: noqa: RUF001, RUF002 - the true minus sign and the dash of ranges are meant for people

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from analysis.compared import SPREADS
from analysis.comparison import ACROSS, Comparison

FLAGS = {
    "copied": "a copy of another set",
    "excluded": "excluded by hand",
    "no_hold": "no pause at the end of the turn",
    "bounce": "bounced at the end range",
    "two_stage": "turned in two stages",
    "fast": "thrown, faster than controlled",
    "dropped": "dropped back faster than it turned in",
    "return_error": "did not come back to where it started",
    "overshoot": "swung outward past the start",
    "pelvis_tilt": "pelvis tilted",
    "pelvis_obliquity": "pelvis hiked or dropped",
    "pelvis_rotation": "pelvis rotated",
    "hip_flexion": "thigh lifted or sank",
    "hip_adduction": "thigh swung sideways",
    "knee_straightens": "knee straightened",
    "knee_turns": "shin turned in the knee",
    "broken_off": "broken off",
    "gap": "not measured in part",
}

VERDICTS = {  # word, icon
    "matched": ("matched", "="),
    "different": ("different", "≠"),
    "inconclusive": ("inconclusive", "?"),
    "improved": ("improved", "▲"),
    "worse": ("worse", "▼"),
    "changed": ("changed", "≠"),
    "no_detectable_change": ("no detectable change", "="),
    "clean": ("clean", "✓"),
    "compensated": ("compensated", "△"),
    "not_counted": ("not counted", "✕"),
    "good": ("good", "✓"),
    "fair": ("fair", "△"),
    "poor": ("poor", "✕"),
}

PHASES = {
    "inward": "while turning in",
    "hold": "in the pause at the end",
    "return": "on the way back",
    "between": "between repetitions",
    "outside": "outside the recording",
}

LETTERS = {"left": "L", "right": "R"}
GROUPS = {"range": "Range", "speed": "Speed", "control": "Control"}
DECIMALS = {"°": 1, "°/s": 1, "s": 2, "%": 0, "%/s": 0, "": 2}
WORSE = {  # of the side that is to be told, where a measure is different
    "rom_deg": "it turns less",
    "peak_ir_deg": "it reaches a smaller angle",
    "inward_s": "it turns in within a shorter time",
    "return_s": "it comes back within a shorter time",
    "peak_inward_share_percent_s": "it turns in faster for its range",
    "peak_return_share_percent_s": "it comes back faster for its range",
    "pelvis_drift_deg": "its pelvis moves more",
    "return_error_deg": "it comes back less exactly",
    "hold_s": "it pauses more briefly",
    "rom_sd_deg": "its range varies more",
    "duration_sd_s": "its tempo varies more",
    "sparc_inward": "it turns in less smoothly",
    "sparc_return": "it comes back less smoothly",
    "clean_share": "fewer repetitions are clean",
}
PROVEN = {"direction": "direction (lift)", "pelvis_axes": "pelvis axes (lean)"}
ASSUMED = {
    "direction": "the first turn was inward",
    "pelvis_axes": "the pelvis sensor sits straight",
}
NONE_COUNTED = "no repetition could be counted"
ABSENT = "–"

DISCLAIMER = (
    "Not a medical device. The numbers describe one set of movements on one day; they cannot tell "
    "why a side turns less. Skin over the bones, and a knee that gives, add more error than the "
    "sensors' own that stands after ±."
)


def number(value: float | None, unit: str = "", *, signed: bool = False, bare: bool = False) -> str:
    """Write a figure with as many decimals as its unit deserves, a true minus sign and its unit.

    `bare` leaves the unit out, for columns whose head names it.

    >>> number(-3.14159, "°"), number(2.0, "s", signed=True), number(None, "°")
    ('−3.1°', '+2.00 s', '–')
    """
    if value is None:
        return ABSENT
    decimals = DECIMALS.get(unit, 1)
    rounded = round(value, decimals) + 0.0  # no negative zero
    text = f"{rounded:{'+' if signed and rounded else ''}.{decimals}f}".replace("-", "−")
    if bare or not unit:
        return text
    return text + unit if unit == "°" else f"{text} {unit}"


def interval(ci95: tuple[float, float] | None, unit: str, *, bare: bool = False) -> str:
    """Write an interval: ``−0.6° to 2.2°``."""
    if ci95 is None:
        return ABSENT
    return " to ".join(number(end, unit, bare=bare) for end in ci95)


def flag_words(flags: Iterable[str]) -> str:
    """Write a repetition's flags in plain words; a code without words is shown as it is."""
    return ", ".join(FLAGS.get(flag, flag.replace("_", " ")) for flag in flags)


def ranges(numbers: Sequence[int]) -> str:
    """Write repetition numbers short.

    >>> ranges([1, 4, 5, 6, 8])
    '1, 4–6, 8'
    """
    runs: list[list[int]] = []
    for one in numbers:
        if runs and one == runs[-1][-1] + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(
        str(run[0]) if len(run) == 1 else f"{run[0]}{'–' if len(run) > 2 else ', '}{run[-1]}"
        for run in runs
    )


def sources(comparisons: Iterable[Comparison]) -> list[str]:
    """List the sources of the thresholds, each once, in report order."""
    return list(dict.fromkeys(one.threshold_source for one in comparisons if one.threshold_source))


def smaller_side(comparison: Comparison) -> tuple[str, float, tuple[float, float] | None]:
    """Turn a difference so that it reads as "the <side> turns <figure> less".

    Returns
    -------
    tuple
        The side with the smaller figure, how much smaller, and the interval of that.
    """
    difference, ci95 = comparison.difference or 0.0, comparison.ci95
    if difference > 0:
        return "left", difference, ci95
    return "right", -difference, None if ci95 is None else (-ci95[1], -ci95[0])


def worse_side(comparison: Comparison) -> str:
    """Name the side that is to be told: with less, or with more where less is better."""
    larger = "right" if (comparison.difference or 0.0) > 0 else "left"
    smaller = "left" if larger == "right" else "right"
    return larger if comparison.less_is_better else smaller


def worse_words(comparison: Comparison) -> str:
    """Say what is worse on that side, and by how much."""
    worse = WORSE[comparison.measure]
    if comparison.left_clean is not None:
        side = worse_side(comparison)
        other = "left" if side == "right" else "right"
        return f"{worse} ({figure(comparison, side)} against {figure(comparison, other)})"
    return f"{worse} (by {number(abs(comparison.difference or 0.0), comparison.unit)})"


def figure(comparison: Comparison, side: str) -> str:
    """Write one side's figure without its unit; of a share the two counts."""
    clean = getattr(comparison, f"{side}_clean")
    if clean is not None:
        return f"{clean} of {getattr(comparison, f'{side}_n')}"
    return number(getattr(comparison, side), comparison.unit, bare=True)


def difference(comparison: Comparison) -> str:
    """Write right minus left without its unit; of shares in per cent."""
    if comparison.left_clean is None or comparison.difference is None:
        return number(comparison.difference, comparison.unit, signed=True, bare=True)
    return number(100.0 * comparison.difference, "%", signed=True)


def clean_sentence(clean: Mapping[str, tuple[int, int]]) -> str:
    """Say how many repetitions were clean, of how many counted ones.

    >>> clean_sentence({"left": (3, 8), "right": (8, 8)})
    'Clean repetitions: right 8 of 8, left 3 of 8.'
    """
    told = [f"{side} {some} of {n}" for side, (some, n) in sorted(clean.items(), reverse=True)]
    return f"Clean repetitions: {', '.join(told)}."


def footing_sentence(footing: Mapping[str, Mapping[str, str]]) -> str:
    """Say what was assumed and what was proven, in a dozen words.

    Parameters
    ----------
    footing : Mapping
        Side -> ``direction`` and ``pelvis_axes`` -> ``proven`` or ``lean``, ``assumed``,
        ``doubtful``.

    Examples
    --------
    >>> footing_sentence({"left": {"direction": "assumed", "pelvis_axes": "lean"}})
    'Proven: pelvis axes (lean). Assumed: the first turn was inward.'
    """
    said: dict[str, list[str]] = {"Proven": [], "Assumed": [], "Doubtful": []}
    for what in ("direction", "pelvis_axes"):
        by_state: dict[str, list[str]] = {}
        for side, states in footing.items():
            by_state.setdefault(states[what], []).append(side)
        for state, sides in by_state.items():
            whose = f"{sides[0]}: " if len(sides) < len(footing) else ""
            if state == "assumed":
                said["Assumed"].append(whose + ASSUMED[what])
            elif state == "doubtful":
                said["Doubtful"].append(f"{whose}whether {ASSUMED[what]}")
            else:
                said["Proven"].append(whose + PROVEN[what])
    return " ".join(f"{head}: {'; '.join(told)}." for head, told in said.items() if told)


SKIN_SOURCE = "Gait Posture 2008, 20 adults"
KNEE_SOURCE = "sides of sound knees differ by up to 3°, BMC Musculoskelet Disord 2008, 9:35"


def tissue_sentence(
    source: str, shares: Mapping[str, tuple[float, float, float]], applied: bool = False
) -> str:
    """Say what lies between sensor and bone, and what it hides.

    Parameters
    ----------
    source : str
        ``thigh`` or ``shank``: the sensor behind the range.
    shares : Mapping of str to (float, float, float)
        By side, where both sensors were worn: what the thigh sensor saw of the shank's turn, and
        its 95 % interval.
    applied : bool
        Whether the range was made up for the skin by an earlier session's share.
    """
    if source == "thigh" and applied:
        return (
            "Measured on the thigh and made up for the skin by what it hid in an earlier session, "
            "as asked; straps sit differently each time."
        )
    if source == "thigh":
        return (
            "Measured on the thigh: skin may hide up to 40 % of a turn, and more on one side than "
            f"on the other ({SKIN_SOURCE}), far beyond the sensors' own error after ±. A sensor "
            "on the shank shows how much."
        )
    told = [
        "Measured on the shank, as the clinic does; a bent knee may give 2–4° on top of the "
        f"sensors' error after ± ({KNEE_SOURCE})."
    ]
    if shares:
        seen = ", ".join(
            f"{side} {100.0 * share:.0f} % ({100.0 * low:.0f} to {100.0 * high:.0f} %)"
            for side, (share, low, high) in sorted(shares.items(), reverse=True)
        )
        told.append(f"Of that turn the thigh's skin followed: {seen}.")
    if len(shares) == len(LETTERS):
        (one, *_), (other, *_) = shares.values()
        apart = abs(one - other)
        error = sum(((high - low) / 2.0) ** 2 for _, low, high in shares.values()) ** 0.5
        if apart > error:
            told.append("A thigh sensor alone would show a difference that is the skin's.")
    return " ".join(told)


def modes_sentence(sets: Sequence[tuple[str, str, str]]) -> str:
    """Say which sets were left out of the comparison, and which had to be taken.

    Parameters
    ----------
    sets : sequence of tuple
        Name, side and mode of each.

    Examples
    --------
    >>> modes_sentence([("left", "left", "train"), ("right", "right", "measure")])
    'Left: no set without coaching, so that of train is compared.'
    >>> modes_sentence([("left", "left", "measure"), ("left-2", "left", "fade")])
    'Not compared, since coached: left-2 (fade).'
    """
    measured = {side for _, side, mode in sets if mode == "measure"}
    out = [
        f"{name} ({mode})" for name, side, mode in sets if side in measured and mode != "measure"
    ]
    taken: dict[str, list[str]] = {}
    for _, side, mode in sets:
        if side not in measured:
            taken.setdefault(side, []).append(mode)
    said = [
        f"{side.capitalize()}: no set without coaching, so that of "
        f"{' and '.join(dict.fromkeys(found))} is compared."
        for side, found in taken.items()
    ]
    if out:
        said.append(f"Not compared, since coached: {', '.join(out)}.")
    return " ".join(said)


def range_sentences(comparison: Comparison) -> str:
    """Say the first thing of the report: the two ranges, their difference, and what it means.

    One session says that two sets differ; whether strapping on again could make the difference is
    what the threshold carries.
    """
    unit = comparison.unit
    both = f"Range: right {number(comparison.right, unit)}, left {number(comparison.left, unit)}."
    undecided = comparison.verdict == "inconclusive" and comparison.reason != ACROSS
    if comparison.ci95 is None or comparison.threshold is None or undecided:
        return f"{both} Inconclusive: {comparison.reason}."
    side, less, ci95 = smaller_side(comparison)
    limit = f"the {number(comparison.threshold, unit)} by which strapping on and measuring again"
    told = f"95 % interval {interval(ci95, unit)}"
    if comparison.verdict == "matched":
        differ = f"These two sets differ by {number(less, unit)} ({told})"
        return f"{both} {differ}: within {limit} can differ."
    turns = f"In these two sets the {side} turns {number(less, unit)} less"
    if comparison.verdict == "different":
        return f"{both} {turns} ({told}): more than {limit} can differ."
    return f"{both} {turns}, but the {told} reaches across {limit} can differ."


def group_sentence(comparisons: Sequence[Comparison]) -> tuple[str, str]:
    """Sum one group of measures up; those that are not judged stay out.

    Returns
    -------
    tuple of str
        The verdict of the group (``different`` where one measure is, ``matched`` where all are;
        eight repetitions cannot show that two spreads are alike, so that a spread without a
        verdict stands in nobody's way) and which measures made it, by the side they speak against.
    """
    judged = [
        one
        for one in comparisons
        if one.judged and not (one.measure in SPREADS and one.reason == ACROSS and not one.fault)
    ]
    verdicts = [one.verdict for one in judged]
    if "different" in verdicts:
        told: dict[str, list[str]] = {}
        for one in judged:
            if one.verdict == "different":
                told.setdefault(worse_side(one), []).append(worse_words(one))
        return "different", "; ".join(f"{side}: {', '.join(said)}" for side, said in told.items())
    if all(verdict == "matched" for verdict in verdicts):
        compensated = any(one.left_clean not in (None, one.left_n) for one in judged)
        return "matched", f"{len(verdicts)} measures" + ", faults included" * compensated
    if all(one.left is None or one.right is None or one.ci95 is None for one in judged):
        return "inconclusive", judged[0].reason
    matched = verdicts.count("matched")
    faults = list(dict.fromkeys(one.fault for one in judged if one.fault))
    said = f"{matched} of {len(verdicts)} measures matched, none different"
    return "inconclusive", "; ".join([said, *faults])
