"""Errors, cover and widths of stated intervals over many sets, as tables and against goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imu.samples import Array
from tests.benchmarks.scoring import Score

QUANTITIES = {
    "range": "rom_deg",
    "drift": "pelvis_drift_deg",
    "tilt": "pelvis_tilt_deg",
    "obliquity": "pelvis_obliquity_deg",
    "rotation": "pelvis_rotation_deg",
}
WORST = 10
QUARTERS = 4
COVER_PERCENT = (93.0, 99.0)
MIN_QUARTER_PERCENT = 88.0
MAX_WIDTH = 3.5  # times the mean absolute error
MAX_MISCOUNTED = 1.0 / 50.0  # of the sets


@dataclass(frozen=True, slots=True)
class Outcome:
    """One set: its name, what was drawn for it, and its score."""

    name: str
    factors: Mapping[str, float]
    score: Score

    def columns(self, column: str) -> tuple[Array, Array]:
        """Errors and half-widths of the repetitions for which both could be had [deg]."""
        pairs = [
            (pair.error(column), getattr(pair.found, column.replace("_deg", "_uncertainty_deg")))
            for pair in self.score.counted
        ]
        had = [(error, half) for error, half in pairs if half is not None and np.isfinite(error)]
        table = np.array(had, dtype=float).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    @property
    def miscounted(self) -> bool:
        """Whether a repetition was missed or invented, or the set refused."""
        return bool(self.score.missed or self.score.invented or self.score.refusal)


@dataclass(frozen=True, slots=True)
class Cover:
    """One quantity over sets: n repetitions, errors [deg], share inside [%], widths [deg]."""

    n: int
    mean: float
    p95: float
    bias: float
    inside: float
    half_width: float

    @property
    def ratio(self) -> float:
        """Mean half-width over mean absolute error."""
        return self.half_width / self.mean


def cover(outcomes: Sequence[Outcome], column: str) -> Cover:
    parts = [one.columns(column) for one in outcomes]
    errors, halves = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    size = np.abs(errors)
    return Cover(
        len(size),
        float(size.mean()),
        float(np.percentile(size, 95)),
        float(errors.mean()),
        100.0 * float((size <= halves).mean()),
        float(halves.mean()),
    )


def quarters(outcomes: Sequence[Outcome], factor: str) -> list[list[Outcome]]:
    """The sets in four parts of like number, by one factor, ascending."""
    ordered = sorted(outcomes, key=lambda one: one.factors[factor])
    return [list(part) for part in np.array_split(np.array(ordered, dtype=object), QUARTERS)]


def tables(outcomes: Sequence[Outcome]) -> list[str]:
    """All tables as lines."""
    return [
        *_summary(outcomes),
        "",
        *_by_quarter(outcomes),
        "",
        *_worst(outcomes),
        "",
        *_miscounted(outcomes),
    ]


def goals_missed(outcomes: Sequence[Outcome]) -> list[str]:
    """What lies beyond the goals."""
    found = []
    for name, column in QUANTITIES.items():
        one = cover(outcomes, column)
        if not COVER_PERCENT[0] <= one.inside <= COVER_PERCENT[1]:
            low, high = COVER_PERCENT
            found.append(f"{name}: {one.inside:.1f} % inside, {low:g} to {high:g}")
        if one.ratio > MAX_WIDTH:
            found.append(f"{name}: half-width {one.ratio:.2f} times the error, {MAX_WIDTH}")
        for factor in outcomes[0].factors:
            for k, part in enumerate(quarters(outcomes, factor), start=1):
                inside = cover(part, column).inside
                if inside < MIN_QUARTER_PERCENT:
                    found.append(f"{name}: {inside:.1f} % inside in quarter {k} by {factor}")
    share = sum(one.miscounted for one in outcomes) / len(outcomes)
    if share > MAX_MISCOUNTED:
        found.append(f"{100 * share:.1f} % of the sets with a repetition missed or invented")
    return found


def _summary(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [
        f"{'':10s} {'n':>5s} {'mean':>6s} {'95 %':>6s} {'bias':>6s} {'inside':>6s} width ratio"
    ]
    for name, column in QUANTITIES.items():
        one = cover(outcomes, column)
        lines.append(
            f"{name:10s} {one.n:5d} {one.mean:6.3f} {one.p95:6.3f} {one.bias:6.3f} "
            f"{one.inside:6.1f} {one.half_width:5.2f} {one.ratio:5.2f}"
        )
    return lines


def _by_quarter(outcomes: Sequence[Outcome]) -> list[str]:
    """Inside [%] by quarter, a row a factor, and the range's mean error."""
    head = " ".join(f"{name:>19s}" for name in QUANTITIES)
    lines = [f"{'inside, %':14s} {head}   range error, deg"]
    for factor in outcomes[0].factors:
        parts = quarters(outcomes, factor)
        cells = [
            " ".join(f"{cover(part, column).inside:4.0f}" for part in parts)
            for column in QUANTITIES.values()
        ]
        means = " ".join(f"{cover(part, 'rom_deg').mean:5.2f}" for part in parts)
        lines.append(f"{factor:14s} {' '.join(cells)}   {means}")
    return lines


def _worst(outcomes: Sequence[Outcome]) -> list[str]:
    """Sets with the largest mean range error, with their factors."""
    scored = [
        (float(np.abs(errors).mean()), float(halves.mean()), one)
        for one in outcomes
        for errors, halves in [one.columns("rom_deg")]
        if len(errors)
    ]
    lines = ["worst sets by mean range error (half-width)"]
    for error, half, one in sorted(scored, key=lambda row: -row[0])[:WORST]:
        drawn = ", ".join(f"{name} {value:.3g}" for name, value in one.factors.items())
        lines.append(f"{one.name:16s} {error:5.2f} ({half:4.2f}): {drawn}")
    return lines


def _miscounted(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [f"{sum(one.miscounted for one in outcomes)} of {len(outcomes)} sets miscounted"]
    for one in outcomes:
        if not one.miscounted:
            continue
        missed, invented = len(one.score.missed), len(one.score.invented)
        what = one.score.refusal or f"{missed} missed, {invented} invented"
        lines.append(f"{one.name}: {what}; range {one.factors['range']:.1f}")
    return lines
