"""Analysis -> the report's figures as inline SVG, each with its words for a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.comparison import Comparison
from analysis.findings import PlacedMarker
from analysis.pipeline import Analysis
from analysis.repetitions.measures import Repetition
from analysis.report.curves import POINTS, SideCurves, evenly, side_curves
from analysis.report.svg import (
    BAND,
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
from analysis.sets import SetAnalysis
from analysis.words import LETTERS, interval, number
from imu.units import SIDES

Array = NDArray[np.float64]

WIDTH_IN = 3.6
MAX_POINTS = 8000  # of all curves of one side: 200 repetitions then keep 40 points each
MAX_CURVES = 380
MAX_LOOPS = 24  # in the phase plot more would hide the mean
MAX_DOTS = 40  # repetitions drawn as single dots; more become a line
PAIN_KINDS = ("pain", "pinch", "cramp")
PLANES = (
    ("tilt", "Tilt, °: + the low back arches"),
    ("obliquity", "Obliquity, °: + this side's hip rises"),
    ("rotation", "Rotation, °: + this side's hip comes forward"),
)


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure of the page: an SVG element and the caption below it."""

    name: str
    svg: str
    caption: str


def draw_panels(analysis: Analysis) -> dict[str, Panel]:
    """Draw all figures that the analysis has data for, by name.

    Returns
    -------
    dict of str to Panel
        ``range``, ``difference``, ``curves-right``, ``curves-left``, ``phase``, ``skin``,
        ``pelvis``; a side without a counted repetition has no curves, a single side no difference.
    """
    sides = [side for side in reversed(SIDES) if any(one.side == side for one in analysis.sets)]
    curves = {side: side_curves(analysis.sets, side) for side in sides}
    curves = {side: found for side, found in curves.items() if len(found.ir_deg)}
    reps = {side: _reps(analysis.sets, side) for side in sides}
    panels: list[Panel | None] = []
    with svg_style():
        panels.append(_range_panel(reps))
        panels += [_difference_panel(one) for one in analysis.comparisons[:1]]
        top = max((float(found.ir_deg.max()) for found in curves.values()), default=1.0)
        panels += [_curves_panel(analysis, side, found, top) for side, found in curves.items()]
        panels.append(_phase_panel(curves))
        panels.append(_skin_panel(analysis.sets))
        panels.append(_pelvis_panel(analysis, reps))
    return {panel.name: panel for panel in panels if panel is not None}


def _skin_panel(sets: Sequence[SetAnalysis]) -> Panel | None:
    """The turn as shank and thigh sensor saw it, over each other, in one repetition a side."""
    both = {
        one.side: one
        for one in reversed(sets)
        if one.leg.skin is not None and any(rep.counts for rep in one.reps)
    }
    if not both:
        return None
    figure = new_figure(WIDTH_IN, 1.9)
    width = 0.87 / len(both)
    told = []
    for column, side in enumerate(side for side in reversed(SIDES) if side in both):
        one, left = both[side], 0.11 + column * width
        axes = add_axes(figure, (left, 0.24, width - 0.04, 0.66), "time, s")
        counted = [rep for rep in one.reps if rep.counts]
        number_ = counted[len(counted) // 2].rep
        inside = np.flatnonzero(one.rep_numbers == number_)
        time_s = one.angles.time_s[inside] - one.angles.time_s[inside[0]]
        for leg, dash, weight in (("shank", "-", 1.6), ("thigh", (0, (2, 1.5)), 1.2)):
            turn = one.leg.turns_deg[leg][inside]
            at = evenly(len(inside), POINTS)
            axes.plot(time_s[at], turn[at] - turn[0], color=COLOURS[side], ls=dash, lw=weight)
        share = one.leg.skin.share if one.leg.skin else 1.0
        axes.text(0.5, 1.02, f"{LETTERS[side]}: {100.0 * share:.0f} %", color=COLOURS[side],
                  weight="bold", ha="center", transform=axes.transAxes)  # fmt: skip
        if column:
            axes.set_yticks([])
        told.append(f"{side}: the thigh followed {100.0 * share:.0f} % of the shank's turn")
    limits = [axes.get_ylim() for axes in figure.axes]
    for axes in figure.axes:
        axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    svg = inline_svg(figure, "skin", "Turn by shank and by thigh sensor", "; ".join(told) + ".")
    caption = (
        "One repetition a side, °: the turn as the shank made it (line) and as the thigh's skin "
        "followed it (dashed)."
    )
    return Panel("skin", svg, caption)


def _reps(sets: Sequence[SetAnalysis], side: str) -> list[Repetition]:
    return [rep for one in sets if one.side == side for rep in one.reps]


def _range_panel(reps: dict[str, list[Repetition]]) -> Panel | None:
    """Every repetition's range as a dot, and the mean ± SD, a row a side."""
    figure = new_figure(WIDTH_IN, 1.55)
    axes = add_axes(figure, (0.08, 0.25, 0.89, 0.72), "range of motion, °")
    told, top = [], 1.0
    for row, (side, all_reps) in enumerate(reps.items()):
        counted = [rep for rep in all_reps if rep.counts and rep.rom_deg is not None]
        rom = np.array([rep.rom_deg for rep in counted], dtype=float)
        axes.text(-0.045, -row, LETTERS[side], color=COLOURS[side], weight="bold", size=11,
                  va="center", ha="center", transform=axes.get_yaxis_transform())  # fmt: skip
        if not counted:
            told.append(f"{side}: no counted repetition")
            continue
        top = max(top, float(rom.max()))
        spread = float(rom.std(ddof=1)) if len(rom) > 1 else None
        filled = np.array([rep.verdict == "clean" for rep in counted])
        _range_row(axes, -row, rom, filled, side)
        mean = f"{number(float(rom.mean()), '°')}"
        mean += f" ± {number(spread, '°')}" if spread is not None else ""
        axes.text(float(rom.mean()), -row + 0.3, mean, color=INK, ha="center", va="bottom", size=9)
        told.append(
            f"{side}: mean {mean} over {len(rom)} repetitions, "
            f"{number(float(rom.min()), '°')} to {number(float(rom.max()), '°')}"
        )
    axes.set(xlim=(0, top * 1.15), ylim=(-len(reps) + 0.4, 0.75), yticks=[])
    axes.spines["left"].set_visible(False)
    svg = inline_svg(figure, "range", "Range of motion of each repetition", "; ".join(told) + ".")
    caption = "Each mark is one repetition, hollow where pelvis or leg moved along. Mean ± SD."
    return Panel("range", svg, caption)


def _range_row(axes: Axes, y: float, rom: Array, clean: NDArray[np.bool_], side: str) -> None:
    colour, marker = COLOURS[side], "o" if side == "right" else "s"
    if len(rom) > MAX_DOTS:  # strokes, as one path
        strokes = np.column_stack([rom, rom, np.full(len(rom), np.nan)]).ravel()
        axes.plot(strokes, np.tile([y - 0.12, y + 0.12, np.nan], len(rom)), color=colour, lw=0.5)
    for chosen, face in ((clean, colour), (~clean, "none")) if len(rom) <= MAX_DOTS else ():
        axes.plot(rom[chosen], np.full(int(chosen.sum()), y), marker, ms=4.5, mfc=face, mec=colour,
                  mew=0.9, alpha=0.75, ls="none")  # fmt: skip
    mean, spread = float(rom.mean()), float(rom.std(ddof=1)) if len(rom) > 1 else 0.0
    axes.plot([mean - spread, mean + spread], [y + 0.2] * 2, color=colour, lw=1.6, ls=DASHES[side])
    axes.plot([mean, mean], [y - 0.2, y + 0.28], color=colour, lw=1.6)


def _difference_panel(one: Comparison) -> Panel | None:
    """Draw the difference and its interval against the threshold."""
    if one.difference is None or one.threshold is None:
        return None
    figure = new_figure(WIDTH_IN, 1.55)
    axes = add_axes(figure, (0.08, 0.25, 0.89, 0.72), "right − left, °")  # noqa: RUF001
    limit, low, high = one.threshold, *(one.ci95 or (one.difference, one.difference))
    reach = 1.15 * max(2 * limit, abs(low), abs(high))
    axes.axvspan(-limit, limit, color=BAND, lw=0)
    axes.plot([0, 0], [-1, 1], color=MUTED, lw=0.7)
    if one.ci95 is not None:
        axes.plot([low, high], [0, 0], color=INK, lw=2)
        axes.plot([low, high], [0, 0], "|", color=INK, ms=9, mew=1.4)
    axes.plot([one.difference], [0], "D", color=INK, ms=6)
    axes.text(one.difference, 0.28, number(one.difference, "°", signed=True), color=INK, size=9,
              ha="center", va="bottom")  # fmt: skip
    axes.text(-limit, -0.93, f" ± {number(limit, '°')}", color=MUTED, va="bottom")
    axes.text(-reach, 0.93, " ◂ left larger", color=MUTED, va="top")
    axes.text(reach, 0.93, "right larger ▸ ", color=MUTED, va="top", ha="right")
    axes.set(xlim=(-reach, reach), ylim=(-1, 1), yticks=[])
    axes.spines["left"].set_visible(False)
    told = (
        f"Right minus left {number(one.difference, '°')}, 95 % interval "
        f"{interval(one.ci95, '°')}; threshold {number(limit, '°')} either way: {one.verdict}."
    )
    caption = (
        f"Difference with its 95 % interval. Grey: the ± {number(limit, '°')} that a repeat "
        "measurement can differ by."
    )
    svg = inline_svg(figure, "difference", "Difference of the ranges", told)
    return Panel("difference", svg, caption)


def _curves_panel(analysis: Analysis, side: str, curves: SideCurves, top: float) -> Panel:
    """Draw IR over each repetition, 0 to 100 %, with mean ± SD and the markers of pain."""
    figure = new_figure(WIDTH_IN, 2.5)
    axes = add_axes(figure, (0.13, 0.17, 0.84, 0.8), "% of the repetition", "internal rotation, °")
    n, colour = len(curves.ir_deg), COLOURS[side]
    mean, spread, x = curves.mean()[0], curves.spread_deg(), curves.percent
    axes.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
    _draw_all(axes, np.broadcast_to(x, curves.ir_deg.shape), curves.ir_deg, MAX_CURVES, side)
    axes.plot(x, mean, color=colour, lw=2, ls=DASHES[side])
    axes.text(0.02, 0.97, LETTERS[side], color=colour, weight="bold", size=12, va="top",
              transform=axes.transAxes)  # fmt: skip
    marked = _draw_markers(axes, analysis, side)
    axes.set(xlim=(0, 100), ylim=(min(-3.0, 1.05 * float(curves.ir_deg.min())), top * 1.12))
    axes.set_xticks([0, 25, 50, 75, 100])
    peak = int(mean.argmax())
    told = (
        f"{n} curves of internal rotation over 0 to 100 % of the repetition. The mean peaks at "
        f"{number(float(mean[peak]), '°')} at {x[peak]:.0f} %; SD at most "
        f"{number(float(spread.max()), '°')}.{marked}"
    )
    drawn = "" if n <= MAX_CURVES else f" {MAX_CURVES} of {n} are drawn."
    caption = f"{side.capitalize()}: every counted repetition, mean ± SD.{drawn}"
    name = f"curves-{side}"
    svg = inline_svg(figure, name, f"{side.capitalize()}: the repetitions over each other", told)
    return Panel(name, svg, caption)


def _draw_all(axes: Axes, x: Array, y: Array, most: int, side: str) -> None:
    """Draw many curves as one path with breaks: small, and drawn at once."""
    chosen = evenly(len(y), most)
    points = evenly(POINTS, max(21, MAX_POINTS // max(1, len(chosen))))
    grid = np.ix_(chosen, points)
    gap = np.full((len(chosen), 1), np.nan)
    joined = [np.hstack([table[grid], gap]).ravel() for table in (x, y)]
    axes.plot(*joined, color=COLOURS[side], lw=0.6, alpha=0.45, ls=DASHES[side])


def _draw_markers(axes: Axes, analysis: Analysis, side: str) -> str:
    """Mark pain, pinch and cramp where they fell; return the words for it."""
    reps = {(rep.set, rep.rep): rep for rep in _reps(analysis.sets, side)}
    told = []
    for one in _placed(analysis.markers, side):
        rep = reps[one.set_name, one.rep]
        percent = 100.0 * (one.time_s - rep.start_s) / (rep.end_s - rep.start_s)
        y = one.ir_deg or 0.0
        axes.plot([percent], [y], "X", color=INK, ms=7, mew=0)
        axes.annotate(one.kind, (percent, y), (0, -6), textcoords="offset points", color=INK,
                      ha="center", va="top", weight="bold")  # fmt: skip
        told.append(f" {one.kind} at {number(one.ir_deg, '°')} in repetition {one.rep}.")
    return "".join(told)


def _placed(markers: Sequence[PlacedMarker], side: str) -> list[PlacedMarker]:
    return [
        one for one in markers
        if one.side == side and one.kind in PAIN_KINDS and one.rep and one.ir_deg is not None
    ]  # fmt: skip


def _phase_panel(curves: dict[str, SideCurves]) -> Panel | None:
    """Draw speed against angle: the turn in above, the way back below."""
    if not curves:
        return None
    figure = new_figure(WIDTH_IN, 2.5)
    axes = add_axes(figure, (0.15, 0.17, 0.82, 0.8), "internal rotation, °", "speed, °/s")
    axes.axhline(0, color=LINE, lw=0.8)
    told, most = [], 0
    for side, found in curves.items():
        _draw_all(axes, found.ir_deg, found.speed_deg_s, MAX_LOOPS, side)
        angle, speed = found.mean()
        axes.plot(angle, speed, color=COLOURS[side], lw=2, ls=DASHES[side])
        fast, back = int(speed.argmax()), int(speed.argmin())
        at, where = (fast, "bottom") if side == "right" else (back, "top")  # letters stay apart
        axes.text(angle[at], speed[at], LETTERS[side], color=COLOURS[side], va=where, ha="center",
                  weight="bold", size=11)  # fmt: skip
        most = max(most, len(found.ir_deg))
        told.append(
            f"{side}: fastest inward {number(float(speed[fast]), '°/s')} at "
            f"{number(float(angle[fast]), '°')}, fastest back {number(float(-speed[back]), '°/s')} "
            f"at {number(float(angle[back]), '°')}"
        )
    description = f"Mean loops. {'; '.join(told)}."
    svg = inline_svg(figure, "phase", "Speed against angle", description)
    drawn = "" if most <= MAX_LOOPS else f" {MAX_LOOPS} repetitions of each side are drawn."
    caption = f"Above 0 the turn in, below it the way back; a smooth turn is one round arc.{drawn}"
    return Panel("phase", svg, caption)


def _pelvis_panel(analysis: Analysis, reps: dict[str, list[Repetition]]) -> Panel | None:
    """Draw the pelvis' largest movement in each repetition, one row a plane."""
    if not any(reps.values()):
        return None
    figure = new_figure(WIDTH_IN, 2.9)
    told = []
    for row, (plane, title) in enumerate(PLANES):
        last = row == len(PLANES) - 1
        box = (0.1, 0.735 - 0.3 * row, 0.87, 0.205)
        axes = add_axes(figure, box, "repetition" if last else "")
        limit = getattr(analysis.settings, f"pelvis_{plane}_limit_deg")
        told.append(_pelvis_row(axes, plane, limit, reps))
        axes.text(0, 1.04, title, color=INK, transform=axes.transAxes)
        if not last:
            axes.tick_params(labelbottom=False)
    svg = inline_svg(figure, "pelvis", "Pelvis drift in each repetition", " ".join(told))
    caption = (
        "The pelvis' largest movement in each repetition, by plane. Grey: within the limit. "
        "Right solid with circles, left dashed with squares."
    )
    return Panel("pelvis", svg, caption)


def _pelvis_row(axes: Axes, plane: str, limit_deg: float, reps: dict[str, list[Repetition]]) -> str:
    axes.axhspan(-limit_deg, limit_deg, color=BAND, lw=0)
    axes.axhline(0, color=LINE, lw=0.6)
    told, reach, count = [], 1.3 * limit_deg, 1
    for side, all_reps in reps.items():
        found = [getattr(rep, f"pelvis_{plane}_deg") if rep.counts else None for rep in all_reps]
        values = np.array([np.nan if value is None else value for value in found])
        if not np.isfinite(values).any():
            continue
        marker = "" if len(values) > MAX_DOTS else "o" if side == "right" else "s"
        axes.plot(np.arange(1, len(values) + 1), values, color=COLOURS[side], lw=0.9, marker=marker,
                  ms=3.2, ls=DASHES[side])  # fmt: skip
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        reach, count = max(reach, 1.15 * high, -1.15 * low), max(count, len(values))
        told.append(f"{side} {number(low, '°')} to {number(high, '°')}")
    axes.set(xlim=(0.5, count + 0.5), ylim=(-reach, reach))
    axes.set_xticks(np.unique(np.linspace(1, count, count if count <= 10 else 6).round()))
    axes.set_yticks([-limit_deg, 0, limit_deg])
    return f"{plane.capitalize()}: {', '.join(told)}; limit {number(limit_deg, '°')}."
