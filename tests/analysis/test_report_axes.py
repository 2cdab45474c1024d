"""Ticks drawn in one go stand where matplotlib puts its own, and say the same."""

import re

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.report.axes import PlainAxes
from analysis.report.svg import LINE, MUTED, inline_svg, new_figure, svg_style

SOME = {"ylim": (-3, 30)}
BOX = (0.15, 0.2, 0.8, 0.7)


def matplotlibs(figure: Figure) -> Axes:
    axes = figure.add_axes(BOX)
    axes.tick_params(colors=MUTED, length=3, width=0.6, color=LINE)
    axes.locator_params(nbins=6)
    return axes


def ours(figure: Figure) -> Axes:
    axes: Axes = figure.add_axes(BOX, axes_class=PlainAxes)
    axes.tick_params(color=LINE, labelcolor=MUTED)
    return axes


def drawn(make, change) -> tuple[list[str], list[str]]:
    """Texts with all that places them, and the places of the ticks' marks."""
    with svg_style():
        figure = new_figure(3.6, 2.0)
        axes = make(figure)
        axes.patch.set_visible(False)
        axes.set_xlabel("range, °", color=MUTED)
        axes.set_ylabel("speed, °/s", color=MUTED)
        change(axes)
        svg = inline_svg(figure, "x", "t", "d")
    marks = re.findall(r'<use [^>]*x="[^"]*" y="[^"]*"[^>]*style="[^"]*"', svg)
    places = [re.sub(r'xlink:href="[^"]*" ', "", mark) for mark in marks]
    return sorted(re.findall(r"<text [^>]*>[^<]*</text>", svg)), sorted(places)


@pytest.mark.parametrize(
    "change",
    [
        lambda axes: axes.set(xlim=(0, 38.4), ylim=(-61.3, 55)),
        lambda axes: axes.set(xlim=(-12, 12), ylim=(-1, 1), yticks=[]),
        lambda axes: axes.set(xlim=(0, 1e-4), ylim=(-3000, 20000)),
        lambda axes: (axes.set(**SOME, xlim=(0, 100)), axes.set_xticks([0, 25, 50, 75, 100])),
        lambda axes: (axes.set(**SOME, xlim=(0.5, 8.5)), axes.set_xticks(np.arange(1, 9))),
        lambda axes: (axes.set(xlim=(0, 9), **SOME), axes.tick_params(labelbottom=False)),
        lambda axes: axes.plot([0, 1, 2], [10, 20, -3]),
        lambda axes: axes.set(xlim=(0, 9), ylabel="", **SOME),
    ],
)
def test_ticks_and_labels_stand_where_matplotlibs_do(change):
    texts, marks = drawn(ours, change)
    expected_texts, expected_marks = drawn(matplotlibs, change)
    assert texts == expected_texts
    assert marks == expected_marks
    assert texts


def test_no_figure_hides_in_an_offset():
    texts, _ = drawn(ours, lambda axes: axes.set(xlim=(5000.0, 5000.001), ylim=(0, 2e9)))
    figures = [float(text) for text in re.findall(r">([\d.]+)<", "".join(texts))]
    assert max(figures) >= 1e9
    assert all(one < 0.001 or one > 4999 or one == 0 for one in figures)


def test_no_tick_is_made():
    with svg_style():
        axes = ours(new_figure(3, 2))
    assert len(axes.xaxis.majorTicks) == 0
    assert len(axes.yaxis.minorTicks) == 0
