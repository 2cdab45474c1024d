"""Codes -> plain words, and how figures are written: one place for findings and report."""

# ruff: noqa: RUF001, RUF002 - the true minus sign and the dash of ranges are meant for people

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis.comparison import Comparison

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
    "broken_off": "broken off",
    "gap": "not measured in part",
}

VERDICTS = {  # word, icon
    "matched": ("matched", "="),
    "different": ("different", "≠"),
    "inconclusive": ("inconclusive", "?"),
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
DECIMALS = {"°": 1, "°/s": 1, "s": 2, "%": 0, "": 2}
NONE_COUNTED = "no repetition could be counted"
ABSENT = "–"

DISCLAIMER = (
    "Not a medical device. The numbers describe one set of movements on one day; they cannot tell "
    "why a side turns less. Skin and muscle move over the thigh bone, so that on people the angle "
    "itself can be 4–6° off, more than the sensors' own error given after ±."
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


def range_sentences(comparison: Comparison) -> str:
    """Say the first thing of the report: the two ranges, their difference, and what it means."""
    unit = comparison.unit
    both = f"Range: right {number(comparison.right, unit)}, left {number(comparison.left, unit)}."
    if comparison.ci95 is None or comparison.threshold is None:
        return f"{both} Inconclusive: {comparison.reason}."
    side, less, ci95 = smaller_side(comparison)
    limit = f"the {number(comparison.threshold, unit)} that a repeat measurement can differ by"
    told = f"95 % interval {interval(ci95, unit)}"
    if comparison.verdict == "matched":
        return f"{both} The difference of {number(less, unit)} ({told}) stays within {limit}."
    if comparison.verdict == "different":
        return f"{both} The {side} turns {number(less, unit)} less ({told}): more than {limit}."
    less_told = f"The {side} turns {number(less, unit)} less"
    return f"{both} {less_told}, but the {told} reaches across {limit}."


def group_sentence(comparisons: Sequence[Comparison]) -> tuple[str, str]:
    """Sum one group of measures up.

    Returns
    -------
    tuple of str
        The verdict of the group (``different`` where one measure is, ``matched`` where all are)
        and which measures made it.
    """
    verdicts = [one.verdict for one in comparisons]
    if "different" in verdicts:
        told: dict[str, list[str]] = {}
        for one in comparisons:
            if one.verdict == "different":
                label = one.label.split(" (")[0]
                told.setdefault(one.direction, []).append(label[0].lower() + label[1:])
        return "different", "; ".join(f"{way}: {', '.join(named)}" for way, named in told.items())
    if all(verdict == "matched" for verdict in verdicts):
        return "matched", f"all {len(verdicts)} measures"
    if all(one.ci95 is None for one in comparisons):
        return "inconclusive", comparisons[0].reason
    matched = verdicts.count("matched")
    return "inconclusive", f"{matched} of {len(verdicts)} measures matched, none different"
