"""What a session comes to: counts, means, grades, the headline, what to put in front.

Made once, as values; page, tables, terminal and document show them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.advice import KINDS
from analysis.compared import MEASURES, values_of
from analysis.comparison import Comparison
from analysis.findings import Finding, in_front
from analysis.reasons import worst_grade
from analysis.repetitions.measures import Repetition
from analysis.sets import MEASURE, SetAnalysis, in_measure
from analysis.skin import SkinShare
from analysis.words import (
    NONE_COUNTED,
    clean_sentence,
    footing_sentence,
    modes_sentence,
    number,
    range_sentences,
    tissue_sentence,
)
from imu.units import SIDES

FOOTINGS = ("proven", "lean", "assumed", "doubtful")  # surest first
NO_MODES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class MeasureSummary:
    """One measure over the counted repetitions of one side.

    Attributes
    ----------
    mean, sd : float or None
        In the measure's unit; None where there are none, or fewer than two.
    n : int
        Counted repetitions that have the number.
    """

    mean: float | None
    sd: float | None
    n: int


@dataclass(frozen=True, slots=True)
class SideSummary:
    """One side's sets together.

    Attributes
    ----------
    sets : int
        How many sets.
    planned : int or None
        Repetitions planned in all of them.
    reps, counted, clean, compensated, not_counted : int
        Repetitions found, and of each verdict.
    measures : Mapping of str to MeasureSummary
        By the measure's name; those of spreads are no means and stand in the comparison alone.
    grade : str
        The worst of its sets.
    reasons : tuple of str
        Why it is not better; with the set's name in front where there are several.
    rom_source : str
        ``thigh`` or ``shank``: what the range was measured by; ``thigh`` where sets differ.
    skin_share : SkinShare or None
        Of the side's sets, the surest.
    direction, pelvis_axes : str
        What the figures stand on, as in `SetQuality`: the least sure of its sets.
    """

    sets: int
    planned: int | None
    reps: int
    counted: int
    clean: int
    compensated: int
    not_counted: int
    measures: Mapping[str, MeasureSummary]
    grade: str
    reasons: tuple[str, ...]
    codes: tuple[str, ...]
    direction: str
    pelvis_axes: str
    rom_source: str
    skin_share: SkinShare | None


@dataclass(frozen=True, slots=True)
class Headline:
    """The first thing of the report: verdict, empty with nothing to compare, and the sentence."""

    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a session comes to.

    Attributes
    ----------
    sides : Mapping of str to SideSummary
        Left before right; a side without a set is absent.
    headline : Headline
        The verdict on the range.
    clean : str
        How many repetitions were clean, a sentence.
    tissue : str
        What lies between sensor and bone: skin, or a knee that gives.
    footing : str
        What was assumed and what was proven, a sentence or two.
    modes : str
        Which sets were left out of the comparison, or taken for want of others, for how they
        were coached; empty where all were recorded in ``measure``.
    cautions : tuple of str
        The sides whose recording does not carry the figures, a sentence each.
    front, others : tuple of str
        What to work on: at most three things, and all else that was seen.
    """

    sides: Mapping[str, SideSummary]
    headline: Headline
    clean: str
    tissue: str
    footing: str
    modes: str
    cautions: tuple[str, ...]
    front: tuple[str, ...]
    others: tuple[str, ...]


def summarise(
    sets: Sequence[SetAnalysis],
    comparisons: Sequence[Comparison],
    findings: Sequence[Finding],
    planned: int | None,
    modes: Mapping[str, str] = NO_MODES,
) -> Summary:
    """Sum a session up.

    Parameters
    ----------
    sets : sequence of SetAnalysis
        All sets.
    comparisons : sequence of Comparison
        The range first; empty for a one-sided session.
    findings : sequence of Finding
        Most important first.
    planned : int or None
        Repetitions planned a set.
    modes : Mapping of str to str
        How each set was coached; means are of the sets that are compared.
    """
    sides = {side: [one for one in sets if one.side == side] for side in SIDES}
    summaries = {side: _side(found, planned, modes) for side, found in sides.items() if found}
    chosen = in_front(findings)
    shown = {id(one) for group in chosen for one in group}
    return Summary(
        sides=summaries,
        headline=_headline(comparisons, summaries),
        clean=clean_sentence({side: (one.clean, one.counted) for side, one in summaries.items()}),
        tissue=tissue_sentence(
            max(one.rom_source for one in summaries.values()),
            {
                side: (one.skin_share.share, one.skin_share.low, one.skin_share.high)
                for side, one in summaries.items()
                if one.skin_share is not None
            },
            any("skin_applied" in one.codes for one in summaries.values()),
        ),
        footing=footing_sentence(
            {
                side: {"direction": one.direction, "pelvis_axes": one.pelvis_axes}
                for side, one in summaries.items()
            }
        ),
        modes=modes_sentence([(one.name, one.side, modes.get(one.name, MEASURE)) for one in sets]),
        cautions=tuple(_cautions(summaries)),
        front=tuple(_joined(group) for group in chosen),
        others=tuple(one.text for one in findings if id(one) not in shown),
    )


def _side(
    sets: Sequence[SetAnalysis], planned: int | None, modes: Mapping[str, str]
) -> SideSummary:
    reps = [rep for one in sets for rep in one.reps]
    verdicts = [rep.verdict for rep in reps]
    reasons = [(one.name, reason) for one in sets for reason in one.quality.reasons]
    return SideSummary(
        sets=len(sets),
        planned=None if planned is None else planned * len(sets),
        reps=len(reps),
        counted=sum(rep.counts for rep in reps),
        clean=verdicts.count("clean"),
        compensated=verdicts.count("compensated"),
        not_counted=verdicts.count("not_counted"),
        measures=_means([r for one in in_measure(sets, modes) for r in one.reps if r.counts]),
        grade=worst_grade(one.quality.grade for one in sets),
        codes=tuple(dict.fromkeys(code for one in sets for code in one.quality.codes)),
        reasons=tuple(f"{name}: {why}" if len(sets) > 1 else why for name, why in reasons),
        direction=max((one.quality.direction for one in sets), key=FOOTINGS.index),
        pelvis_axes=max((one.quality.pelvis_axes for one in sets), key=FOOTINGS.index),
        rom_source=max(one.leg.source for one in sets),
        skin_share=min(
            (one.leg.skin for one in sets if one.leg.skin is not None),
            key=lambda skin: skin.sd,
            default=None,
        ),
    )


def _means(counted: Sequence[Repetition]) -> dict[str, MeasureSummary]:
    found = {one.name: values_of(counted, one) for one in MEASURES if not one.spread}
    return {
        name: MeasureSummary(
            mean=float(values.mean()) if len(values) else None,
            sd=float(values.std(ddof=1)) if len(values) > 1 else None,
            n=len(values),
        )
        for name, values in found.items()
    }


def _headline(comparisons: Sequence[Comparison], sides: Mapping[str, SideSummary]) -> Headline:
    if comparisons:
        return Headline(comparisons[0].verdict, range_sentences(comparisons[0]))
    told = []
    for side, found in sides.items():
        rom = found.measures["rom_deg"]
        spread = "" if rom.sd is None else f" ± {number(rom.sd, '°')}"
        figure = f"range {number(rom.mean, '°')}{spread} over {found.counted} counted repetitions"
        told.append(f"{side.capitalize()} side only: {figure if found.counted else NONE_COUNTED}.")
    return Headline("", " ".join([*told, "Record the other side too for the comparison."]))


def _cautions(sides: Mapping[str, SideSummary]) -> list[str]:
    """Say it at the top where the recording does not carry the figures."""
    return [
        f"The recording of the {side} side is poor: {'; '.join(one.reasons)}".rstrip(".") + "."
        for side, one in sides.items()
        if one.grade == "poor"
    ]


def _joined(group: Sequence[Finding]) -> str:
    """Say what both sides share once: the advice, after the last of them."""
    advice = KINDS[group[0].code].advice
    return " ".join([*(one.text.removesuffix(advice).strip() for one in group), advice])
