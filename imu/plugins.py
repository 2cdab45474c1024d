"""Third parties' parts, found by entry points: a bad one is skipped and told, and ends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any


def load_plugins(
    group: str, points: Iterable[EntryPoint] | None, take: Callable[[str, Any], str]
) -> list[str]:
    """Load every plug-in of a group.

    Parameters
    ----------
    group : str
        The entry points' group.
    points : iterable of EntryPoint or None
        The plug-ins; those installed where None.
    take : callable
        Takes a plug-in's name and object; gives why it cannot be used, or an empty text.

    Returns
    -------
    list of str
        One line for every plug-in that was skipped.
    """
    complaints = []
    for point in entry_points(group=group) if points is None else points:
        try:
            complaint = take(point.name, point.load())
        except Exception as error:  # whatever foreign code raises
            complaint = f"{type(error).__name__}: {error}"
        if complaint:
            complaints.append(f"plug-in {point.name} ({point.value}): {complaint}; it is skipped.")
    return complaints
