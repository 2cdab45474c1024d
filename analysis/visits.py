"""Analysis -> visit: what of one session is held against other sessions.

A visit holds every counted repetition's value, since intervals come from repetitions, and nothing
of samples and angles, so that sixty of them fit anywhere. Compared are the sets that coaching did
not steer (`analysis.sets.in_measure`), as in the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analysis.compared import MEASURES, Measure, figure_of, instrument_error, values_of
from analysis.pipeline import Analysis
from analysis.reasons import worst_grade
from analysis.sets import MEASURE, SetAnalysis, in_measure
from imu.units import SIDES

Array = NDArray[np.float64]

PAIN_KINDS = ("pain", "pinch", "cramp")
BY_NAME: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True, eq=False)
class SideVisit:
    """One side of one session.

    Attributes
    ----------
    grade : str
        Of the sets that are compared, the worst.
    usable : bool
        Whether its figures may enter a verdict: not poor, and its labels hold.
    values : Mapping of str to ndarray, shape (n,)
        By measure: one value a counted repetition, in order; of a spread what it is the spread of.
    instrument : Mapping of str to float
        By measure: 95 % half-width that repeating within a set does not average out.
    clean, counted : int
        Counted repetitions, and the clean among them.
    modes : tuple of str
        How the sets were coached that had to be taken for want of others; empty for ``measure``.
    by_set : Mapping of str to Mapping of str to ndarray
        The values again, by the set's name and measure.
    """

    grade: str
    usable: bool
    values: Mapping[str, Array]
    instrument: Mapping[str, float] = field(default_factory=dict)
    clean: int = 0
    counted: int = 0
    modes: tuple[str, ...] = ()
    by_set: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)

    def mean(self, measure: str) -> float | None:
        """Return the mean over the repetitions, of a spread their standard deviation."""
        return figure_of(self.values.get(measure, np.empty(0)), BY_NAME[measure])


@dataclass(frozen=True, slots=True)
class Mark:
    """Where it hurt: side, kind (``pain``, ``pinch``, ``cramp``) and score from 0 to 10."""

    side: str
    kind: str
    score: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """One session, as far as others are compared with it.

    Attributes
    ----------
    name : str
        The session folder's name.
    subject : str or None
        Who.
    started : datetime or None
        When; None where it is unknown or no date.
    context : str or None
        The user's word for comparing within a day.
    sides : Mapping of str to SideVisit
        A side without a set is absent.
    marks : tuple of Mark
        In file order.
    """

    name: str
    subject: str | None = None
    started: datetime | None = None
    context: str | None = None
    sides: Mapping[str, SideVisit] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()

    @property
    def grade(self) -> str:
        """The worse of its sides."""
        return worst_grade(one.grade for one in self.sides.values())


def visit_of(analysis: Analysis) -> Visit:
    """Take from an analysed session what is held against others."""
    info = analysis.info
    compared = in_measure(analysis.sets, info.modes)
    return Visit(
        name=analysis.name,
        subject=info.subject,
        started=_date(info.started),
        context=info.context,
        sides={
            side: _side([one for one in compared if one.side == side], info.modes)
            for side in SIDES
            if any(one.side == side for one in compared)
        },
        marks=tuple(
            Mark(one.side, one.kind, one.score)
            for one in analysis.markers
            if one.kind in PAIN_KINDS
        ),
    )


def _side(sets: Sequence[SetAnalysis], modes: Mapping[str, str]) -> SideVisit:
    counted = [rep for one in sets for rep in one.reps if rep.counts]
    grade = worst_grade(one.quality.grade for one in sets)
    taken = dict.fromkeys(modes.get(one.name, MEASURE) for one in sets)
    return SideVisit(
        grade=grade,
        usable=grade != "poor" and not any(one.quality.mislabelled for one in sets),
        values={one.name: values_of(counted, one) for one in MEASURES},
        instrument={
            one.name: instrument_error(counted, one) if counted else 0.0 for one in MEASURES
        },
        clean=sum(rep.verdict == "clean" for rep in counted),
        counted=len(counted),
        modes=tuple(mode for mode in taken if mode != MEASURE),
        by_set={
            one.name: {
                measure.name: values_of([rep for rep in one.reps if rep.counts], measure)
                for measure in MEASURES
            }
            for one in sets
        },
    )


def _date(started: str | None) -> datetime | None:
    """Read when it began; a time without a zone is the clock on the wall, as is one with it."""
    try:
        return datetime.fromisoformat(started or "").replace(tzinfo=None)
    except ValueError:
        return None
