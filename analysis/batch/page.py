"""The cohort -> ``batch.html``: one page, offline, without script; each point opens its report."""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis import words
from analysis.batch.cohort import BIN_DEG, MAX_FAILURES, Cohort, Distribution, Point
from analysis.batch.records import PAGE, REPORTS, Order, readable
from analysis.reasons import GRADES
from imu.units import SIDES

WIDTH, HEIGHT = 640.0, 150.0  # of the drawing, in its own units
LEFT, RIGHT, BOTTOM, TOP = 12.0, 12.0, 26.0, 8.0
MAX_REACH_DEG = 120.0  # figures beyond it are no hip's; they are drawn at the edge
MAX_DOT, MIN_DOT = 5.0, 1.6
MAX_LETTERS = 300
MAX_CODES = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """How many sessions are within one degree."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Dot:
    """One session, and where its report is."""

    x: float
    y: float
    href: str
    text: str
    poor: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A distribution as shapes.

    Attributes
    ----------
    bars : tuple of Bar
        All sessions.
    dots : tuple of Dot
        Those of them that are links.
    radius : float
        Of a dot.
    ticks : tuple of (float, str)
        Where, and the figure below.
    band : tuple of float or None
        Left edge and width of what measuring again can differ by.
    zero : float or None
        Where 0 is, where that is within.
    """

    bars: tuple[Bar, ...]
    dots: tuple[Dot, ...]
    radius: float
    ticks: tuple[tuple[float, str], ...]
    band: tuple[float, float] | None
    zero: float | None


def batch_html(cohort: Cohort, order: Order) -> str:
    """Write the page.

    Parameters
    ----------
    cohort : Cohort
        What is shown. Text from outside (names, messages) stays text.
    order : Order
        For the limits and the version.
    """
    here = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader([here, here.parent / "report"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=words.number)
    mdc = order.settings["mdc_range_deg"]
    return environment.get_template("batch.html").render(
        cohort=cohort,
        order=order,
        root=readable(order.root),
        headline=headline(cohort),
        sides=tuple(reversed(SIDES)),
        ranges={side: draw(found) for side, found in cohort.ranges.items() if found.bins},
        difference=draw(cohort.differences, mdc) if cohort.differences.bins else None,
        mdc=mdc,
        size=(WIDTH, HEIGHT, BOTTOM),
        grades=GRADES,
        codes=cohort.codes.most_common(MAX_CODES),
        reasons=cohort.reasons.most_common(MAX_CODES),
        failed=sum(cohort.exits.values()),
        most_failures=MAX_FAILURES,
        most_letters=MAX_LETTERS,
        words=words,
    )


def headline(cohort: Cohort) -> str:
    """Say the first thing: how many, and what their hips do.

    >>> headline(Cohort(sessions=3, done=2))
    '2 of 3 sessions analysed.'
    """
    told = [f"{cohort.done} of {cohort.sessions} sessions analysed."]
    sides = [(side, cohort.ranges[side].figures()) for side in reversed(SIDES)]
    spread = [
        f"{side} {words.number(one['mean'], '°')}"
        + ("" if one["sd"] is None else f" ± {words.number(one['sd'], '°')}")
        for side, one in sides
        if one["n"]
    ]
    if spread:
        told.append(f"Range: {', '.join(spread)}.")
    if compared := sum(cohort.verdicts.values()):
        told.append(f"The sides differ in {cohort.verdicts['different']} of {compared}.")
    return " ".join(told)


def draw(found: Distribution, band_deg: float | None = None) -> Drawing:
    """Lay a distribution out as bars of one degree with the sessions as dots in them.

    Parameters
    ----------
    found : Distribution
        With one session at least.
    band_deg : float, optional
        Half the width of a band about 0, which is then in the middle of the drawing.
    """
    low, high = _limits(found, band_deg)
    scale = (WIDTH - LEFT - RIGHT) / (high - low)
    room = HEIGHT - TOP - BOTTOM
    counts: Counter[int] = Counter()
    for at, n in found.bins.items():
        counts[_bin_within(at, low, high)] += n
    step = room / max(counts.values())

    def x_of(value: float) -> float:
        return round(LEFT + (min(max(value, low), high) - low) * scale, 2)

    floor = HEIGHT - BOTTOM
    bars = tuple(
        Bar(x_of(at * BIN_DEG), round(floor - n * step, 2), round(scale * BIN_DEG, 2),
            round(n * step, 2))
        for at, n in sorted(counts.items())
    )  # fmt: skip
    dots = tuple(
        Dot(x_of(point.value), round(floor - height * step, 2), *_link(point))
        for point, height in _stacked(found.points, counts, low, high)
    )
    radius = min(MAX_DOT, max(MIN_DOT, 0.45 * min(scale * BIN_DEG, step)))
    every = next(one for one in (5, 10, 20, 40) if (high - low) / one <= 10)
    first = int(-(-low // every) * every)
    ticks = tuple((x_of(at), words.number(at, "°").replace(".0", ""))
                  for at in range(first, int(high) + 1, every))  # fmt: skip
    band = None if band_deg is None else (x_of(-band_deg), round(2 * band_deg * scale, 2))
    return Drawing(bars, dots, radius, ticks, band, x_of(0.0) if low < 0 < high else None)


def _limits(found: Distribution, band_deg: float | None) -> tuple[float, float]:
    least, most = min(found.bins) * BIN_DEG, (max(found.bins) + 1) * BIN_DEG
    if band_deg is None:
        return max(min(0.0, least), -MAX_REACH_DEG), min(max(most, 45.0), MAX_REACH_DEG)
    reach = min(max(2 * band_deg, -least, most), MAX_REACH_DEG)
    return -reach, reach


def _bin_within(at: int, low: float, high: float) -> int:
    """Move a bin beyond the edges of the drawing to its edge."""
    return min(max(at, math.floor(low / BIN_DEG)), math.ceil(high / BIN_DEG) - 1)


def _stacked(
    points: Sequence[Point], counts: Counter[int], low: float, high: float
) -> Iterator[tuple[Point, float]]:
    """Give each point its height within its bar, in sessions; chosen ones spread evenly over it."""
    bars: defaultdict[int, list[Point]] = defaultdict(list)
    for point in points:
        at = _bin_within(math.floor(point.value / BIN_DEG), low, high)
        bars[at].append(point)
    for at, stack in sorted(bars.items()):
        for i, point in enumerate(sorted(stack, key=lambda one: one.grade == "poor")):
            yield point, (i + 0.5) * counts[at] / len(stack)


def _link(point: Point) -> tuple[str, str, bool]:
    """Return where a point's report is, relative to the page, its words and whether it is poor."""
    file = PAGE if point.html else "report.json"
    path = quote(os.fsencode(point.name).replace(os.sep.encode(), b"/"))
    poor = point.grade == "poor"
    text = f"{readable(point.name)}: {words.number(point.value, '°')}" + ", poor recording" * poor
    return f"{REPORTS}/{path}/{file}", text, poor
