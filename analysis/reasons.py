"""What speaks against a recording: values that every stage may give and quality collects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Codes of a recording whose labels do not hold: nothing about the person follows from its figures.
WRONG_LABELS = frozenset(
    {"sensors_swapped", "side_doubtful", "direction_doubtful", "acc_sign", "same_recording"}
)
GRADES = ("good", "fair", "poor")


class Reason(NamedTuple):
    """One reason why a recording is not fit, or only partly.

    Attributes
    ----------
    grade : str
        What the recording can be at best: ``good`` (worth a word only), ``fair`` where the figures
        are to be read with care, ``poor`` where they may be wrong.
    code : str
        Stable, for programs; told in ``reference/quality.md``.
    text : str
        A plain sentence without a full stop: what, how much, what to do.
    """

    grade: str
    code: str
    text: str


def worst_grade(grades: Iterable[str]) -> str:
    """Return the worst of several grades."""
    return max(grades, key=GRADES.index)


def beyond(value: float, limits: tuple[float, float], code: str, text: str) -> Iterator[Reason]:
    """Give a reason where a value lies beyond the first limit, a worse one beyond the second."""
    if value > limits[0]:
        yield Reason("poor" if value > limits[1] else "fair", code, text)
