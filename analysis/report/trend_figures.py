"""Trend -> one small chart a measure, and the strip of pain below, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.changes import CLEAN
from analysis.report.figures import Panel
from analysis.report.svg import (
    COLOURS,
    DASHES,
    INK,
    LINE,
    MUTED,
    add_axes,
    inline_svg,
    new_figure,
    svg_style,
)
from analysis.trend import ASYMMETRY, HEADLINE, Point, Trend
from analysis.visits import PAIN_KINDS
from analysis.words import number
from imu.units import SIDES

Array = NDArray[np.float64]

WIDTH_IN, HEIGHT_IN = 2.5, 1.2
STRIP_IN = (7.6, 0.75)
MANY = 24  # more sessions get smaller marks and no bars
MARKERS = {"right": "o", "left": "s", ASYMMETRY: "D"}
PAIN_MARKERS = {"pain": "X", "pinch": "^", "cramp": "v"}
CHARTS = (  # measure, asymmetry or sides, title
    (HEADLINE, False, "Range of motion, °"),
    (HEADLINE, True, "Right minus left, °"),
    (CLEAN, False, "Clean repetitions, %"),
    ("pelvis_drift_deg", False, "Pelvis drift, °"),
    ("return_error_deg", False, "Return error, °"),
    ("rom_sd_deg", False, "Spread of range (SD), °"),
    ("inward_s", False, "Duration inward, s"),
    ("return_s", False, "Duration back, s"),
    ("hold_s", False, "End-range hold, s"),
)


def draw_trend(trend: Trend) -> tuple[tuple[Panel, ...], Panel | None]:
    """Draw a chart for every measure that is shown, and the strip of pain where any was marked.

    Returns
    -------
    tuple
        The charts in order, named by measure (of the asymmetry with its name behind it), and the
        strip or None.
    """
    at = positions(trend)
    with svg_style():
        charts = tuple(
            _chart(trend, at, measure, ASYMMETRY if apart else "", title)
            for measure, apart, title in charts_of(trend)
        )
        strip = _pain_strip(trend, at)
    return charts, strip


def charts_of(trend: Trend) -> list[tuple[str, bool, str]]:
    """Choose the charts of the measures that the trend has."""
    return [one for one in CHARTS if one[0] in trend.measures]


def positions(trend: Trend) -> dict[str, float]:
    """Place the sessions along the axis, 0 to 1: by time where it is known, never on one another.

    Sessions closer than a third of an even step are pushed apart, so that two of one day are both
    seen; the marks of the axis stand at the sessions themselves.
    """
    visits = trend.visits
    first = visits[0].started
    seconds = np.array(
        [(one.started - first).total_seconds() if one.started and first else 0.0 for one in visits]
    )
    span = float(seconds[-1]) if trend.by_time else 0.0
    even = np.linspace(0.0, 1.0, len(visits)) if len(visits) > 1 else np.array([0.5])
    if span > 0:
        least = 1.0 / (3.0 * len(visits))
        even = seconds / span
        for i in range(1, len(even)):
            even[i] = max(even[i], even[i - 1] + least)
        even = even / max(1.0, float(even[-1]))
    return {one.name: float(x) for one, x in zip(visits, even, strict=True)}


def _chart(trend: Trend, at: dict[str, float], measure: str, series: str, title: str) -> Panel:
    """Draw one measure: a band about each first session, points, bars, lines."""
    figure = new_figure(WIDTH_IN, HEIGHT_IN)
    axes = add_axes(figure, (0.13, 0.18, 0.85, 0.66), "", own_ticks=True)
    axes.text(-0.12, 1.1, title, color=INK, weight="bold", transform=axes.transAxes)
    scale = 100.0 if measure == CLEAN else 1.0
    told = []
    for name in (series,) if series else reversed(SIDES):
        points = trend.measures[measure][name]
        if points:
            told.append(_draw_series(axes, at, points, name, scale))
    if measure == HEADLINE and not series and trend.target_deg is not None:
        axes.axhline(trend.target_deg, color=INK, lw=0.9, ls=":")
        axes.text(1.0, trend.target_deg, "target", color=INK, size=7, ha="right", va="bottom",
                  transform=axes.get_yaxis_transform())  # fmt: skip
        told.append(f"target {number(trend.target_deg, '°')}")
    if series:
        axes.axhline(0.0, color=LINE, lw=0.7)
    _time_axis(axes, trend, at)
    _room(axes, measure == CLEAN)
    full = f"{measure}-{series}" if series else measure
    said = "; ".join(told) if told else "no session has it"
    return Panel(full, inline_svg(figure, f"t-{full}", title, f"{said}."), title)


def _draw_series(
    axes: Axes, at: dict[str, float], points: Sequence[Point], name: str, scale: float
) -> str:
    colour = COLOURS.get(name, INK)
    seen = [one for one in points if one.mean is not None]
    if not seen:
        return f"{name}: none"
    x = np.array([at[one.session] for one in seen])
    y = scale * np.array([one.mean for one in seen], dtype=float)
    used = np.array([one.usable for one in seen])
    size = 4.2 if len(at) <= MANY else 2.4
    _band(axes, seen, colour)
    if len(at) <= MANY:
        half = scale * np.array([one.uncertainty or 0.0 for one in seen])
        axes.vlines(x, y - half, y + half, color=colour, lw=0.7, alpha=0.7)
    axes.plot(x[used], y[used], color=colour, lw=1.1, ls=DASHES.get(name, "-"))
    for chosen, face in ((used, colour), (~used, "none")):
        axes.plot(x[chosen], y[chosen], MARKERS[name], ms=size, mfc=face, mec=colour, mew=0.9,
                  ls="none")  # fmt: skip
    poor = int((~used).sum())
    said = f"{name}: {len(seen)} sessions, from {number(float(y[0]))} to {number(float(y[-1]))}"
    return said + (f", {poor} of them left out for poor quality" if poor else "")


def _band(axes: Axes, points: Sequence[Point], colour: str) -> None:
    """Shade what measuring again can differ by, about the session that others are held against."""
    changes = [(one, one.change_first) for one in points if one.change_first is not None]
    if not changes:
        return
    last, change = changes[-1]
    if change.threshold is None or change.difference is None or last.mean is None:
        return
    first = last.mean - change.difference
    axes.axhspan(first - change.threshold, first + change.threshold, color=colour, alpha=0.1, lw=0)


def _room(axes: Axes, share: bool) -> None:
    """Leave air around the points; shares keep their whole scale."""
    if share:
        axes.set_ylim(-6, 106)
        axes.set_yticks([0, 50, 100])
        return
    low, high = axes.get_ylim()
    if high - low < 1e-9:
        axes.set_ylim(low - 1.0, high + 1.0)
    axes.locator_params(axis="y", nbins=4)


def _time_axis(axes: Axes, trend: Trend, at: dict[str, float]) -> None:
    """Mark every session, and name the first and the last."""
    axes.set_xlim(-0.05, 1.05)
    axes.set_xticks(list(at.values()), minor=True)
    axes.tick_params(axis="x", which="minor", length=2, width=0.5, color=LINE)
    axes.tick_params(axis="x", which="major", length=0)
    places = list(at.values())
    ends = sorted({0, len(places) - 1})
    axes.set_xticks([places[end] for end in ends])
    labels = axes.set_xticklabels([_label(trend, end) for end in ends], color=MUTED)
    if len(ends) == 2:
        labels[0].set_horizontalalignment("left")
        labels[-1].set_horizontalalignment("right")


def _label(trend: Trend, place: int) -> str:
    """Name a session by its date, or by its place: names from outside are no axis' labels."""
    started = trend.visits[place].started
    if not trend.by_time or started is None:
        return f"session {place + 1}"
    return f"{started.day} {started:%b %Y}"


def _pain_strip(trend: Trend, at: dict[str, float]) -> Panel | None:
    """Draw every marker of pain by session and score; one without a score stands at 0, hollow."""
    if not any(one.marks for one in trend.visits):
        return None
    figure = new_figure(*STRIP_IN)
    axes = add_axes(figure, (0.045, 0.26, 0.945, 0.52), "", own_ticks=True)
    axes.text(0.0, 1.12, "Pain ✕, pinch ▲ and cramp ▼, score 0 to 10", color=INK, weight="bold",
              transform=axes.transAxes)  # fmt: skip
    told = []
    for visit in trend.visits:
        for mark in visit.marks:
            colour = COLOURS[mark.side]
            x = at[visit.name] + (0.004 if mark.side == "right" else -0.004)
            score = 0.0 if mark.score is None else mark.score
            axes.vlines([x], 0, score, color=colour, lw=0.8)
            face = "none" if mark.score is None else colour
            axes.plot([x], [score], PAIN_MARKERS[mark.kind], ms=5.5, color=colour, mfc=face)
            given = "" if mark.score is None else f" {mark.score:g}"
            told.append(f"{visit.name} {mark.side} {mark.kind}{given}")
    axes.set_ylim(-0.8, 10.8)
    axes.set_yticks([0, 5, 10])
    _time_axis(axes, trend, at)
    kinds = ", ".join(PAIN_KINDS)
    said = "; ".join(told[:200])
    svg = inline_svg(figure, "t-pain", f"Markers of {kinds}", f"{len(told)} markers: {said}.")
    return Panel("pain", svg, "")
