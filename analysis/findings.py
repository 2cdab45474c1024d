"""Measures and comparison -> what to tell the person, coded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth telling, with one plain sentence of advice.

    Attributes
    ----------
    code : str
        Stable name, documented in the README.
    side : str
        ``left``, ``right`` or ``both``.
    set_name : str
        The set concerned, or empty for several.
    reps : tuple of int
        The repetitions concerned.
    figure : float or None
        The number behind it, in ``unit``.
    unit : str
        Its unit.
    text : str
        What was seen and one sentence of advice.
    rank : int
        Smaller comes first; markers of pain outrank everything.
    """

    code: str
    side: str
    set_name: str
    reps: tuple[int, ...]
    figure: float | None
    unit: str
    text: str
    rank: int


@dataclass(frozen=True, slots=True)
class PlacedMarker:
    """A person's marker placed in the arc.

    Attributes
    ----------
    ir_deg : float or None
        The IR angle at the marker's time; None where it lies outside the set.
    rep : int
        The repetition, 0 outside repetitions.
    phase : str
        ``inward``, ``hold``, ``return``, ``between`` or ``outside``.
    """

    set_name: str
    side: str
    time_s: float
    kind: str
    score: float | None
    text: str
    ir_deg: float | None
    rep: int
    phase: str
