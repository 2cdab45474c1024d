"""What a person is told while sensors are recorded, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SensorStatus:
    """One sensor at one moment.

    Attributes
    ----------
    segment : str
        Where it is worn; empty while that is not known.
    name, address : str
        The model, and the radio's name for it.
    state : str
        In a word or two: ``streaming``, ``silent``, ``looking for it``.
    rate_hz : float
        As set.
    samples, lost, refused, duplicates, reconnects : int
        Since the set began: recorded; missing by the sensor's clock; payloads that could not be
        decoded; samples that had come before; times it came back.
    age_s : float or None
        Since the last sample came.
    battery_percent : float or None
        Where it is known.
    """

    segment: str
    name: str
    address: str
    state: str
    rate_hz: float
    samples: int = 0
    lost: int = 0
    refused: int = 0
    duplicates: int = 0
    reconnects: int = 0
    age_s: float | None = None
    battery_percent: float | None = None


class Observer(Protocol):
    """Shows a person what goes on; must return at once."""

    def say(self, text: str) -> None:
        """Tell one thing that happened or is to be done."""
        ...

    def show(self, sensors: Sequence[SensorStatus], elapsed_s: float | None) -> None:
        """Show how the sensors are, some times a second; ``elapsed_s`` while the set runs."""
        ...
