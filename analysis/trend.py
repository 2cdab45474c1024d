"""Visits -> trend: the same person over sessions, each figure with its changes, and the headline.

Every session is held against the first, against the one before, and, where the user named a
context, against another of the same day. First and before are looked for among sessions of the
same context, so that a measurement after the warm-up is not held against one before it; a session
without a context goes with any. Sessions of poor quality are shown and left out of all verdicts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis.changes import CLEAN, Change, asymmetry, asymmetry_change, side_change
from analysis.compared import MEASURES
from analysis.comparison import MIN_REPETITIONS
from analysis.intervals import mean_interval
from analysis.settings import Settings
from analysis.visits import BY_NAME, SideVisit, Visit
from imu.errors import CallError
from imu.units import SIDES

ASYMMETRY = "asymmetry"
SERIES = (*SIDES, ASYMMETRY)
HEADLINE = "rom_deg"
NAMES = (*(one.name for one in MEASURES), CLEAN)


@dataclass(frozen=True, slots=True)
class Point:
    """One measure of one session and side.

    Attributes
    ----------
    session : str
        The session's name.
    n : int
        Counted repetitions; of an asymmetry the fewer of the two sides.
    mean : float or None
        In the measure's unit; of a spread the spread, of ``clean_share`` the share, of an
        asymmetry right minus left.
    sd : float or None
        Of the repetitions; None for spreads, shares and asymmetries.
    uncertainty : float or None
        95 % half-width of the mean, by the repetitions and the sensors.
    usable : bool
        Whether it enters verdicts.
    change_first, change_previous, change_context : Change or None
        Against the first usable session, the usable one before, and one of the same day and
        another context; None where there is none.
    """

    session: str
    n: int
    mean: float | None
    sd: float | None
    uncertainty: float | None
    usable: bool
    change_first: Change | None = None
    change_previous: Change | None = None
    change_context: Change | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """One person over sessions.

    Attributes
    ----------
    subject : str or None
        Who.
    visits : tuple of Visit
        In order of time.
    by_time : bool
        Whether that order is by start times; otherwise by the folders' names.
    measures : Mapping of str to Mapping of str to tuple of Point
        By measure and ``left``, ``right``, ``asymmetry``; a session without that side has none.
    settings : Settings
        The limits used.
    target_deg : float or None
        The range aimed at, where one was set.
    """

    subject: str | None
    visits: tuple[Visit, ...]
    by_time: bool
    measures: Mapping[str, Mapping[str, tuple[Point, ...]]]
    settings: Settings
    target_deg: float | None = None


def trend_of(
    visits: Sequence[Visit],
    settings: Settings,
    target_deg: float | None = None,
    names: Sequence[str] = NAMES,
) -> Trend:
    """Hold a person's sessions against each other.

    Parameters
    ----------
    visits : sequence of Visit
        In any order, at least one.
    settings : Settings
        For the minimal detectable changes.
    target_deg : float, optional
        The range aimed at.
    names : sequence of str
        The measures wanted.

    Raises
    ------
    CallError
        The sessions are of several people.
    """
    subject = _one_subject(visits)
    ordered, by_time = in_order(visits)
    measures = {
        name: {
            series: tuple(_points(name, series, ordered, settings))
            for series in SERIES
            if (name, series) != (CLEAN, ASYMMETRY)
        }
        for name in names
    }
    return Trend(subject, ordered, by_time, measures, settings, target_deg)


def in_order(visits: Sequence[Visit]) -> tuple[tuple[Visit, ...], bool]:
    """Order sessions by their start, or by their names where one does not say when it was.

    Returns
    -------
    tuple
        The sessions, and whether the order is that of time.
    """
    by_time = all(one.started is not None for one in visits)
    return tuple(sorted(visits, key=_time_key if by_time else _name_key)), by_time


def _one_subject(visits: Sequence[Visit]) -> str | None:
    by_subject = {one.subject: one.name for one in reversed(visits) if one.subject is not None}
    if len(by_subject) > 1:
        told = ", ".join(f"{who} ({name})" for who, name in sorted(by_subject.items()))
        raise CallError(
            f"the sessions are of {len(by_subject)} people: {told}. Give one person's sessions, or "
            "correct subject in session.json."
        )
    return next(iter(by_subject), None)


def _time_key(visit: Visit) -> tuple[datetime, str]:
    return (visit.started or datetime.min, visit.name)  # noqa: DTZ901  the clock on the wall


def _name_key(visit: Visit) -> list[tuple[int, str]]:
    """Order ``visit-10`` after ``visit-9``."""
    parts = re.findall(r"[0-9]+|[^0-9]+", visit.name)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def usable(visit: Visit, series: str) -> bool:
    """Whether a session's figures of a side, or of both, may enter a verdict."""
    sides = SIDES if series == ASYMMETRY else (series,)
    return all(side in visit.sides and visit.sides[side].usable for side in sides)


def of_one_context(one: Visit, other: Visit) -> bool:
    """Whether two sessions are alike in context; a session without one goes with any."""
    return one.context is None or other.context is None or one.context == other.context


def _points(measure: str, series: str, visits: Sequence[Visit], settings: Settings) -> list[Point]:
    """Every session's point of one measure and side."""
    found = []
    for i, visit in enumerate(visits):
        plain = _plain_point(measure, series, visit)
        if plain is None:
            continue
        changes: dict[str, Change | None] = {}
        if plain.usable:
            earlier = [one for one in visits[:i] if usable(one, series)]
            alike = [one for one in earlier if of_one_context(one, visit)]
            against = {
                "change_first": alike[0] if alike else None,
                "change_previous": alike[-1] if alike else None,
                "change_context": _of_the_day(visit, earlier),
            }
            changes = {
                kind: None if one is None else _change(measure, series, one, visit, settings)
                for kind, one in against.items()
            }
        found.append(
            Point(plain.session, plain.n, plain.mean, plain.sd, plain.uncertainty, plain.usable,
                  **changes)
        )  # fmt: skip
    return found


def _of_the_day(visit: Visit, earlier: Sequence[Visit]) -> Visit | None:
    """The first session of the same day in another context."""
    if visit.context is None or visit.started is None:
        return None
    for one in earlier:
        same_day = one.started is not None and one.started.date() == visit.started.date()
        if same_day and one.context not in (None, visit.context):
            return one
    return None


def _change(
    measure: str, series: str, before: Visit, after: Visit, settings: Settings
) -> Change | None:
    if series == ASYMMETRY:
        return asymmetry_change(measure, before, after, settings)
    return side_change(measure, before, after, series, settings)


def _plain_point(measure: str, series: str, visit: Visit) -> Point | None:
    """Return the point without its changes."""
    may = usable(visit, series)
    if series == ASYMMETRY:
        difference = asymmetry(measure, visit)
        if difference is None:
            return None
        sides = [visit.sides[side] for side in SIDES]
        n = min(len(one.values[measure]) for one in sides)
        halves = [_half_width(measure, one) for one in sides]
        half = None if None in halves else math.hypot(*(one or 0.0 for one in halves))
        return Point(visit.name, n, difference, None, half, may)
    one = visit.sides.get(series)
    if one is None:
        return None
    if measure == CLEAN:
        share = one.clean / one.counted if one.counted else None
        return Point(visit.name, one.counted, share, None, None, may)
    values = one.values[measure]
    has_sd = len(values) > 1 and not BY_NAME[measure].spread
    sd = float(values.std(ddof=1)) if has_sd else None
    half = _half_width(measure, one)
    return Point(visit.name, len(values), one.mean(measure), sd, half, may)


def _half_width(measure: str, one: SideVisit) -> float | None:
    """95 % half-width of one session's figure."""
    values = one.values[measure]
    if len(values) < MIN_REPETITIONS:
        return None
    low, high = mean_interval(values, spread=BY_NAME[measure].spread)
    return math.hypot((high - low) / 2.0, one.instrument.get(measure, 0.0))
