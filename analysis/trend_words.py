"""Trend -> its first lines in words: what has changed since the first session, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analysis.changes import Change
from analysis.comparison import ACROSS
from analysis.trend import ASYMMETRY, HEADLINE, SERIES, Point, Trend
from analysis.visits import BY_NAME, Visit
from analysis.words import VERDICTS, interval, number
from imu.units import SIDES

NO_SIDE = "no session of sufficient quality"
SIDES_APART = "Right minus left"
DAYS_A_MONTH = 30.44


@dataclass(frozen=True, slots=True)
class Line:
    """One of the first lines: of which series, its verdict (empty for none) and the sentence."""

    series: str
    verdict: str
    sentence: str


def headlines(trend: Trend) -> tuple[Line, ...]:
    """Say of each side, and of their difference, how far the range has come since the first."""
    return tuple(
        line
        for series in SERIES
        for line in [_line(trend, series, trend.measures[HEADLINE][series])]
        if line is not None
    )


def _line(trend: Trend, series: str, points: tuple[Point, ...]) -> Line | None:
    if not points:
        return None
    able = [one for one in points if one.usable and one.mean is not None]
    name = SIDES_APART if series == ASYMMETRY else series.capitalize()
    if not able:
        return Line(series, "", f"{name}: {NO_SIDE}.")
    last = able[-1]
    change = last.change_first
    if change is None or change.difference is None:
        return Line(series, "", f"{name}: {_figure(last.mean, series)}, one session so far.")
    return Line(series, change.verdict, f"{name}: {_told(trend, last, change, series)}.")


def _figure(value: float | None, series: str) -> str:
    return number(value, BY_NAME[HEADLINE].unit, signed=series == ASYMMETRY)


def _told(trend: Trend, last: Point, change: Change, series: str) -> str:
    first = (last.mean or 0.0) - (change.difference or 0.0)
    course = f"{_figure(first, series)} to {_figure(last.mean, series)}"
    course += _since(trend, change.against, last.session)
    again = f"measuring again can differ by ({number(change.threshold, '°')})"
    match change.verdict:
        case "no_detectable_change":
            return f"{course}, no detectable change: within what {again}"
        case "inconclusive" if change.reason == ACROSS:
            difference = number(change.difference, "°", signed=True)
            ci95 = f"{difference}, 95 % interval {interval(change.ci95, '°')}"
            return f"{course}, inconclusive: the change of {ci95}, reaches across what {again}"
        case "inconclusive":
            return f"{course}, inconclusive: {change.reason}"
    return f"{course}, more than {again}"


def _since(trend: Trend, first: str, last: str) -> str:
    """Say how long it took: `` in 5 weeks``; nothing where it is unknown."""
    if not trend.by_time:
        return ""
    by_name = {one.name: one for one in trend.visits}
    began, ended = by_name[first].started, by_name[last].started
    return f" in {_duration(began, ended)}" if began is not None and ended is not None else ""


def _duration(began: datetime, ended: datetime) -> str:
    """Write a time in the unit people would use.

    >>> _duration(datetime(2026, 1, 1, 9), datetime(2026, 2, 5, 10))
    '5 weeks'
    """
    days = (ended.date() - began.date()).days
    if days == 0:
        return "one day"
    if days < 14:
        return f"{days} day{'s' if days > 1 else ''}"
    if days < 140:
        return f"{round(days / 7)} weeks"
    return f"{round(days / DAYS_A_MONTH)} months"


def day_line(trend: Trend) -> str:
    """Say how the last day with two contexts went, both sides; empty where there is none."""
    points = trend.measures[HEADLINE]
    last = next(
        (
            visit
            for visit in reversed(trend.visits)
            if any(_day_change(points[side], visit) for side in SIDES)
        ),
        None,
    )
    if last is None or last.started is None:
        return ""
    changes = {side: _day_change(points[side], last) for side in SIDES}
    against = next(one.against for one in changes.values() if one is not None)
    context = next(one.context for one in trend.visits if one.name == against)
    said = [
        f"{side} {number(one.difference, '°', signed=True)} ({interval(one.ci95, '°')}), "
        f"{VERDICTS[one.verdict][0]}"
        for side, one in changes.items()
        if one is not None
    ]
    day = f"{last.started.day} {last.started:%B %Y}"
    return f"On {day}, {last.context} against {context}: {'; '.join(said)}."


def _day_change(points: tuple[Point, ...], visit: Visit) -> Change | None:
    return next((one.change_context for one in points if one.session == visit.name), None)


def mode_lines(trend: Trend) -> tuple[str, ...]:
    """Say in which sessions coached sets had to be taken, for want of others."""
    return tuple(
        f"{visit.name}, {side}: no set without coaching, so that of {' and '.join(one.modes)} is "
        "compared."
        for visit in trend.visits
        for side, one in visit.sides.items()
        if one.modes
    )
