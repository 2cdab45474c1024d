"""A matplotlib figure -> SVG text that lives inside a page: no colliding names, page colours."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from analysis.report.axes import PlainAxes

RIGHT, LEFT = "#0072b2", "#d55e00"
# Stand-ins, replaced by the page's variables, so that light, dark and print each read well.
INK, MUTED, LINE, BAND = "#101112", "#606162", "#c0c1c2", "#e0e1e2"
PAGE_COLOURS = {
    RIGHT: "var(--right)",
    LEFT: "var(--left)",
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    BAND: "var(--band)",
}
COLOURS = {"right": RIGHT, "left": LEFT}
DASHES = {"right": "-", "left": (0, (4, 2))}

_REFERENCE = re.compile(r'(xlink:href="|url\()#([^")]+)')
_NAME = re.compile(r' id="([^"]+)"')
_DECIMALS = re.compile(r"(?<=\.\d\d)\d+")
_ROOT = re.compile(r"<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>")
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
_COLOUR = re.compile("|".join(PAGE_COLOURS))


@contextmanager
def svg_style() -> Iterator[None]:
    """Hold matplotlib's settings for text as text, small type and the same bytes every time."""
    with mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "hiprot",
            "font.family": ["DejaVu Sans"],
            "font.size": 8.0,
            "path.simplify_threshold": 0.2,
        }
    ):
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """Make an empty figure without background, apart from pyplot."""
    figure = Figure(figsize=(width_in, height_in))
    FigureCanvasSVG(figure)
    figure.patch.set_visible(False)
    return figure


def add_axes(
    figure: Figure,
    box: tuple[float, float, float, float],
    xlabel: str,
    ylabel: str = "",
    *,
    own_ticks: bool = False,
) -> Axes:
    """Add plain axes: two thin spines, small muted ticks.

    With ``own_ticks`` they are matplotlib's, slower, whose labels can be words and of two kinds.
    """
    axes: Axes = figure.add_axes(box, axes_class=Axes if own_ticks else PlainAxes)
    if own_ticks:
        axes.tick_params(length=3, width=0.6)
        axes.locator_params(nbins=6)
    axes.patch.set_visible(False)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(LINE)
    axes.tick_params(color=LINE, labelcolor=MUTED)
    axes.set_xlabel(xlabel, color=MUTED)
    axes.set_ylabel(ylabel, color=MUTED)
    return axes


def inline_svg(figure: Figure, name: str, title: str, description: str) -> str:
    """Render a figure as an element of an HTML page.

    Parameters
    ----------
    figure : Figure
        Drawn under `svg_style`.
    name : str
        Unique in the page; every id in the figure starts with it.
    title, description : str
        Read aloud instead of the figure; escaped here.
    """
    file = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=no_metadata)
    text = file.getvalue()
    text = _STYLE.sub("", text[text.index("<svg ") :], count=1)
    used = {found for _, found in _REFERENCE.findall(text)}
    text = _NAME.sub(lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", text)
    text = _REFERENCE.sub(rf"\1#{name}-\2", text)
    text = _DECIMALS.sub("", text)
    text = _COLOUR.sub(lambda m: PAGE_COLOURS[m[0]], text)
    text = text.replace("'DejaVu Sans'", "var(--font)")
    spoken = (
        f'<title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(description)}</desc>'
    )
    root = f'<svg class="figure" role="img" aria-labelledby="{name}-t {name}-d" viewBox='
    return _ROOT.sub(lambda m: f'{root}"{m[1]}">{spoken}', text, count=1).strip()
