"""Axes whose ticks are drawn in one go: they look as matplotlib's and cost a fifth.

A tick of matplotlib is two marks, a grid line and two labels, made, placed and asked for its size
one by one; of a page's figures that is three quarters of the time. Here an axis draws all its marks
as one line and its labels by one text that moves. Locators, formatters, paddings and the place of
the axis' label are matplotlib's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.backend_bases import RendererBase
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray

TICK_PT, TICK_WIDTH_PT = 3.0, 0.6
LABEL_PAD_PT, AXIS_LABEL_PAD_PT = 3.5, 4.0  # matplotlib's own
MOST_TICKS, STEPS = 6, (1, 2, 2.5, 5, 10)
HALF_PIXEL = 0.5  # a tick this far beyond the edge is still at the edge


class _PlainXAxis(XAxis):
    """An axis that makes no ticks: matplotlib makes two to begin with, to ask them things."""

    majorTicks: Any = ()  # noqa: N815  matplotlib's names; it asks of them length and members
    minorTicks: Any = ()  # noqa: N815


class _PlainYAxis(YAxis):
    majorTicks: Any = ()  # noqa: N815
    minorTicks: Any = ()  # noqa: N815


class PlainAxes(Axes):
    """Axes with two thin spines and ticks outside, without grid or title.

    `set_xticks`, `set_yticks`, ``set_xlabel`` and ``set_ylabel`` are as ever; of `tick_params` only
    the colours and ``labelbottom`` are heeded.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ticks_at: dict[str, Sequence[float]] = {}
        self._tick_style: dict[str, Any] = {"color": "k", "labelcolor": "k", "labelbottom": True}
        super().__init__(*args, **kwargs)
        for axis in (self.xaxis, self.yaxis):
            axis.set_visible(False)
            axis.set_major_locator(MaxNLocator(MOST_TICKS, steps=STEPS))
        self.ticklabel_format(style="plain", useOffset=False)  # nothing is written beside the axis
        self.set_title("", y=1.0)  # at a fixed height: otherwise it looks for ticks at the top

    def _init_axis(self) -> None:
        """Take our axes in place of matplotlib's; without this hook they would only be slower."""
        self.xaxis = _PlainXAxis(self, clear=False)
        self.yaxis = _PlainYAxis(self, clear=False)
        for name, spine in self.spines.items():
            spine.register_axis(self.xaxis if name in ("bottom", "top") else self.yaxis)

    def set_xticks(self, ticks: Any, *args: Any, **kwargs: Any) -> Any:
        """Put ticks there, and nowhere else."""
        del args, kwargs
        self._ticks_at["x"] = ticks
        return []

    def set_yticks(self, ticks: Any, *args: Any, **kwargs: Any) -> Any:
        """Put ticks there, and nowhere else."""
        del args, kwargs
        self._ticks_at["y"] = ticks
        return []

    def tick_params(self, axis: Any = "both", **kwargs: Any) -> None:
        """Set ``color`` of the marks, ``labelcolor``, and whether there is a ``labelbottom``."""
        del axis
        known = {name: value for name, value in kwargs.items() if name in self._tick_style}
        self._tick_style.update(known)

    def draw(self, renderer: RendererBase) -> None:
        """Draw all, the ticks last."""
        super().draw(renderer)
        if self.get_visible():
            self._draw_ticks(renderer, "x", self.xaxis)
            self._draw_ticks(renderer, "y", self.yaxis)

    def _draw_ticks(self, renderer: RendererBase, name: str, axis: Axis) -> None:
        renderer.open_group(f"ticks-{name}")
        at = self._places(name, axis)
        across = np.zeros(len(at))
        marker: Any = TICKDOWN
        transform = self.get_xaxis_transform("tick1")
        if name == "y":
            marker = TICKLEFT
            transform = self.get_yaxis_transform("tick1")
        marks = Line2D(
            *((at, across) if name == "x" else (across, at)),
            color=self._tick_style["color"], linestyle="none", marker=marker, markersize=TICK_PT,
            markeredgewidth=TICK_WIDTH_PT, transform=transform,
        )  # fmt: skip
        self._draw_within(renderer, marks)
        texts = axis.get_major_formatter().format_ticks(at.tolist())
        edge = self._draw_labels(renderer, name, texts, at)
        self._draw_axis_label(renderer, name, axis.label, edge)
        renderer.close_group(f"ticks-{name}")

    def _places(self, name: str, axis: Axis) -> NDArray[np.float64]:
        """Find the ticks that lie within the view."""
        found = self._ticks_at.get(name)
        at = np.asarray(axis.get_majorticklocs() if found is None else found, dtype=np.float64)
        low, high = sorted(float(end) for end in axis.get_view_interval())
        box = self.get_window_extent()
        margin = HALF_PIXEL * (high - low) / max(box.width if name == "x" else box.height, 1.0)
        return np.array([one for one in at if low - margin <= one <= high + margin])

    def _draw_labels(
        self, renderer: RendererBase, name: str, texts: Sequence[str], at: NDArray[np.float64]
    ) -> float:
        """Draw the labels of the ticks; return how far down or left they reach, in pixels."""
        box = self.get_window_extent()
        edge = float(box.y0 if name == "x" else box.x0)
        edge -= _pixels(renderer, TICK_PT) if len(at) else 0.0
        if name == "x" and not self._tick_style["labelbottom"]:
            return edge
        pad = LABEL_PAD_PT + TICK_PT
        place = self.get_xaxis_text1_transform if name == "x" else self.get_yaxis_text1_transform
        transform, va, ha = place(pad)
        label = Text(color=self._tick_style["labelcolor"], va=va, ha=ha, transform=transform)
        measured = bool((self.xaxis if name == "x" else self.yaxis).label.get_text())
        for text, where in zip(texts, at.tolist(), strict=True):
            label.set_text(text)
            label.set_position((where, 0.0) if name == "x" else (0.0, where))
            self._draw_within(renderer, label)
            if measured:
                extent = label.get_window_extent(renderer)
                edge = min(edge, float(extent.y0 if name == "x" else extent.x0))
                measured = name == "y"  # below the figures of an x axis it is the same for all
        return edge

    def _draw_axis_label(self, renderer: RendererBase, name: str, label: Text, edge: float) -> None:
        """Draw an axis' own label, clear of those of its ticks."""
        if not label.get_text():
            return
        box = self.get_window_extent()
        beyond = edge - _pixels(renderer, AXIS_LABEL_PAD_PT)
        middle_x, middle_y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        label.set_transform(IdentityTransform())
        label.set_position((middle_x, beyond) if name == "x" else (beyond, middle_y))
        label.draw(renderer)

    def _draw_within(self, renderer: RendererBase, artist: Artist) -> None:
        figure = self.get_figure(root=False)
        if figure is not None:
            artist.set_figure(figure)
        artist.draw(renderer)


def _pixels(renderer: RendererBase, points: float) -> float:
    found: Any = renderer.points_to_pixels(points)
    return float(found)
