"""Visits of several people -> the error of one's own set-up: `analysis.agreement` by measure.

Between sessions a person's measurement is the mean of one session's counted repetitions, the
figure that a trend compares; sessions of poor quality are left out, and only those of the commonest
context are taken, since before and after a warm-up are no repetition of each other. Within a
session it is the mean of a set where at least two people made two sets of a side in one session,
otherwise a single repetition; repetitions follow one another, so that their agreement flatters.

The asymmetry is right minus left, which needs both sides of a session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.agreement import Agreement, agreement
from analysis.changes import asymmetry
from analysis.compared import MEASURES, Measure, figure_of
from analysis.comparison import MIN_REPETITIONS
from analysis.trend import ASYMMETRY, in_order
from analysis.visits import SideVisit, Visit
from imu.units import SIDES

Array = NDArray[np.float64]

ENOUGH_PEOPLE = 10
NAMES = tuple(one.name for one in MEASURES)
RANGE = "rom_deg"


@dataclass(frozen=True, slots=True)
class MeasureReliability:
    """How well one measure repeats.

    Attributes
    ----------
    measure : str
        Its name.
    both : Agreement or None
        Between sessions, both sides together: what a trend's threshold is; None where nobody has
        two sessions.
    sides : Mapping of str to Agreement or None
        Between sessions, by ``left``, ``right``, ``asymmetry``.
    within : Agreement or None
        Within a session, both sides together; of spreads there is none between repetitions.
    within_unit : str
        ``set`` or ``repetition``.
    """

    measure: str
    both: Agreement | None
    sides: Mapping[str, Agreement | None]
    within: Agreement | None
    within_unit: str


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """The error of one's own set-up.

    Attributes
    ----------
    people, sessions : int
        That entered, with at least one usable side.
    repeated : int
        People with two sessions or more.
    context : str or None
        Of the sessions that were taken.
    left_out : Mapping of str to int
        Sessions that did not enter, by reason.
    measures : tuple of MeasureReliability
        In the report's order.
    pairs : Mapping of str to ndarray, shape (m, 2)
        By side, the ranges of everybody's first and second session.
    """

    people: int
    sessions: int
    repeated: int
    context: str | None
    left_out: Mapping[str, int]
    measures: tuple[MeasureReliability, ...]
    pairs: Mapping[str, Array]

    @property
    def enough(self) -> bool:
        """Whether ten people were measured twice."""
        return self.repeated >= ENOUGH_PEOPLE


def reliability_of(visits: Mapping[str, Sequence[Visit]]) -> Reliability:
    """Say how well measurements repeat.

    Parameters
    ----------
    visits : Mapping of str to sequence of Visit
        By person, in any order.
    """
    taken, left_out, context = _taken(visits)
    people = list(taken.values())
    tables = {
        (name, series): [_figures(found, name, series) for found in people]
        for name in NAMES
        for series in (*SIDES, ASYMMETRY)
    }
    by_set = _has_sets(people)
    ranges = {side: tables[RANGE, side] for side in SIDES}
    return Reliability(
        people=len(taken),
        sessions=sum(map(len, taken.values())),
        repeated=sum(any(len(ranges[side][i]) > 1 for side in SIDES) for i in range(len(taken))),
        context=context,
        left_out=left_out,
        measures=tuple(_measure(one, tables, people, by_set) for one in MEASURES),
        pairs={
            side: np.array([one[:2] for one in table if len(one) > 1]).reshape(-1, 2)
            for side, table in ranges.items()
        },
    )


def _taken(
    visits: Mapping[str, Sequence[Visit]],
) -> tuple[dict[str, list[Visit]], dict[str, int], str | None]:
    """Choose the sessions that enter, in order of time; count the others by reason."""
    contexts = Counter(one.context for found in visits.values() for one in found)
    context = max(contexts, key=lambda one: (contexts[one], one is None, one or ""))
    left_out = Counter[str]()
    taken: dict[str, list[Visit]] = {}
    for person, found in visits.items():
        for visit in in_order(found)[0]:
            if visit.context != context:
                left_out[f"another context than {context or 'none'}"] += 1
            elif not any(side.usable for side in visit.sides.values()):
                left_out["poor quality"] += 1
            else:
                taken.setdefault(person, []).append(visit)
    return taken, dict(left_out), context


def _figures(visits: Sequence[Visit], measure: str, series: str) -> Array:
    """One person's figures of a measure, a session each, in order."""
    sides = SIDES if series == ASYMMETRY else (series,)
    found = []
    for visit in visits:
        if not all(_fit(visit.sides.get(side), measure) for side in sides):
            continue
        figure = (
            asymmetry(measure, visit) if series == ASYMMETRY else visit.sides[series].mean(measure)
        )
        if figure is not None:
            found.append(figure)
    return np.array(found, dtype=float)


def _fit(side: SideVisit | None, measure: str) -> bool:
    return side is not None and side.usable and len(side.values[measure]) >= MIN_REPETITIONS


def _measure(
    measure: Measure,
    tables: Mapping[tuple[str, str], Sequence[Array]],
    people: Sequence[Sequence[Visit]],
    by_set: bool,
) -> MeasureReliability:
    name = measure.name
    within = [list(_within(people, measure, side, by_set)) for side in SIDES]
    return MeasureReliability(
        measure=name,
        both=agreement([tables[name, side] for side in SIDES]),
        sides={series: agreement([tables[name, series]]) for series in (*SIDES, ASYMMETRY)},
        within=agreement(within) if by_set or not measure.spread else None,
        within_unit="set" if by_set else "repetition",
    )


def _within(
    people: Sequence[Sequence[Visit]], measure: Measure, side: str, by_set: bool
) -> Iterator[Array]:
    """Each person's repeated measurements within the first session that has them."""
    for visits in people:
        for visit in visits:
            one = visit.sides.get(side)
            if one is None or not one.usable:
                continue
            values = one.values[measure.name]
            if by_set:
                sets = [each[measure.name] for each in one.by_set.values()]
                means = [figure_of(each, measure) for each in sets if len(each) >= MIN_REPETITIONS]
                values = np.array([mean for mean in means if mean is not None], dtype=float)
            if len(values) > 1:
                yield values
                break


def _has_sets(people: Sequence[Sequence[Visit]]) -> bool:
    """Whether two people or more made two sets of a side in one session."""
    with_sets = (
        any(len(side.by_set) > 1 for visit in visits for side in visit.sides.values())
        for visits in people
    )
    return sum(with_sets) >= 2
