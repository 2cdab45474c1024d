"""Records -> counts, distributions and what failed: values that do not grow with the sessions."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from analysis.batch.records import Cell, Order, Record, readable
from imu.units import SIDES

MAX_POINTS = 600  # of each distribution: more could not be told apart
MAX_FAILURES = 200  # told one by one; all are in failures.csv
MAX_REASONS = 300  # kept apart while counting
OTHER = "other reasons"
BIN_DEG = 1.0
FIGURE = re.compile(r"\d+(?:\.\d+)?")


class Point(NamedTuple):
    """One session in a distribution."""

    name: str
    value: float
    grade: str
    html: bool


@dataclass(slots=True)
class Distribution:
    """How one figure is spread over sessions.

    Attributes
    ----------
    bins : Counter
        Sessions by ``floor(value / BIN_DEG)``.
    points : list of Point
        All sessions, or evenly chosen ones where there are more than `MAX_POINTS`.
    n, mean, squares
        Sessions whose quality is not poor, their mean, and the sum of squares about it.
    """

    bins: Counter[int] = field(default_factory=Counter)
    points: list[Point] = field(default_factory=list)
    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    _seen: int = 0
    _every: int = 1

    def add(self, point: Point) -> None:
        """Take in one session."""
        self.bins[math.floor(point.value / BIN_DEG)] += 1
        if self._seen % self._every == 0:
            if len(self.points) == MAX_POINTS:
                del self.points[1::2]
                self._every *= 2
            if self._seen % self._every == 0:
                self.points.append(point)
        self._seen += 1
        if point.grade != "poor":
            self.n += 1
            step = point.value - self.mean
            self.mean += step / self.n
            self.squares += step * (point.value - self.mean)

    def figures(self) -> dict[str, Any]:
        """Return how many, their mean and standard deviation, rounded, for programs."""
        mean = round(self.mean, 6) if self.n else None
        sd = round(math.sqrt(self.squares / (self.n - 1)), 6) if self.n > 1 else None
        return {"n": self.n, "mean": mean, "sd": sd}


class Failure(NamedTuple):
    """A row of ``failures.csv``."""

    session: str
    exit: int
    message: str


@dataclass(slots=True)
class Cohort:
    """All sessions together.

    Attributes
    ----------
    sessions, done : int
        How many there are, and how many have a report.
    exits : Counter
        Failures by exit status.
    failures : list of Failure
        The first of them.
    reasons : Counter
        Failures by their reason, without places and figures.
    grades : dict of str to Counter
        By side.
    codes : Counter
        Sides by what speaks against them.
    ranges : dict of str to Distribution
        Mean range of the counted repetitions, by side.
    differences : Distribution
        Right minus left.
    verdicts : Counter
        On that difference.
    """

    sessions: int = 0
    done: int = 0
    exits: Counter[int] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    grades: dict[str, Counter[str]] = field(
        default_factory=lambda: {side: Counter() for side in SIDES}
    )
    codes: Counter[str] = field(default_factory=Counter)
    ranges: dict[str, Distribution] = field(
        default_factory=lambda: {side: Distribution() for side in SIDES}
    )
    differences: Distribution = field(default_factory=Distribution)
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, record: Record) -> None:
        """Take in one session's record."""
        self.sessions += 1
        if record.exit:
            self._add_failure(Failure(readable(name), record.exit, record.message))
            return
        self.done += 1
        for row in record.rows:
            side, grade = str(row["side"]), str(row["grade"])
            self.grades[side][grade] += 1
            self.codes.update(code for code in str(row["codes"] or "").split(";") if code)
            _add(self.ranges[side], name, row["rom_deg_mean"], grade, record.html)
        self._add_difference(name, record)

    def _add_difference(self, name: str, record: Record) -> None:
        row = next(iter(record.rows), None)
        if row is None or row["range_verdict"] is None:
            return
        self.verdicts[str(row["range_verdict"])] += 1
        poor = any(one["grade"] == "poor" for one in record.rows)
        grade = "poor" if poor else "good"
        _add(self.differences, name, row["range_difference_deg"], grade, record.html)

    def _add_failure(self, failure: Failure) -> None:
        self.exits[failure.exit] += 1
        if len(self.failures) < MAX_FAILURES:
            self.failures.append(failure)
        reason = _reason(failure.message)
        known = reason in self.reasons or len(self.reasons) < MAX_REASONS
        self.reasons[reason if known else OTHER] += 1

    @property
    def exit_status(self) -> int:
        """1 where the machine failed with a session, 3 where a recording did, 0 where all is well.

        A folder that vanished meanwhile, 2 by itself, is the machine's failure, too.
        """
        if self.exits[1] or self.exits[2]:
            return 1
        return 3 if self.exits else 0


def _add(found: Distribution, name: str, value: Cell, grade: str, html: bool) -> None:
    if isinstance(value, int | float):
        found.add(Point(name, float(value), grade, html))


def _reason(message: str) -> str:
    """Take place, figures and remedy off a message, so that like ones fall together.

    >>> _reason("left.csv, line 7: 12 fields, expected 8. Export it again.")
    '… fields, expected …'
    """
    _, _, what = message.partition(": ")
    return FIGURE.sub("…", (what or message).split(". ")[0]).rstrip(".")


def cohort_document(cohort: Cohort, order: Order) -> dict[str, Any]:
    """Arrange the cohort as ``batch.json``, schema ``hiprot.batch/1``, of plain values alone."""
    counts: Mapping[str, Counter[str]] = cohort.grades
    return {
        "schema": "hiprot.batch/1",
        "software": {"name": "hiprot", "version": order.version},
        "root": readable(order.root),
        "sessions": cohort.sessions,
        "done": cohort.done,
        "failed": {str(status): n for status, n in sorted(cohort.exits.items())},
        "reasons": dict(cohort.reasons.most_common()),
        "grades": {side: dict(sorted(found.items())) for side, found in counts.items()},
        "codes": dict(sorted(cohort.codes.items(), key=lambda one: (-one[1], one[0]))),
        "range_deg": {side: found.figures() for side, found in cohort.ranges.items()},
        "range_difference_deg": {
            **cohort.differences.figures(),
            "verdicts": dict(sorted(cohort.verdicts.items())),
        },
        "settings": dict(order.settings),
    }
