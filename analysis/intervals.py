"""Repetitions of two sides -> 95 % interval of the difference, verdict, and the exact test.

Repetitions of one person are not independent: in 24 real sets of ten their lag-1 correlation is
about 0.3, and Welch's interval then holds the truth in 86 % only. The interval of means is the
serial t of Tang & Landes (2020, PLOS ONE 15:e0228077, arXiv 1904.01622): with the correlation rho
of a first-order process a set of n counts as n / f repetitions,

    f = 1 + 2 * sum over k of (1 - k / n) * rho**k,

its variance is (n - 1) / (n - f) times the sample's, and the degrees of freedom follow from n / f.
Eight repetitions cannot tell rho, so that the estimate (both sides pooled, bias of short series
taken out; a slow trend reads as correlation, which widens the interval) is weighed against what
real sets showed: 0.3 with a standard deviation of 0.2. Coverage: ``tests/benchmarks/verdicts.py``.

Spreads take the jackknife's standard error, which holds whatever the distribution where the sides
are alike; correlation costs a variance the factor of the same sum over rho**(2k).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import stdtrit

Array = NDArray[np.float64]

USUAL_CORRELATION = 0.3  # lag-1, mean of 24 real sets of ten, bias of short series taken out
USUAL_CORRELATION_SD = 0.2
MOST_CORRELATION = 0.7  # beyond it a set of eight would count as one repetition
EXACT_P = 0.05  # two-sided, of Fisher's exact test


def difference_interval(left: Array, right: Array, *, spread: bool = False) -> tuple[float, float]:
    """95 % interval of right minus left, of the means or of the standard deviations.

    Parameters
    ----------
    left, right : ndarray, shape (n,), (m,)
        One value a repetition in the order they were made, at least three a side.
    spread : bool
        Compare standard deviations instead of means.

    Returns
    -------
    tuple of float
        Lower and upper end; both the difference itself where no repetition differs from another.

    Notes
    -----
    Method and measured coverage: the head of this module.
    """
    sides = (left, right)
    if spread:
        found = float(np.std(right, ddof=1) - np.std(left, ddof=1))
    else:
        found = float(np.mean(right) - np.mean(left))
    rho = serial_correlation(left, right)
    errors = [(_spread_error if spread else _mean_error)(side, rho) for side in sides]
    total = sum(variance for variance, _ in errors)
    if total <= 1e-24:  # all alike: nothing to estimate
        return found, found
    freedom = total**2 / sum(variance**2 / degrees for variance, degrees in errors)
    half_width = float(stdtrit(freedom, 0.975)) * math.sqrt(total)
    return found - half_width, found + half_width


def mean_interval(values: Array, *, spread: bool = False) -> tuple[float, float]:
    """95 % interval of one set's mean, or of its standard deviation.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a repetition in the order they were made, at least three.
    spread : bool
        Of the standard deviation instead of the mean.
    """
    found = float(np.std(values, ddof=1) if spread else np.mean(values))
    error = _spread_error if spread else _mean_error
    variance, degrees = error(values, serial_correlation(values))
    half_width = float(stdtrit(degrees, 0.975)) * math.sqrt(variance)
    return found - half_width, found + half_width


def widened(ci95: tuple[float, float], half_width: float) -> tuple[float, float]:
    """Widen an interval by an independent error that repeating does not average out.

    >>> widened((-3.0, 3.0), 4.0)
    (-5.0, 5.0)
    """
    middle = (ci95[0] + ci95[1]) / 2.0
    half = math.hypot((ci95[1] - ci95[0]) / 2.0, half_width)
    return middle - half, middle + half


def serial_correlation(*runs: Array) -> float:
    """Lag-1 correlation of repetitions, weighed against the usual one, from 0 to 0.7.

    Parameters
    ----------
    *runs : ndarray, shape (n,)
        Repetitions in order, a run a side; each is scaled to its own spread.
    """
    products, count = 0.0, 0
    for run in runs:
        centred = run - run.mean()
        power = float(centred @ centred)
        if power > 1e-24:
            products += len(run) * float(centred[1:] @ centred[:-1]) / power
            count += len(run)
    if not count:
        return USUAL_CORRELATION
    n = count / len(runs)  # of one run: its mean is taken off each
    seen = products / count + (1.0 + 4.0 * USUAL_CORRELATION) / n  # bias: Marriott & Pope 1954
    noise = 1.0 / count
    prior = USUAL_CORRELATION_SD**2
    rho = (seen * prior + USUAL_CORRELATION * noise) / (prior + noise)
    return min(max(rho, 0.0), MOST_CORRELATION)


def verdict_of(ci95: tuple[float, float], threshold: float) -> str:
    """Say what the interval allows: within the threshold, wholly beyond it, or neither.

    >>> verdict_of((-1.0, 2.0), 5.4), verdict_of((6.0, 9.0), 5.4), verdict_of((4.0, 9.0), 5.4)
    ('matched', 'different', 'inconclusive')
    """
    low, high = ci95
    if -threshold <= low and high <= threshold:
        return "matched"
    return "different" if low > threshold or high < -threshold else "inconclusive"


def shares_differ(left: int, left_n: int, right: int, right_n: int) -> bool:
    """Whether two shares differ beyond chance, by Fisher's exact test.

    >>> shares_differ(3, 8, 8, 8), shares_differ(4, 8, 8, 8)
    (True, False)
    """
    table = np.array([[left, left_n - left], [right, right_n - right]])
    return bool(stats.fisher_exact(table)[1] <= EXACT_P)


def _inflation(n: int, rho: float) -> float:
    """How many times larger correlation makes the variance of the mean of n."""
    lags = np.arange(1, n)
    return 1.0 + 2.0 * float(((1.0 - lags / n) * rho**lags).sum())


def _mean_error(values: Array, rho: float) -> tuple[float, float]:
    """Variance of the mean, and its degrees of freedom."""
    n = len(values)
    inflation = _inflation(n, rho)
    variance = float(np.var(values, ddof=1)) * (n - 1) / (n - inflation)
    return variance * inflation / n, max(n / inflation - 1.0, 1.0)


def _spread_error(values: Array, rho: float) -> tuple[float, float]:
    """Variance of the standard deviation by leaving one value out, and its degrees of freedom."""
    n = len(values)
    kept = ~np.eye(n, dtype=bool)
    left_out = np.broadcast_to(values, (n, n))[kept].reshape(n, n - 1).std(axis=1, ddof=1)
    inflation = _inflation(n, rho**2)
    return float((n - 1) * np.var(left_out)) * inflation, max((n - 1) / inflation, 1.0)
