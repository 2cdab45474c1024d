"""Trend -> ``trend.html``: one page, offline, without script, on one sheet up to 12 sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from analysis import words
from analysis.changes import CLEAN, Change
from analysis.norms import NORM_CAUTION, NORMS
from analysis.report.html import MAX_LETTERS, page_environment
from analysis.report.trend_figures import charts_of, draw_trend
from analysis.trend import ASYMMETRY, HEADLINE, Point, Trend
from analysis.trend_words import day_line, headlines, mode_lines
from analysis.visits import BY_NAME, Visit
from imu.units import SIDES

MAX_ROWS = 200  # sessions in the table, the latest; all are in trend.csv
MAX_REFUSED = 50
ONE_SHEET = 12  # sessions


def trend_html(trend: Trend, document: Mapping[str, Any], refused: Mapping[str, str]) -> str:
    """Write the page.

    Parameters
    ----------
    trend : Trend
        What is shown.
    document : Mapping
        Of `analysis.report.trend_document.trend_document`, for versions and limits.
    refused : Mapping of str to str
        Sessions that could not be analysed, and why.

    Returns
    -------
    str
        HTML, self-contained. Text from outside stays text.
    """
    charts, strip = draw_trend(trend)
    rows = [_row(trend, visit) for visit in trend.visits[-MAX_ROWS:]]
    return (
        page_environment()
        .get_template("trend.html")
        .render(
            trend=trend,
            document=document,
            lines=headlines(trend),
            day=day_line(trend),
            modes=mode_lines(trend),
            charts=[
                {"svg": Markup(panel.svg), "changes": _changes(trend, measure, apart)}
                for panel, (measure, apart, _) in zip(charts, charts_of(trend), strict=True)
            ],
            strip=None if strip is None else Markup(strip.svg),
            rows=rows,
            contexts=any(one.context for one in trend.visits),
            refused=dict(list(refused.items())[:MAX_REFUSED]),
            limits=_limits(trend),
            norms=NORMS,
            norm_caution=NORM_CAUTION,
            words=words,
            dense=len(trend.visits) > ONE_SHEET,
            most_letters=MAX_LETTERS,
        )
    )


def _changes(trend: Trend, measure: str, apart: bool) -> list[dict[str, str]]:
    """Say below a chart how its last session stands against the first, a line a side."""
    unit = "" if measure == CLEAN else BY_NAME[measure].unit
    said = []
    for series in (ASYMMETRY,) if apart else reversed(SIDES):
        points = [one for one in trend.measures[measure][series] if one.usable]
        change = points[-1].change_first if points else None
        if change is not None:
            letter = words.LETTERS.get(series, "R−L")  # noqa: RUF001
            said.append(
                {"side": series, "letter": letter, "verdict": change.verdict,
                 "text": _change_text(change, measure, unit)}
            )  # fmt: skip
    return said


def _change_text(change: Change, measure: str, unit: str) -> str:
    if measure == CLEAN:
        return words.number(100.0 * (change.difference or 0.0), "%", signed=True)
    difference = words.number(change.difference, unit, signed=True, bare=True)
    return f"{difference} ({words.interval(change.ci95, unit, bare=True)})"


def _row(trend: Trend, visit: Visit) -> dict[str, Any]:
    """One session's row of the table."""
    points = {series: _point(trend, HEADLINE, series, visit.name) for series in (*SIDES, ASYMMETRY)}
    when = "" if visit.started is None else f"{visit.started.day} {visit.started:%b %Y, %H:%M}"
    scores = [mark.score for mark in visit.marks if mark.score is not None]
    pain = f"{max(scores):g}" if scores else "marked" if visit.marks else ""
    sides = {side: {"clean": f"{one.clean} of {one.counted}"} for side, one in visit.sides.items()}
    grades = [
        {"side": side, "grade": one.grade}
        for side, one in sorted(visit.sides.items(), reverse=True)
    ]
    if len(sides) == 2 and grades[0]["grade"] == grades[1]["grade"]:
        grades = [{"side": "", "grade": grades[0]["grade"]}]
    return {"name": visit.name, "when": when, "context": visit.context or "", "points": points,
            "sides": sides, "grades": grades, "pain": pain}  # fmt: skip


def _point(trend: Trend, measure: str, series: str, session: str) -> Point | None:
    points = trend.measures[measure][series]
    return next((one for one in points if one.session == session), None)


def _limits(trend: Trend) -> list[str]:
    """Name each threshold and its source, once."""
    by_source: dict[str, list[str]] = {}
    for measure, apart, title in charts_of(trend):
        for series in (ASYMMETRY,) if apart else SIDES:
            for point in reversed(trend.measures[measure][series]):
                if point.change_first is not None:
                    names = by_source.setdefault(point.change_first.threshold_source, [])
                    name = title[0].lower() + title.split(",")[0][1:]
                    if name not in names:
                        names.append(name)
                    break
    return [f"{', '.join(names)}: {source}" for source, names in by_source.items() if source]
