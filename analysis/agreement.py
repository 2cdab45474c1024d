"""Repeated measurements of several people -> how well they agree, with intervals.

`Agreement` rests on the analysis of variance: between people, and within them. The standard error
of a measurement (SEM) is the root of the variance within, so that what shifts all second
measurements counts as error, too (agreement, not consistency); its interval is that of a variance.
The smallest change that two measurements of one person must differ by is
MDC95 = 1.96 * sqrt(2) * SEM.

The intraclass correlation is of a single measurement:

- ICC(2,1), two-way random effects, absolute agreement, where everybody was measured equally often
  (Shrout & Fleiss 1979, Psychol Bull 86:420; interval: McGraw & Wong 1996, Psychol Methods 1:30,
  case 2, A,1);
- ICC(1,1), one-way random effects, otherwise, with the average number of measurements
  k0 = (N - sum of k_i squared / N) / (n - 1) in its interval (Searle 1971), which is exact where
  that is even.

Bias is the second measurement minus the first, limits of agreement are bias +- 1.96 SD of these
differences, their intervals as Bland & Altman (1999, Stat Methods Med Res 8:135) have them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Interval = tuple[float, float]

TWO_WAY = "ICC(2,1), two-way random effects, absolute agreement, single measurement"
ONE_WAY = "ICC(1,1), one-way random effects, absolute agreement, single measurement"
MDC_FACTOR = 1.96 * math.sqrt(2.0)
TINY = 1e-24  # a variance that is rounding


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """The analysis of variance of repeated measurements.

    Attributes
    ----------
    between, within : float
        Mean squares between people and within them.
    sessions, residual : float or None
        The two parts of ``within``: between first, second, ... measurements, and what is left;
        None where people were measured unequally often.
    people : int
        How many.
    per_person : float
        Measurements a person; where they differ, k0 of the head of this module.
    freedom_within : int
        Degrees of freedom of ``within``.
    """

    between: float
    within: float
    sessions: float | None
    residual: float | None
    people: int
    per_person: float
    freedom_within: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well repeated measurements agree; intervals are of 95 %.

    Attributes
    ----------
    subjects : int
        People measured at least twice.
    measurements : int
        All of theirs.
    icc, icc_ci95, icc_form : float, tuple of float, str
        Intraclass correlation and its form; None for fewer than two people.
    sem, sem_ci95 : float, tuple of float
        Standard error of a measurement, in the measure's unit.
    mdc95, mdc95_ci95 : float, tuple of float
        What two measurements of one person must differ by.
    bias, bias_ci95 : float, tuple of float
        Second minus first; the interval is None for fewer than two people.
    limits_of_agreement, limits_ci95 : tuple of float, float
        Lower and upper limit, and the half-width of the interval of each.
    """

    subjects: int
    measurements: int
    icc: float | None
    icc_ci95: Interval | None
    icc_form: str
    sem: float
    sem_ci95: Interval
    mdc95: float
    mdc95_ci95: Interval
    bias: float
    bias_ci95: Interval | None
    limits_of_agreement: Interval | None
    limits_ci95: float | None


def agreement(tables: Sequence[Sequence[Array]]) -> Agreement | None:
    """Say how well repeated measurements agree.

    Parameters
    ----------
    tables : sequence of sequence of ndarray, shape (k,)
        One table a side, of each person's measurements in order. Of two sides the mean squares
        are averaged, while people and degrees of freedom stay those of one side: the sides of one
        person are not two people. People measured once are left out.

    Returns
    -------
    Agreement or None
        None where nobody was measured twice.
    """
    kept = [[one for one in table if len(one) > 1] for table in tables]
    kept = [table for table in kept if table]
    if not kept:
        return None
    squares = _averaged([mean_squares(table) for table in kept])
    icc, icc_ci95, form = intraclass_correlation(squares)
    sem = math.sqrt(squares.within)
    sem_ci95 = _root_interval(squares.within, squares.freedom_within)
    differences = [np.array([one[1] - one[0] for one in table]) for table in kept]
    bias, bias_ci95, limits, limits_ci95 = _bias(differences)
    return Agreement(
        subjects=squares.people,
        measurements=sum(len(one) for table in kept for one in table),
        icc=icc,
        icc_ci95=icc_ci95,
        icc_form=form,
        sem=sem,
        sem_ci95=sem_ci95,
        mdc95=MDC_FACTOR * sem,
        mdc95_ci95=(MDC_FACTOR * sem_ci95[0], MDC_FACTOR * sem_ci95[1]),
        bias=bias,
        bias_ci95=bias_ci95,
        limits_of_agreement=limits,
        limits_ci95=limits_ci95,
    )


def mean_squares(table: Sequence[Array]) -> MeanSquares:
    """Analyse the variance of one table; everybody in it was measured at least twice."""
    counts = np.array([len(one) for one in table])
    n, total = len(table), int(counts.sum())
    means = np.array([one.mean() for one in table])
    grand = float(np.concatenate(table).mean())
    within = float(sum(((one - one.mean()) ** 2).sum() for one in table))
    between = float((counts * (means - grand) ** 2).sum())
    freedom = total - n
    even = bool((counts == counts[0]).all())
    k0 = float(counts[0]) if even else (total - float((counts**2).sum()) / total) / (n - 1)
    sessions = residual = None
    if even and n > 1:
        k = int(counts[0])
        columns = np.array(table).mean(axis=0)
        of_columns = n * float(((columns - grand) ** 2).sum())
        sessions = of_columns / (k - 1)
        residual = max(within - of_columns, 0.0) / ((n - 1) * (k - 1))
    between = between / (n - 1) if n > 1 else math.nan
    return MeanSquares(between, within / freedom, sessions, residual, n, k0, freedom)


def _averaged(found: Sequence[MeanSquares]) -> MeanSquares:
    """Put the sides' mean squares together; people and freedom are those of the smaller side."""
    least = min(found, key=lambda one: one.freedom_within)
    two_way = all(one.residual is not None for one in found)
    two_way = two_way and len({one.per_person for one in found}) == 1
    return MeanSquares(
        between=float(np.mean([one.between for one in found])),
        within=float(np.mean([one.within for one in found])),
        sessions=float(np.mean([one.sessions or 0.0 for one in found])) if two_way else None,
        residual=float(np.mean([one.residual or 0.0 for one in found])) if two_way else None,
        people=least.people,
        per_person=least.per_person,
        freedom_within=least.freedom_within,
    )


def intraclass_correlation(
    squares: MeanSquares,
) -> tuple[float | None, Interval | None, str]:
    """Intraclass correlation of a single measurement, its 95 % interval and its form."""
    if squares.people < 2:
        return None, None, ONE_WAY
    if squares.sessions is None or squares.residual is None or squares.residual <= TINY:
        return *one_way(squares), ONE_WAY
    return *_two_way(squares, squares.sessions, squares.residual), TWO_WAY


def one_way(squares: MeanSquares) -> tuple[float | None, Interval | None]:
    """ICC(1,1) and its interval; None where nothing differs."""
    k, between, within = squares.per_person, squares.between, squares.within
    if between <= TINY and within <= TINY:
        return None, None
    icc = (between - within) / (between + (k - 1.0) * within)
    if within <= TINY:
        return icc, (icc, icc)
    freedom = (squares.people - 1, squares.freedom_within)
    ratio = between / within
    ends = [ratio / stats.f.ppf(0.975, *freedom), ratio * stats.f.ppf(0.975, *reversed(freedom))]
    low, high = ((float(end) - 1.0) / (float(end) + k - 1.0) for end in ends)
    return icc, (low, high)


def _two_way(
    squares: MeanSquares, sessions: float, residual: float
) -> tuple[float | None, Interval | None]:
    """ICC(2,1) and its interval."""
    n, k, rows = squares.people, squares.per_person, squares.between
    icc = (rows - residual) / (rows + (k - 1) * residual + k * (sessions - residual) / n)
    if icc >= 1.0:
        return icc, (icc, icc)
    a = k * icc / (n * (1.0 - icc))
    b = 1.0 + k * icc * (n - 1.0) / (n * (1.0 - icc))
    spread = (a * sessions) ** 2 / (k - 1) + (b * residual) ** 2 / ((n - 1) * (k - 1))
    freedom = max((a * sessions + b * residual) ** 2 / spread, 1e-3) if spread > TINY else 1.0
    up = float(stats.f.ppf(0.975, n - 1, freedom))
    down = float(stats.f.ppf(0.975, freedom, n - 1))
    rest = k * sessions + (k * n - k - n) * residual
    low = n * (rows - up * residual) / (up * rest + n * rows)
    high = n * (down * rows - residual) / (rest + n * down * rows)
    return icc, (low, high)


def _root_interval(variance: float, freedom: int) -> Interval:
    """95 % interval of the root of a variance."""
    low, high = (float(stats.chi2.ppf(p, freedom)) for p in (0.975, 0.025))
    return math.sqrt(variance * freedom / low), math.sqrt(variance * freedom / high)


def _bias(
    differences: Sequence[Array],
) -> tuple[float, Interval | None, Interval | None, float | None]:
    """Bias, limits of agreement, and their intervals, averaged over the sides."""
    n = min(map(len, differences))
    bias = float(np.mean([one.mean() for one in differences]))
    if n < 2:
        return bias, None, None, None
    sd = math.sqrt(float(np.mean([one.var(ddof=1) for one in differences])))
    t = float(stats.t.ppf(0.975, n - 1))
    half = t * sd / math.sqrt(n)
    of_limits = t * sd * math.sqrt(1.0 / n + 1.96**2 / (2.0 * (n - 1)))
    return bias, (bias - half, bias + half), (bias - 1.96 * sd, bias + 1.96 * sd), of_limits
