"""Left against right: difference, index, interval, threshold, verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure compared between the sides.

    Attributes
    ----------
    measure, label, unit, group : str
        Code, words for people, unit, and ``range``, ``speed`` or ``control``.
    left, right : float or None
        Means over the counted repetitions (for spreads: the spread).
    difference : float or None
        Right minus left.
    direction : str
        In words: which side is larger, ``equal`` or empty.
    index_percent : float or None
        LSI = 100 * worse / better; None where it has no meaning.
    ci95 : tuple of float, or None
        95 % interval of the difference.
    threshold : float or None
        What must be exceeded; MDC with source, or from the person's own repetitions.
    threshold_source : str
        Where the threshold comes from.
    verdict : str
        ``matched``, ``different`` or ``inconclusive``.
    """

    measure: str
    label: str
    unit: str
    group: str
    left: float | None
    right: float | None
    difference: float | None
    direction: str
    index_percent: float | None
    ci95: tuple[float, float] | None
    threshold: float | None
    threshold_source: str
    verdict: str
